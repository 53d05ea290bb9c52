"""Golden transcripts: what the owner and his customers really read, line by line."""

from __future__ import annotations

import pytest

from rag.ingest import ingest
from tests.integration.tiny_shop import OpenShop, TinyShop

RIDER = (
    "\n\nAku asisten otomatis Toko Uji. Chat ini disimpan untuk melayani Kakak; ketik *privasi* buat info "
    "lengkapnya, atau *admin* kalau mau ngobrol sama orangnya langsung."
)


class Transcript:
    """Plays messages and gives back everything that was said because of each, in the order of the chats."""

    def __init__(self, shop: TinyShop) -> None:
        self.shop = shop

    async def says(self, who: str, text: str, **fields: str) -> list[tuple[str, str]]:
        before = len(self.shop.channel.sent)
        await self.shop.record(who, text, **fields)
        await self.shop.settled()
        return sorted((message.chat, message.body) for message in self.shop.channel.sent[before:])


@pytest.fixture
async def play(open_shop: OpenShop) -> Transcript:
    return Transcript(await open_shop())


async def test_a_question_is_answered_by_quoting_learnt_and_answered_by_the_bot_the_second_time(
    play: Transcript,
) -> None:
    shop = play.shop
    assert await play.says("budi", "kak jual sepatu roda merah?", name="Budi") == [
        (
            "budi",
            "Yang ini aku belum tahu pasti, Kak. Sudah kuteruskan ke admin, jawabannya menyusul di sini ya."
            + RIDER,
        ),
        (
            "owner",
            "🔔 *Butuh jawaban*: Budi (pelanggan 1)\n“kak jual sepatu roda merah?”\n"
            "Geser dan balas pesan ini, nanti kukirim ke Budi.",
        ),
    ]
    assert await play.says("owner", "Ada Kak, sepatu roda merah sisa dua.", quote=shop.last_id()) == [
        ("budi", "Ada Kak, sepatu roda merah sisa dua."),
        ("owner", "✅ Terkirim ke Budi."),
        (
            "owner",
            "💡 Kuingat untuk pelanggan lain juga?\n*T:* Jual sepatu roda merah?\n"
            "*J:* Ada Kak, sepatu roda merah sisa dua.\n"
            "Kalau cocok untuk semua pelanggan, balas *ya* untuk menyimpan.",
        ),
    ]
    assert await play.says("owner", "ya") == [
        ("owner", "✅ Tersimpan. Lain kali ada yang tanya begini, kujawab sendiri.")
    ]
    await ingest(shop.store, shop.settings.data_dir, shop.model.embedder)
    await shop.running.memory.catch_up()
    assert await play.says("siti", "jual sepatu roda merah kak?", name="Siti") == [
        ("siti", "Ada Kak, sepatu roda merah sisa dua." + RIDER)
    ]


async def test_a_price_is_changed_and_taken_back(play: Transcript) -> None:
    assert await play.says("owner", "harga ih20 285rb") == [
        (
            "owner",
            "✏️ *Internet 20 Mbps* (IH20)\nRp275.000 per bulan → *Rp285.000 per bulan*\n"
            "Balas *ya* kalau sudah benar, atau *tidak*.",
        )
    ]
    assert await play.says("owner", "ya") == [("owner", "✅ Sudah kuubah. Kalau keliru, ketik *batal*.")]
    assert await play.says("owner", "batal") == [
        ("owner", "↩️ Sudah kukembalikan seperti semula: harga IH20.")
    ]
    assert await play.says("owner", "batal") == [("owner", "Tidak ada perubahan yang bisa dibatalkan.")]
    assert await play.says("owner", "harga ih20 0") == [
        (
            "owner",
            "⚠️ Belum kuubah: harga 0 tidak bisa; kalau barangnya tidak dijual lagi, tulis *habis* dan "
            "kodenya.",
        )
    ]
    assert await play.says("owner", "harga ih20 285") == [
        (
            "owner",
            "✏️ *Internet 20 Mbps* (IH20)\nRp275.000 per bulan → *Rp285 per bulan*\n"
            "⚠️ Harganya kecil sekali. Apa maksudnya Rp285.000?\nBalas *ya* kalau sudah benar, atau *tidak*.",
        )
    ]
    assert await play.says("owner", "tidak") == [("owner", "Oke, tidak jadi kuubah.")]


async def test_apprenticeship(play: Transcript) -> None:
    shop = play.shop
    assert await play.says("owner", "magang") == [
        (
            "owner",
            "Oke, aku magang dulu: tiap jawaban kutunjukkan di sini. 👍 untuk mengirim, 👎 untuk membuang, "
            "atau geser dan tulis gantinya. Ketik *mulai* kalau aku boleh sendiri.",
        )
    ]
    assert await play.says("siti", "bisa cod ga kak?", name="Siti") == [
        (
            "owner",
            "✋ *Draf untuk* Siti (pelanggan 1)\n*T:* bisa cod ga kak?\n"
            "*J:* Bisa COD untuk daerah Klaten, Kak." + RIDER + "\n"
            "Geser dan balas: *kirim* (atau 👍), *buang* (atau 👎), atau tulis jawaban gantinya.",
        )
    ]
    assert await play.says("owner", "👍", kind="reaction", quote=shop.last_id()) == [
        ("owner", "✅ Terkirim."),
        ("siti", "Bisa COD untuk daerah Klaten, Kak." + RIDER),
    ]


async def test_the_customers_rights(play: Transcript) -> None:
    await play.says("budi", "halo", name="Budi")
    assert await play.says("budi", "ekspor data saya", name="Budi") == [
        ("budi", ""),
        ("budi", "Ini salinan data yang kami simpan, Kak."),
        ("owner", "📄 Budi (pelanggan 1) minta salinan datanya, dan sudah kukirim ke chatnya."),
    ]
    assert await play.says("budi", "hapus data saya", name="Budi") == [
        (
            "budi",
            "Semua chat dan data Kakak di sini akan dihapus dan tidak bisa dikembalikan, termasuk pertanyaan "
            "yang masih menunggu admin. Nota yang wajib disimpan menurut aturan pajak tetap ada.\n"
            "Kalau yakin, ketik: *ya, hapus data saya*",
        )
    ]
