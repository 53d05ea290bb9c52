"""The numbered menu, and what is chosen from it: numbers, names, codes, quantities, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.catalogue import CatalogueItem, read_catalogue
from billing.menu import (
    MOST_LINES,
    Pick,
    bare_order,
    choose,
    group_menu,
    menu_of,
    names_quantity,
    new_quantity,
    wants_to_buy,
)

PROJECT = Path(__file__).resolve().parents[3]
SAMPLE = read_catalogue(PROJECT / "data" / "katalog.csv").items


def item(code: str, name: str, price_idr: int = 10_000, **fields: object) -> CatalogueItem:
    return CatalogueItem(code=code, name=name, price_idr=price_idr, row=2, **fields)  # type: ignore[arg-type]


SMALL = (
    item("IH20", "Paket 20 Mbps", 250_000, unit="bulan"),
    item("IH50", "Paket 50 Mbps", 400_000, unit="bulan"),
    item("LAN20", "Kabel LAN Cat6 20 meter", 95_000, unit="roll", stock=14),
    item("VH7", "Voucher Hotspot 7 Hari", 25_000, unit="lembar"),
)
ENTRIES = menu_of(SMALL).entries


def test_a_short_catalogue_is_one_numbered_list_with_its_prices() -> None:
    menu = menu_of(SMALL)
    assert menu.entries == ("IH20", "IH50", "LAN20", "VH7")
    assert menu.text.splitlines()[0] == "1. Paket 20 Mbps: Rp250.000/bulan"
    assert menu.text.splitlines()[3] == "4. Voucher Hotspot 7 Hari: Rp25.000/lembar"


def test_what_is_inactive_or_sold_out_is_in_no_menu() -> None:
    menu = menu_of((*SMALL, item("A", "Tidak aktif", active=False), item("H", "Habis", stock=0)))
    assert menu.entries == ENTRIES


def test_a_long_catalogue_is_shown_by_groups_and_each_group_leads_to_its_items() -> None:
    menu = menu_of(SAMPLE)
    assert menu.text.splitlines()[:3] == ["1. Internet (7)", "2. Voucher (3)", "3. Jasa (2)"]
    assert menu.text.splitlines()[-1].split(". ")[1].startswith("Lainnya (")
    assert len(menu.entries) <= MOST_LINES
    inside = [group_menu(SAMPLE, entry) for entry in menu.entries]
    codes = [code for group in inside if group is not None for code in group.entries]
    assert sorted(codes) == sorted(item.code for item in SAMPLE if item.active and not item.sold_out)


def test_a_group_that_is_gone_has_no_menu() -> None:
    assert group_menu(SMALL, "#internet") is None


@pytest.mark.parametrize(
    ("text", "picks"),
    [
        ("1", [("IH20", 1)]),
        ("1.", [("IH20", 1)]),
        ("yang 2", [("IH50", 1)]),
        ("nomor 3 kak", [("LAN20", 1)]),
        ("yg no 4 ya min", [("VH7", 1)]),
        ("mau yang 2 aja", [("IH50", 1)]),
        ("4 5x", [("VH7", 5)]),
        ("4 x 5", [("VH7", 5)]),
        ("no 4 x5", [("VH7", 5)]),
        ("nomor 4, 3 lembar", None),
        ("nomor 4 3 lembar", [("VH7", 3)]),
        ("1 dan 3", [("IH20", 1), ("LAN20", 1)]),
        ("1, 3 2x", [("IH20", 1), ("LAN20", 2)]),
        ("dua", [("IH50", 1)]),
        ("nomor satu", [("IH20", 1)]),
        ("paket 20 mbps 3x", [("IH20", 3)]),
        ("3x paket 20 Mbps", [("IH20", 3)]),
        ("Paket 20mbps 3 bulan kak", [("IH20", 3)]),
        ("ih20", [("IH20", 1)]),
        ("IH 20 dua", [("IH20", 2)]),
        ("pesan ih20 2 dong", [("IH20", 2)]),
        ("2 ih20", [("IH20", 2)]),
        ("kabel lan", [("LAN20", 1)]),
        ("kabel lan cat6 20 meter 2x", [("LAN20", 2)]),
        ("voucher hotspot 7 hari", [("VH7", 1)]),
        ("voucher 7 hari 10 lembar", [("VH7", 10)]),
        ("ih20 0x", [("IH20", 0)]),
        ("ih20 10000x", [("IH20", 10000)]),
        # Not (only) a choice.
        ("yang 2?", None),
        ("9", None),
        ("0", None),
        ("20", None),
        ("paket", None),
        ("1 atau 2", None),
        ("yang 1 bisa buat game ga", None),
        ("paket 1000 mbps", None),
        ("1 3", None),
        ("081234567890", None),
        ("halo kak", None),
        ("", None),
    ],
)
def test_a_choice_after_a_menu(text: str, picks: list[tuple[str, int]] | None) -> None:
    expected = None if picks is None else [Pick(code=code, quantity=quantity) for code, quantity in picks]
    assert choose(text, SMALL, ENTRIES) == expected


def test_a_number_means_nothing_without_a_menu_and_a_name_does() -> None:
    assert choose("1", SMALL) is None
    assert choose("yang 2", SMALL) is None
    assert choose("paket 50 mbps", SMALL) == [Pick(code="IH50", quantity=1)]


def test_a_group_is_chosen_by_number_or_name() -> None:
    entries = menu_of(SAMPLE).entries
    assert choose("1", SAMPLE, entries) == choose("internet", SAMPLE, entries) == "#internet"
    assert choose("voucher kak", SAMPLE, entries) == "#voucher"
    assert choose("1 dan 2", SAMPLE, entries) is None


def test_a_name_that_fits_two_items_chooses_none() -> None:
    # 50 Mbps is sold to homes and to offices.
    assert choose("50 mbps", SAMPLE) is None
    assert choose("bisnis 50 mbps", SAMPLE) == [Pick(code="IB50", quantity=1)]


@given(st.text(max_size=60))
def test_no_text_breaks_the_choice_and_only_listed_codes_come_out(text: str) -> None:
    chosen = choose(text, SMALL, ENTRIES)
    if isinstance(chosen, list):
        assert {pick.code for pick in chosen} <= {item.code for item in SMALL}
    else:
        assert chosen is None


@given(
    st.integers(1, len(ENTRIES)),
    st.integers(1, 999),
    st.sampled_from(["{n} {q}x", "no {n} x{q}", "{q}x nomor {n} kak"]),
)
def test_a_number_and_a_quantity_are_never_mixed_up(number: int, quantity: int, form: str) -> None:
    assert choose(form.format(n=number, q=quantity), SMALL, ENTRIES) == [
        Pick(code=ENTRIES[number - 1], quantity=quantity)
    ]


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("jadi 2 aja", 2),
        ("2 aja", 2),
        ("ganti 5 pcs", 5),
        ("cukup dua ya kak", 2),
        ("jadinya 3x", 3),
        ("jadi", None),
        ("jadi 2 kapan?", None),
        ("jadi 2 yang merah", None),
        ("harganya 1000 ya", None),
    ],
)
def test_another_quantity_for_what_was_read_back(text: str, quantity: int | None) -> None:
    assert new_quantity(text) == quantity


def test_a_word_of_buying_counts_unless_it_is_a_question() -> None:
    assert wants_to_buy("mau pesan ih20")
    assert not wants_to_buy("cara pesan ih20 gimana?")
    assert not wants_to_buy("ih20")


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("pesan 2 ya", 2),
        ("ok saya pesan 1 ya", 1),
        ("mau 3 lembar", 3),
        ("ambil 3 ya kak", 3),
        ("beli dong", 1),
        ("oke order kak", 1),
        ("pesan dua", 2),
        ("2", None),
        ("mau", None),
        ("mau tanya", None),
        ("pesan yang merah", None),
        ("pesan 2?", None),
        ("ambil berapa hari", None),
        ("pesan 2 atau 3", None),
    ],
)
def test_an_order_of_what_was_just_spoken_of(text: str, quantity: int | None) -> None:
    assert bare_order(text) == quantity


def test_a_quantity_is_seen_at_the_end_or_by_its_unit() -> None:
    assert names_quantity("yang archer aja 1")
    assert names_quantity("archer 2x ya")
    assert not names_quantity("archer berapa?")
    assert not names_quantity("yang archer aja")
