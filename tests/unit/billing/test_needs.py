"""What an order still has to know: asked for, answered in many ways, put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.catalogue import CatalogueItem, read_catalogue
from billing.needs import (
    LATER,
    NONE,
    Kind,
    Need,
    answers,
    correction,
    is_delivery,
    is_pickup,
    missing,
    needs_of,
)

PROJECT = Path(__file__).resolve().parents[3]
SAMPLE = {item.code: item for item in read_catalogue(PROJECT / "data" / "katalog.csv").items}


def needs(*labels: str) -> list[Need]:
    return needs_of([CatalogueItem(code="A", name="A", price_idr=1, needs=labels, row=2)])


GOODS = needs("nama penerima", "alamat kirim")


def test_several_items_ask_each_thing_once() -> None:
    found = needs_of([SAMPLE["RT840"], SAMPLE["LAN20"], SAMPLE["SETING"]])
    assert [need.label for need in found] == ["nama penerima", "alamat kirim", "merek dan tipe router"]


def test_every_need_of_the_sample_shop_is_understood() -> None:
    kinds = {need.label: need.kind for need in needs_of(SAMPLE.values())}
    assert kinds["nama penerima"] is Kind.NAME
    assert kinds["alamat kirim"] is kinds["alamat lengkap"] is Kind.ADDRESS
    assert kinds["share lokasi"] is Kind.PLACE
    assert kinds["foto KTP"] is Kind.PICTURE
    assert kinds["nomor HP"] is kinds["nomor meter atau ID pelanggan PLN"] is Kind.NUMBER
    assert kinds["kode pelanggan"] is Kind.TEXT


def test_only_the_address_that_goods_go_to_costs_shipping() -> None:
    assert [need.label for need in needs_of(SAMPLE.values()) if is_delivery(need)] == ["alamat kirim"]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (["Budi Santoso"], {"nama penerima": "Budi Santoso"}),
        (["nama saya Budi"], {"nama penerima": "Budi"}),
        (["a.n. Bu Siti"], {"nama penerima": "Bu Siti"}),
        (
            ["nama: Budi, alamat: Jl. Merapi 2, Klaten Utara"],
            {"nama penerima": "Budi", "alamat kirim": "Jl. Merapi 2, Klaten Utara"},
        ),
        (
            ["Nama penerima: Budi S.\nAlamat kirim: Jl. Merapi 2"],
            {"nama penerima": "Budi S", "alamat kirim": "Jl. Merapi 2"},
        ),
        (
            ["Budi", "Jl. Merapi No. 2 Klaten"],
            {"nama penerima": "Budi", "alamat kirim": "Jl. Merapi No. 2 Klaten"},
        ),
        (["alamat: Jl. Merapi 22 Klaten"], {"alamat kirim": "Jl. Merapi 22 Klaten"}),
        (["buat siapa kak?"], {}),
        (["081234"], {}),
        (["x" * 400], {}),
        ([""], {}),
    ],
)
def test_answers(parts: list[str], told: dict[str, str]) -> None:
    assert answers(parts, GOODS) == told


def test_what_is_answered_is_not_missing_any_more() -> None:
    assert missing(GOODS, {"nama penerima": "Budi"}) == [GOODS[1]]
    assert answers(["Jl. Kenanga 5, Wedi"], missing(GOODS, {"nama penerima": "Budi"})) == {
        "alamat kirim": "Jl. Kenanga 5, Wedi"
    }


def test_too_short_an_address_or_number_is_no_answer() -> None:
    assert answers(["sini"], needs("alamat kirim")) == {}
    assert answers(["punyaku"], needs("nomor meter")) == {}
    assert answers(["no 12345678901 ya"], needs("nomor meter")) == {"nomor meter": "no 12345678901 ya"}


def test_a_picture_cannot_be_typed_but_may_come_later() -> None:
    [need] = needs("foto KTP")
    assert answers(["ini fotonya kak"], [need]) == {}
    assert answers(["nanti menyusul ya kak"], [need]) == {"foto KTP": LATER}


def test_what_is_asked_for_if_there_is_any_may_be_nothing() -> None:
    assert answers(["nggak ada kak"], needs("NPWP kalau ada")) == {"NPWP kalau ada": NONE}
    assert answers(["01.234.567.8"], needs("NPWP kalau ada")) == {"NPWP kalau ada": "01.234.567.8"}


@pytest.mark.parametrize(
    ("text", "label", "value"),
    [
        ("ubah alamat kirim jadi Jl. Solo 5, Klaten", "alamat kirim", "Jl. Solo 5, Klaten"),
        ("ralat nama: Budi Setiawan", "nama penerima", "Budi Setiawan"),
        ("eh salah, alamatnya Jl. Mawar 12 Wedi", "alamat kirim", "Jl. Mawar 12 Wedi"),
        ("ganti nama penerima ke Siti", "nama penerima", "Siti"),
    ],
)
def test_an_answer_is_put_right(text: str, label: str, value: str) -> None:
    found = correction(text, GOODS)
    assert found is not None
    assert (found[0].label, found[1]) == (label, value)


@pytest.mark.parametrize(
    "text", ["ganti paket", "ubah alamat", "alamat Jl. Solo 5", "salah kirim barang", ""]
)
def test_what_puts_nothing_right(text: str) -> None:
    assert correction(text, GOODS) is None


@pytest.mark.parametrize("text", ["ambil sendiri aja", "diambil di toko ya kak", "saya ambil ke toko"])
def test_who_fetches_it_himself_needs_no_address(text: str) -> None:
    assert is_pickup(text)
    assert answers([text], needs("alamat kirim")) == {"alamat kirim": text}
