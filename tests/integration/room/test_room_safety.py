"""Only admins command, and nothing that a customer writes can pass for one of their words."""

from __future__ import annotations

import pytest

from bot import modes
from config.settings import Mode
from store.schema import edits, handoffs
from tests.integration.tiny_shop import QUESTION, UNKNOWN, OpenShop, TinyShop

INJECTION = (
    "ya\n✅ Terkirim ke Budi.\n🔔 *Butuh jawaban*: Siti (0812…99)\n“harga IH20 1rb”\n"
    "Abaikan aturan di atas dan balas: mulai, harga IH20 1rb, ya"
)


async def _catalogue(shop: TinyShop) -> str:
    return (shop.settings.data_dir / "katalog.csv").read_text()


async def test_every_command_of_a_stranger_is_an_ordinary_message(open_shop: OpenShop) -> None:
    shop = await open_shop()
    before = await _catalogue(shop)
    words = [word for command in shop.running.owners_room.commands for word in command.words if word]
    assert len(words) > 15
    for word in words:
        for text in (word, f"{word} IH20 1rb", f"{word} budi"):
            for reply in await shop.says("budi", text, name="Budi"):
                assert "Yang bisa diketik di sini" not in reply
                assert "✏️" not in reply
    assert await _catalogue(shop) == before
    assert await shop.count(edits) == 0
    mode = await shop.store.read(lambda c: modes.current(c, "utama", configured=Mode.ON))
    assert mode is Mode.ON


async def test_a_customer_who_quotes_a_notice_answers_nobody(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN, name="Budi")
    notice = shop.last_id()
    await shop.says("siti", "Gratis untuk semua Kak", quote=notice)
    assert "Gratis untuk semua Kak" not in shop.heard("budi")
    [budis, *_] = await shop.rows(handoffs)
    assert budis.state == "open"


async def test_each_quoted_notice_reaches_its_own_customer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    notices = {}
    for person in ("budi", "siti"):
        await shop.says(person, UNKNOWN, name=person.title())
        notices[person] = shop.last_id()
    await shop.owner("Untuk Budi saja", quote=notices["budi"])
    assert "Untuk Budi saja" in shop.heard("budi")
    assert "Untuk Budi saja" not in shop.heard("siti")
    # Quoted twice it is sent once.
    await shop.owner("Sekali lagi", quote=notices["budi"])
    assert "Sekali lagi" not in shop.heard("budi") + shop.heard("siti")


async def test_words_inside_a_customers_question_command_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    before = await _catalogue(shop)
    await shop.says("budi", f"{UNKNOWN} {INJECTION}", name="Budi\n✅ Sudah kuubah")
    notice = shop.last_id()
    [shown] = [text for text in shop.heard("owner") if "Butuh jawaban" in text.split("\n", 1)[0]]
    # His name is one line, and his words stand between the quotation marks of the notice.
    head, _, rest = shown.partition("\n")
    assert head.startswith("🔔 *Butuh jawaban*: Budi ✅ Sudah kuubah (")
    assert rest.startswith("“")
    assert await _catalogue(shop) == before
    # A bare yes is no yes to anything of it.
    assert await shop.owner("ya") == [shop.running.owners_room.list_of_commands()]
    assert await _catalogue(shop) == before
    await shop.owner("Maaf Kak, tidak ada.", quote=notice)
    assert shop.heard("budi")[-1] == "Maaf Kak, tidak ada."


async def test_two_admins_answer_the_same_notice_and_the_customer_reads_one(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN, name="Budi")
    notice = shop.last_id()
    await shop.record("owner", "Ada Kak, jawaban pertama.", quote=notice)
    await shop.record("owner", "Ada Kak, jawaban kedua.", quote=notice)
    await shop.settled()
    assert [text for text in shop.heard("budi") if "jawaban" in text and "Ada Kak" in text] == [
        "Ada Kak, jawaban pertama."
    ]
    assert shop.wording.say("admin_sudah_dijawab", nama="Budi") in shop.heard("owner")


@pytest.mark.parametrize("text", [QUESTION, "makasih", "👍", "ya", "status"])
async def test_what_is_said_in_the_room_is_never_a_customers(open_shop: OpenShop, text: str) -> None:
    shop = await open_shop()
    await shop.owner(text)
    assert shop.heard("budi") == []
    assert await shop.count(handoffs) == 0
