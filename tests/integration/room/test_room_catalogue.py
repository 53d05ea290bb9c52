"""Prices and stock from the owner's room: shown, said yes to, made, and undone."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from billing.catalogue import CatalogueItem, read_catalogue
from rag.ingest import ingest
from store.schema import edits
from tests.integration.tiny_shop import OpenShop, TinyShop

CATALOGUE = (
    "kode;nama;harga;satuan;stok;modal\r\n"
    'IH20;"Internet; 20 Mbps";275.000;bulan;;rahasia\r\n'
    "\r\n"
    'VH1;"Voucher ""harian""";5000;lembar;240;4000\r\n'
)


def catalogue(shop: TinyShop) -> Path:
    return shop.settings.data_dir / "katalog.csv"


def item(path: Path, code: str) -> CatalogueItem:
    return next(item for item in read_catalogue(path).items if item.code == code)


async def _open(open_shop: OpenShop) -> TinyShop:
    shop = await open_shop()
    catalogue(shop).write_bytes(CATALOGUE.encode())
    return shop


async def test_a_price_is_shown_as_a_difference_and_changed_on_yes(open_shop: OpenShop) -> None:
    shop = await _open(open_shop)
    [shown] = await shop.owner("harga IH20 285rb")
    assert "Rp275.000 per bulan → *Rp285.000 per bulan*" in shown
    # Nothing is changed before the word.
    assert catalogue(shop).read_bytes() == CATALOGUE.encode()
    assert await shop.owner("ya") == [shop.wording.say("admin_sudah_diubah")]
    # Every other character is as the owner wrote it.
    assert catalogue(shop).read_bytes() == CATALOGUE.replace("275.000", "285000").encode()
    await ingest(shop.store, shop.settings.data_dir, shop.model.embedder)
    await shop.running.memory.catch_up()
    assert "285.000" in (await shop.says("budi", "berapa harga internet 20 mbps?"))[-1]
    # Once more is no reason to talk, and changes nothing.
    assert await shop.owner("ya", quote=shop.last_id(containing="✏️")) == []


async def test_cancelling_undoes_the_last_change_and_then_the_one_before(open_shop: OpenShop) -> None:
    shop = await _open(open_shop)
    for command in ("harga IH20 285000", "habis VH1"):
        await shop.owner(command)
        await shop.owner("ya")
    assert item(catalogue(shop), "VH1").sold_out
    [told] = await shop.owner("batal")
    assert "stok VH1" in told
    assert item(catalogue(shop), "VH1").stock == 240
    assert item(catalogue(shop), "IH20").price_idr == 285_000
    assert "harga IH20" in (await shop.owner("batal"))[0]
    assert catalogue(shop).read_bytes() == CATALOGUE.encode()
    assert await shop.owner("batal") == [shop.wording.say("admin_tidak_ada_batal")]


async def test_a_stock_that_was_sold_from_meanwhile_is_not_put_back(open_shop: OpenShop) -> None:
    shop = await _open(open_shop)
    await shop.owner("ada VH1 100")
    await shop.owner("ya")
    assert item(catalogue(shop), "VH1").stock == 100
    sold = catalogue(shop).read_text().replace(";100;", ";99;")
    catalogue(shop).write_text(sold)
    [told] = await shop.owner("batal")
    assert "sudah berubah lagi" in told
    assert "99" in told
    assert item(catalogue(shop), "VH1").stock == 99


