"""Golden transcripts of orders in the owner's room: owed, confirmed, refused, and at another price."""

from __future__ import annotations

import re

import pytest

from store import rooms
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
    # The payment's own notice goes to the room that a running bot names to the payment process.
    await shop.write(lambda c: rooms.announce(c, shop.running.room))
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
            "Siap Kak, pesanan *B•••••••••* kucatat.\n• 1x Internet 20 Mbps: Rp275.000\n"
            "Total *Rp275.000*\nTransfernya ke salah satu ini ya Kak:\n"
            "BCA *4570112233* a.n. Toko Uji\n"
            "Kalau sudah, tulis *sudah transfer* atau kirim buktinya ke sini. Admin cek dulu, lalu invoice "
            "kukirim.",
        )
    ]
    assert await play.says("owner", "pesanan") == [
        (
            "owner",
            "🧾 *1 pesanan belum dibayar, Rp275.000*\n🏦 *Transfer bank* (kalau uangnya sudah "
            "masuk, ketik *lunas* dan nomor pesanannya):\n"
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
    notice = shop.last_id(containing="Cek transfer")
    assert await play.says("owner", "lunas", quote=notice) == [
        (
            "budi",
            "Pembayaran Rp275.000 sudah masuk ya Kak, terima kasih 🙏\n\nJadwal pasang dikabari di sini ya "
            "Kak.",
        ),
        (
            "budi",
            "[document: INV-1.pdf] Ini invoice INV/2026/10/0001, Kak. Terima kasih sudah belanja di Toko "
            "Uji 🙏",
        ),
        (
            "owner",
            "💰 *Lunas Rp275.000*: Budi\n1x Internet 20 Mbps\n"
            "Pesanan B•••••••••, INV/2026/10/0001, Transfer bank 14.02",
        ),
    ]
    assert await play.says("owner", "lunas", quote=notice) == [
        ("owner", "Pesanan B••••••••• tidak kuubah. Sekarang: Sudah lunas, invoice INV/2026/10/0001.")
    ]
    assert await play.says("owner", "pesanan") == [("owner", "Tidak ada pesanan yang menunggu dibayar 👍")]


async def test_a_transfer_is_not_found(play: Transcript) -> None:
    shop = play.shop
    await _orders(play)
    await play.says("budi", "sudah transfer ya kak")
    notice = shop.last_id(containing="Cek transfer")
    assert await play.says("owner", "tolak", quote=notice) == [
        (
            "budi",
            "Maaf Kak, transferan Rp275.000 untuk pesanan *B•••••••••* belum ketemu. Boleh dicek lagi, atau "
            "kirim bukti transfernya ke sini ya.",
        ),
        ("owner", "Oke, Budi kukabari kalau transferannya belum ketemu."),
    ]
    # A second admin says the same, and the customer is not told twice.
    assert await play.says("owner", "tolak", quote=notice) == [
        ("owner", "Pesanan B••••••••• tidak kuubah. Sekarang: Menunggu transfer, lalu dicek admin.")
    ]
    # He looks again, and asks for it again.
    again = await play.says("budi", "sudah transfer ya kak")
    assert [chat for chat, _ in again] == ["budi", "owner"]
    assert len(await play.says("owner", "lunas", quote=shop.last_id(containing="Cek transfer"))) == 3


async def test_a_price_that_changes_after_an_order_was_made(play: Transcript) -> None:
    shop = play.shop
    await _orders(play)
    assert await play.says("owner", "harga ih20 285rb") == [
        (
            "owner",
            "✏️ *Internet 20 Mbps* (IH20)\nRp275.000 per bulan → *Rp285.000 per bulan*\n"
            "Balas *ya* kalau sudah benar, atau *tidak*.",
        )
    ]
    changed = (
        "✅ Sudah kuubah. Kalau keliru, ketik *batal*.\n"
        "1 pesanan yang belum dibayar tetap pakai harga waktu dipesan."
    )
    assert await play.says("owner", "ya") == [("owner", changed)]
    assert await play.says("owner", "batal") == [
        ("owner", "↩️ Sudah kukembalikan seperti semula: harga IH20.")
    ]
    # The same by a whole file; the order that is made meanwhile keeps the price that it was read.
    data = CATALOGUE.replace("275000", "290000").encode()
    shop.channel.files["baru"] = data
    file = {"mimetype": "text/csv", "filename": "harga desember.csv", "size_bytes": len(data)}
    assert await play.says("owner", "", message_id="baru", kind="document", file=file) == [
        (
            "owner",
            "📄 *katalog.csv*\n✏️ Internet 20 Mbps (IH20) Rp275.000 → Rp290.000\n"
            "Balas *ya* untuk memakainya, atau *tidak*.",
        )
    ]
    assert await play.says("owner", "ya") == [("owner", changed)]
    await play.says("siti", "pesan ih20", name="Siti")
    assert "Rp290.000" in dict(await play.says("siti", "ya"))["siti"]
    assert await play.says("owner", "batal") == [
        (
            "owner",
            "↩️ Sudah kukembalikan seperti semula: katalog.csv.\n"
            "1 pesanan yang belum dibayar tetap pakai harga waktu dipesan.",
        )
    ]


async def test_a_file_that_changes_no_price_says_nothing_of_orders(play: Transcript) -> None:
    shop = play.shop
    await _orders(play)
    await play.says("owner", "harga ih20 285rb")
    await play.says("owner", "ya")
    data = (shop.settings.data_dir / "katalog.csv").read_bytes().replace(b"Harian", b"Sehari")
    shop.channel.files["baru"] = data
    file = {"mimetype": "text/csv", "filename": "katalog.csv", "size_bytes": len(data)}
    await play.says("owner", "", message_id="baru", kind="document", file=file)
    assert await play.says("owner", "ya") == [("owner", "✅ Sudah kuubah. Kalau keliru, ketik *batal*.")]


async def test_the_days_digest(play: Transcript) -> None:
    shop = play.shop
    await _orders(play)
    await play.says("budi", "sudah transfer ya kak")
    await play.says("owner", "lunas", quote=shop.last_id(containing="Cek transfer"))
    await _orders(play)
    await play.says("siti", "sewa tenda pesta besar bisa?", name="Siti")
    [(_, digest)] = await play.says("owner", "ringkasan")
    # The day is that of the machine, and so is what the model cost.
    title, *lines = digest.splitlines()
    assert re.fullmatch(r"📊 \*Toko Uji, \w+ \d+ \w+\*", title)
    assert re.fullmatch(r"⚡ Biaya AI Rp\d+ dari batas Rp50\.000", lines.pop(6))
    assert lines == [
        "💬 7 pesan dari 2 pelanggan",
        "🤖 7 kubalas, 0 dibalas orang toko",
        "🔔 1 kuteruskan ke admin, 1 belum dijawab",
        "🛒 Pesanan baru: 2 (Rp550.000)",
        "💰 Lunas: 1 (Rp275.000), belum dibayar: 1 (Rp275.000)",
        "🏦 1 di antaranya lewat transfer bank; ketik *pesanan* untuk mengeceknya",
        "Ditanya, tapi aku belum tahu:",
        "• 1x sewa tenda pesta besar bisa?",
    ]
