"""Files that an admin sends to the room: what they would change is shown, and happens on his word."""

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import pytest

from bot.channel import FileGone, IncomingFile
from bot.room.fetching import FileRefused
from bot.room.files import target_name
from tests.integration.tiny_shop import CATALOGUE, OpenShop, TinyShop

CSV = "text/csv"


async def _send(shop: TinyShop, name: str, data: bytes | Exception, text: str = "") -> list[str]:
    """An admin sends a file; what is said in the room."""
    message_id = f"file-{name}-{len(shop.channel.files)}"
    shop.channel.files[message_id] = data
    size = len(data) if isinstance(data, bytes) else 1
    return await shop.says(
        "owner",
        text,
        message_id=message_id,
        kind="document",
        file={"mimetype": CSV, "filename": name, "size_bytes": size},
    )


def _folder(shop: TinyShop) -> Path:
    return shop.settings.data_dir


async def test_a_new_catalogue_is_shown_as_a_difference_and_undone_as_a_whole(open_shop: OpenShop) -> None:
    shop = await open_shop()
    new = CATALOGUE.replace("275000", "285000") + "VH1,Voucher Harian,5000,lembar,20\n"
    [shown] = await _send(shop, "harga baru.csv", new.encode(), "ini daftar harga terbaru")
    assert "📄 *katalog.csv*" in shown
    assert "✏️ Internet 20 Mbps (IH20) Rp275.000 → Rp285.000" in shown
    assert "➕ Voucher Harian (VH1) Rp5.000" in shown
    assert (_folder(shop) / "katalog.csv").read_text() == CATALOGUE
    assert await shop.owner("ya") == [shop.wording.say("admin_sudah_diubah")]
    assert (_folder(shop) / "katalog.csv").read_text() == new
    assert "katalog.csv" in (await shop.owner("batal"))[0]
    assert (_folder(shop) / "katalog.csv").read_text() == CATALOGUE


async def test_a_row_that_is_gone_is_shown(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [shown] = await _send(shop, "katalog.csv", b"kode,nama,harga\nVH1,Voucher,5000\n")
    assert "➖ Internet 20 Mbps (IH20)" in shown


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"kode,nama,harga\nIH20,Internet,0\n", "harga 0"),
        (b"kode,nama,harga\nIH20,Internet,275rb\nVH1,Voucher,5000\n", "275rb"),
        (b"kode,nama,harga\nIH20,A,1000\nIH20,B,2000\n", "sudah dipakai"),
        (b"nama,harga\nInternet,275000\n", "kode"),
        (b"", "dibetulkan"),
        (b"\x00\x01\x02", "bukan teks"),
    ],
)
async def test_a_catalogue_with_a_row_that_cannot_be_used_is_not_taken(
    open_shop: OpenShop, data: bytes, says: str
) -> None:
    shop = await open_shop()
    [told] = await _send(shop, "katalog.csv", data)
    assert "tidak kupakai" in told
    assert says in told
    await shop.owner("ya")
    assert (_folder(shop) / "katalog.csv").read_text() == CATALOGUE


async def test_an_faq_is_compared_by_its_questions(open_shop: OpenShop) -> None:
    shop = await open_shop()
    new = [
        {"id": "cod", "question": "Bisa COD?", "answer": "Bisa COD se-Jawa, Kak."},
        {"question": "Ada garansi?", "answer": "Ada, Kak."},
    ]
    [shown] = await _send(shop, "faq_data.json", json.dumps(new).encode())
    assert "➕ Ada garansi?" in shown
    assert "✏️ Bisa COD?" in shown
    assert "➖ Jam buka toko?" in shown
    await shop.owner("ya")
    assert json.loads((_folder(shop) / "faq_data.json").read_text()) == new


async def test_a_document_is_a_new_one_and_goes_again_with_cancel(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [shown] = await _send(
        shop, "../../Garansi Toko.md", b"# Garansi\n\nGaransi satu tahun untuk semua router.\n"
    )
    assert "📄 *Garansi Toko.md*" in shown
    await shop.owner("ya")
    assert (_folder(shop) / "Garansi Toko.md").exists()
    await shop.owner("batal")
    assert not (_folder(shop) / "Garansi Toko.md").exists()


async def test_a_workbook_is_refused_where_the_catalogue_is_a_text(open_shop: OpenShop) -> None:
    shop = await open_shop()
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    [told] = await _send(shop, "katalog.xlsx", out.getvalue())
    assert "kirim sebagai .csv" in told


async def test_the_same_file_again_changes_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await _send(shop, "katalog.csv", CATALOGUE.encode()) == [
        shop.wording.say("admin_berkas_sama", berkas="katalog.csv")
    ]


async def test_a_file_that_is_gone_or_too_large_says_so(open_shop: OpenShop) -> None:
    shop = await open_shop(MEDIA_MAX_MB="1")
    assert "kirim ulang" in (await _send(shop, "katalog.csv", FileGone("expired")))[0]
    assert "terlalu besar" in (await _send(shop, "katalog.csv", b"x" * (1024 * 1024 + 1)))[0]


async def test_the_old_file_that_was_changed_meanwhile_is_not_overwritten(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _send(shop, "katalog.csv", CATALOGUE.replace("275000", "285000").encode())
    (_folder(shop) / "katalog.csv").write_text(CATALOGUE.replace("275000", "299000"))
    assert "sudah berubah lagi" in (await shop.owner("ya"))[0]
    assert "299000" in (_folder(shop) / "katalog.csv").read_text()


async def test_a_customers_file_changes_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.files["budi-1"] = b"kode,nama,harga\nIH20,Internet,1000\n"
    await shop.says(
        "budi",
        "",
        message_id="budi-1",
        kind="document",
        file={"mimetype": CSV, "filename": "katalog.csv", "size_bytes": 40},
    )
    await shop.says("budi", "ya")
    assert (_folder(shop) / "katalog.csv").read_text() == CATALOGUE


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a/b\\c/Panduan (baru).PDF", "Panduan (baru).pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        (".env.txt", "env.txt"),
        ("daftar harga.xlsx", "katalog.xlsx"),
        ("x" * 300 + ".md", "x" * 60 + ".md"),
    ],
)
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str, target: str) -> None:
    file = IncomingFile(mimetype="", filename=name, size_bytes=1)
    assert target_name(file, tmp_path) == target


@pytest.mark.parametrize("name", ["toko.toml", "virus.exe", "", ".txt", "....md", "kalimat.toml", "foto.jpg"])
def test_names_that_are_not_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileRefused):
        target_name(IncomingFile(mimetype="", filename=name, size_bytes=1), tmp_path)
