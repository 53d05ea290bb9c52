"""Golden transcripts of orders in the owner's room: owed, confirmed, refused, and at another price."""

from __future__ import annotations

import re

import pytest

from tests.integration.room.transcript import Transcript
from tests.integration.tiny_shop import OpenShop

PROFILE = """nama = "Toko Uji"
[[rekening]]
bank = "BCA"
nomor = "4570112233"
atas_nama = "Toko Uji"
"""
CATALOGUE = """kode,nama,harga,satuan,stok,setelah_bayar
IH20,Internet 20 Mbps,275000,bulan,,Jadwal pasang dikabari di sini ya Kak.
VH1,Voucher Harian,5000,lembar,,
"""


@pytest.fixture
async def play(open_shop: OpenShop) -> Transcript:
    shop = await open_shop(files={"toko.toml": PROFILE, "katalog.csv": CATALOGUE})
    # The privacy notice rides on the first answer; other transcripts show it.
    await shop.says("budi", "halo", name="Budi")
    return Transcript(shop)


async def _orders(play: Transcript) -> None:
    await play.says("budi", "pesan ih20")
    await play.says("budi", "ya")


async def test_a_transfer_is_confirmed(play: Transcript) -> None:
    shop = play.shop
    assert await play.says("owner", "pesanan") == [("owner", "Tidak ada pesanan yang menunggu dibayar 👍")]
    assert await play.says("budi", "pesan ih20") == [
        ("budi", "1x Internet 20 Mbps, total *Rp275.000*. Benar, Kak?")
    ]
    assert await play.says("budi", "ya") == [
        (
            "budi",
            "Siap Kak, pesanan *B•••••••••* kucatat. 1x Internet 20 Mbps: Rp275.000\n"
            "Total *Rp275.000*\nTransfernya ke salah satu ini ya Kak:\n"
            "BCA *4570112233* a.n. Toko Uji\n"
            "Kalau sudah, tulis *sudah transfer* atau kirim buktinya ke sini. Admin cek dulu, lalu invoice "
            "kukirim.",
        )
    ]
    assert await play.says("owner", "pesanan") == [
        (
            "owner",
            "🧾 *1 pesanan belum dibayar, Rp275.000*\n🏦 *Transfer bank, perlu dicek:*\n"
            "• B••••••••• Budi (pelanggan 1): 1x Internet 20 Mbps, Rp275.000. Menunggu transfer, lalu dicek "
            "admin.",
        )
    ]
    assert await play.says("budi", "sudah transfer ya kak") == [
        ("budi", "Makasih Kak. Transferannya dicek admin dulu ya; begitu cocok, invoice kukirim ke sini."),
        (
            "owner",
            "🏦 *Cek transfer Rp275.000*: Budi (pelanggan 1)\nPesanan B•••••••••: 1x Internet 20 Mbps\n"
            "Katanya sudah transfer. Geser dan balas *lunas* atau *tolak*. Tulisan lain kukirim ke Budi.",
        ),
    ]
    assert await play.says("owner", "lunas", quote=shop.last_id(containing="Cek transfer")) == []
    assert await play.says("owner", "pesanan") == [("owner", "Tidak ada pesanan yang menunggu dibayar 👍")]


async def test_a_transfer_is_not_found(play: Transcript) -> None:
    shop = play.shop
    await _orders(play)
    await play.says("budi", "sudah transfer ya kak")
    notice = shop.last_id(containing="Cek transfer")
    assert await play.says("owner", "tolak", quote=notice) == []


async def test_a_price_that_changes_after_an_order_was_made(play: Transcript) -> None:
    shop = play.shop
    await _orders(play)
    assert await play.says("owner", "harga ih20 285rb") == []
    assert await play.says("owner", "ya") == []
    assert await play.says("owner", "batal") == []
    data = CATALOGUE.replace("275000", "290000").encode()
    shop.channel.files["baru"] = data
    file = {"mimetype": "text/csv", "filename": "harga desember.csv", "size_bytes": len(data)}
    assert await play.says("owner", "", message_id="baru", kind="document", file=file) == []
    assert await play.says("owner", "ya") == []
    assert await play.says("owner", "batal") == []


async def test_the_days_digest(play: Transcript) -> None:
    await _orders(play)
    await play.says("siti", "sewa tenda pesta besar bisa?", name="Siti")
    [(_, digest)] = await play.says("owner", "ringkasan")
    # The day is that of the machine, and so is what the model cost.
    title, *lines = digest.splitlines()
    assert re.fullmatch(r"📊 \*Toko Uji, \w+ \d+ \w+\*", title)
    assert lines == []