async def test_a_change_that_is_declined_is_never_made(open_shop: OpenShop) -> None:
    shop = await _open(open_shop)
    await shop.owner("harga IH20 285rb")
    offer = shop.last_id(containing="✏️")
    assert await shop.owner("tidak") == [shop.wording.say("admin_tidak_diubah")]
    assert await shop.owner("ya", quote=offer) == [shop.wording.say("admin_ubah_lewat")]
    assert catalogue(shop).read_bytes() == CATALOGUE.encode()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("harga IH20 0", "harga 0 tidak bisa"),
        ("harga IH20 rp0", "harga 0 tidak bisa"),
        ("harga IH20 -5000", "tidak terbaca"),
        ("harga IH20 mahal", "tidak terbaca"),
        ("harga IH20", "belum ditulis"),
        ("harga IH21 275rb", "IH21 tidak ada di katalog.csv"),
        ("habis IH20 VH1", "satu kode"),
        ("ada IH20 banyak", "bukan jumlah"),
        ("harga IH20 275rb", "memang sudah Rp275.000"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_what_to_write(
    open_shop: OpenShop, command: str, says: str
) -> None:
    shop = await _open(open_shop)
    [told] = await shop.owner(command)
    assert says in told
    assert await shop.count(edits) == 0
    await shop.owner("ya")
    assert catalogue(shop).read_bytes() == CATALOGUE.encode()


async def test_a_tiny_price_is_asked_about(open_shop: OpenShop) -> None:
    shop = await _open(open_shop)
    [shown] = await shop.owner("harga IH20 285")
    assert "Maksudnya Rp285.000?" in shown


@pytest.mark.parametrize("talk", ["ada apa?", "habis itu kita tutup ya", "harga naik lagi nih minggu depan"])
async def test_talk_between_admins_is_no_change(open_shop: OpenShop, talk: str) -> None:
    shop = await _open(open_shop)
    told = await shop.owner(talk)
    assert not [text for text in told if "✏️" in text or "⚠️" in text]
    assert await shop.count(edits) == 0


async def test_a_workbook_keeps_its_formulas_and_its_other_sheets(open_shop: OpenShop) -> None:
    shop = await open_shop()
    catalogue(shop).unlink()
    path = shop.settings.data_dir / "katalog.xlsx"
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Catatan"
    sheet = book.create_sheet("Katalog")
    for row in (
        ["kode", "nama", "harga", "stok"],
        ["IH20", "Internet 20", 275000, None],
        ["VH1", "Voucher", 5000, 240],
    ):
        sheet.append(row)
    sheet["F2"] = "=C2*2"
    book.save(path)
    for command in ("harga IH20 285rb", "habis IH20"):
        await shop.owner(command)
        assert await shop.owner("ya") == [shop.wording.say("admin_sudah_diubah")]
    assert (item(path, "IH20").price_idr, item(path, "IH20").stock) == (285_000, 0)
    after = openpyxl.load_workbook(path)
    assert after.sheetnames == ["Catatan", "Katalog"]
    assert after["Katalog"]["F2"].value == "=C2*2"
    assert item(path, "VH1").stock == 240
    await shop.owner("batal")
    assert item(path, "IH20").stock is None


async def test_two_admins_at_once_change_it_once(open_shop: OpenShop) -> None:
    shop = await _open(open_shop)
    await shop.owner("harga IH20 285rb")
    offer = shop.last_id(containing="✏️")
    before = len(shop.heard("owner"))
    await shop.record("owner", "ya", quote=offer)
    await shop.record("owner", "tidak", quote=offer)
    await shop.settled()
    assert shop.heard("owner")[before:] == [
        shop.wording.say("admin_sudah_diubah"),
        shop.wording.say("admin_ubah_lewat"),
    ]
    assert item(catalogue(shop), "IH20").price_idr == 285_000


async def test_a_file_that_cannot_be_written_leaves_the_change_offered(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await _open(open_shop)
    await shop.owner("harga IH20 285rb")
    offer = shop.last_id(containing="✏️")

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("bot.room.edits.replace", full)
        assert "tidak bisa ditulis" in (await shop.owner("ya", quote=offer))[0]
    assert await shop.owner("ya", quote=offer) == [shop.wording.say("admin_sudah_diubah")]


@pytest.mark.parametrize("command", ["harga IH20 1rb", "habis IH20", "ada IH20", "batal", "ya"])
async def test_a_customer_changes_nothing(open_shop: OpenShop, command: str) -> None:
    shop = await _open(open_shop)
    await shop.owner("harga IH20 285rb")
    await shop.says("budi", command)
    assert catalogue(shop).read_bytes() == CATALOGUE.encode()
    assert [row.state for row in await shop.rows(edits)] == ["offered"]
