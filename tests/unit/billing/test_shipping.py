"""Shipping by area, and an admin's own figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.shipping import FILE_NAME, Rate, rate_for, read_rates, told_by_admin

PROJECT = Path(__file__).resolve().parents[3]
RATES = (
    Rate(area="Klaten", cost_idr=15_000),
    Rate(area="Klaten Utara", cost_idr=10_000, free_from_idr=300_000),
    Rate(area="Solo", cost_idr=18_000),
)


@pytest.mark.parametrize(
    ("address", "cost_idr"),
    [
        ("Jl. Merapi 2, klaten utara", 10_000),
        ("Jl. Mawar 1 Klaten", 15_000),
        ("Perum Solo Baru, SOLO", 18_000),
        ("Jl. Soloraya 5, Sorong", None),
        ("Jogja Utara", None),
    ],
)
def test_the_longest_area_that_is_named_counts(address: str, cost_idr: int | None) -> None:
    rate = rate_for(address, RATES)
    assert (rate.cost_idr if rate else None) == cost_idr


def test_a_large_basket_may_cost_no_shipping() -> None:
    assert RATES[1].for_basket(299_999) == 10_000
    assert RATES[1].for_basket(300_000) == 0
    assert RATES[0].for_basket(9_000_000) == 15_000


def test_the_sample_shop_s_list_is_without_fault_and_says_what_its_faq_says() -> None:
    found = read_rates(PROJECT / "data")
    assert found.problems == ()
    assert {(rate.cost_idr, rate.free_from_idr) for rate in found.rates} == {(10_000, 300_000)}
    assert rate_for("Jl. Merapi 27, Gergunung, Klaten Utara", found.rates) is not None


def test_without_a_list_a_person_says_it(tmp_path: Path) -> None:
    assert read_rates(tmp_path).rates == ()


def test_a_wrong_row_is_named_and_the_others_count(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(
        "daerah,ongkir,gratis_mulai\nSolo,18rb,\n,1000,\nWedi,10.000,-1\nYogya,0,\n"
    )
    found = read_rates(tmp_path)
    assert [(rate.area, rate.cost_idr) for rate in found.rates] == [("Yogya", 0)]
    assert [problem.split(":")[0] for problem in found.problems] == [
        f"{FILE_NAME} baris {n}" for n in (2, 3, 4)
    ]


def test_missing_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("kota,tarif\nSolo,18000\n")
    found = read_rates(tmp_path)
    assert found.rates == ()
    assert "daerah, ongkir" in found.problems[0]


@pytest.mark.parametrize(
    ("text", "amount_idr"),
    [
        ("ongkir 18rb", 18_000),
        ("Ongkir Rp18.000", 18_000),
        ("ongkir: 18.000", 18_000),
        ("ongkirnya 18000", 18_000),
        ("ongkir 1,5jt", 1_500_000),
        ("ongkir gratis", 0),
        ("ongkir 18", None),
        ("ongkir 18rb atau 20rb", None),
        ("ongkir -5000", None),
        ("ongkir 99jt", None),
        ("ongkir", None),
        ("ongkir ke Sorong lewat JNE reguler rp18000", 18_000),
        ("ongkir " + "x" * 24 + " rp18000", 18_000),
        ("ongkir 18rb per kg, paketnya 3 kg jadi 54rb", None),
        ("ongkir 18rb per kg", None),
        ("ongkir 18rb/kg ya", None),
        ("ongkir 18.000 atau 20000", None),
        ("ongkir lewat kapal, agak lama tapi paling murah, 18rb, kalau pesawat 95rb", None),
        ("ongkir " + "x" * 90 + " 18rb", None),
        ("berapa ongkir 18rb", None),
        ("lunas", None),
    ],
)
def test_an_admin_s_figure(text: str, amount_idr: int | None) -> None:
    assert told_by_admin(text) == amount_idr
