"""Golden transcripts: what the owner and his customers really read, line by line."""

from __future__ import annotations

import pytest

from rag.ingest import ingest
from store.schema import handoffs as handoff_rows
from tests.integration.room.test_room_past import Kept, look, told
from tests.integration.room.transcript import RIDER, Transcript
from tests.integration.tiny_shop import UNKNOWN, OpenShop, age


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
            "⚠️ Harganya kok kecil sekali. Maksudnya Rp285.000?\nBalas *ya* kalau sudah benar, atau *tidak*.",
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
        ("budi", "Ini salinan data yang kami simpan, Kak."),
        ("budi", "[document: data-saya.txt]"),
        ("owner", "📄 Budi (pelanggan 1) minta salinan datanya, dan sudah kukirim ke chatnya."),
    ]
    assert await play.says("budi", "hapus data saya", name="Budi") == [
        (
            "budi",
            "Semua chat dan data Kakak di sini akan dihapus dan tidak bisa dikembalikan, termasuk pertanyaan "
            "yang masih menunggu admin. Invoice yang wajib disimpan menurut aturan pajak tetap ada.\n"
            "Kalau yakin, ketik: *ya, hapus data saya*",
        )
    ]


async def test_pictures_as_an_answer(play: Transcript) -> None:
    shop = play.shop
    await play.says("budi", UNKNOWN, name="Budi")
    notice = shop.last_id(containing="Butuh jawaban")
    picture = {"kind": "image", "file": {"mimetype": "image/jpeg", "filename": "", "size_bytes": 3}}
    for name in ("satu", "dua"):
        shop.channel.files[name] = name.encode()
    assert await play.says(
        "owner", "Ada Kak, ini pilihannya", message_id="satu", quote=notice, **picture
    ) == [
        ("budi", "[image: foto.jpg] Ada Kak, ini pilihannya"),
        ("owner", "✅ Terkirim ke Budi."),
    ]
    # The rest of the album quotes nothing.
    assert await play.says("owner", "", message_id="dua", **picture) == [
        ("budi", "[image: foto.jpg]"),
        ("owner", "✅ Terkirim ke Budi."),
    ]
    location = {"kind": "location", "quote": notice}
    assert await play.says("owner", "", **location) == [
        (
            "owner",
            "Yang itu belum bisa kuteruskan, jadi tidak ada yang kukirim. Balas lagi dengan tulisan, atau "
            "kirim langsung di chatnya ya.",
        )
    ]
    assert await play.says("owner", "yang merah tinggal satu ya", quote=notice) == [
        (
            "owner",
            "Budi sudah dijawab tadi, jadi yang ini tidak kukirim. Kalau masih ada yang kurang, langsung "
            "chat saja ya.",
        )
    ]


async def test_what_waits_for_an_answer_is_listed(play: Transcript) -> None:
    assert await play.says("owner", "daftar") == [
        ("owner", "Semua sudah terjawab, tidak ada yang menunggu 👍")
    ]
    await play.says("budi", UNKNOWN, name="Budi")
    await age(play.shop.store, handoff_rows, "created_ms", by_ms=12 * 60_000)
    assert await play.says("owner", "daftar") == [
        (
            "owner",
            f"🔔 *1 pertanyaan menunggu jawaban*\n• Budi (pelanggan 1), 12 menit: {UNKNOWN}\n"
            "Geser dan balas pesan 🔔-nya, atau langsung chat orangnya.",
        )
    ]
    assert await play.says("owner", "belajar") == [
        (
            "owner",
            f"📚 *Ditanya 30 hari terakhir, tapi aku belum tahu:*\n1x {UNKNOWN}\n"
            "Balas pesan 🔔-nya, atau tambahkan jawabannya ke FAQ.",
        )
    ]


async def test_old_chats_are_offered_as_faq(play: Transcript) -> None:
    shop = play.shop
    talk = await told(shop, Kept())
    assert await look(shop, talk) == [
        "📚 *Boleh kubaca chat lama?*\n"
        "HP toko ikut mengirim chat dari sebelum aku dipasang. Kalau boleh, kucari pertanyaan yang paling "
        "sering di 90 hari terakhir, lengkap dengan jawaban dari toko; nanti tinggal dipilih mana yang "
        "kuingat.\n"
        "Kubaca di komputer ini saja, tidak dikirim ke mana-mana, dan kuhapus setelah 30 hari. Balas *ya* "
        "atau *tidak*."
    ]
    assert await play.says("owner", "ya") == [("owner", "Siap, kucari dulu ya.")]
    assert await look(shop, talk) == [
        "💡 *1/2*, ditanya 3 pelanggan\n*T:* Bisa pasang di solo?\n*J:* Bisa Kak, Solo Raya",
        "💡 *2/2*, ditanya 2 pelanggan\n*T:* Garansi router brp lama?\n*J:* Setahun Kak, dari tanggal beli",
        "☝️ Itu 2 pertanyaan yang paling sering, dengan jawaban dari toko.\n"
        "Geser dan balas *ya* (atau 👍) untuk yang cocok, atau ketik *ya semua* kalau semuanya cocok.",
    ]
    assert await play.says("owner", "ya", quote=shop.last_id(containing="Solo Raya")) == [
        ("owner", "✅ Tersimpan. Lain kali ada yang tanya begini, kujawab sendiri.")
    ]
    assert await play.says("owner", "ya semua") == [
        ("owner", "✅ 1 jawaban kuingat. Kalau keliru, ketik *batal*.")
    ]
    assert await play.says("owner", "batal") == [
        ("owner", "↩️ Sudah kukembalikan seperti semula: FAQ yang baru disimpan.")
    ]
