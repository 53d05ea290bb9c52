"""Messages that can't be decrypted at first, or at all, on either side."""

from __future__ import annotations

import sqlite3

import pytest

from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.echo_model import question
from tests.integration.whatsapp.shop.people import ask, heard, hears, hears_text, stranger
from tests.whatsapp_bot import WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLEASE = "Boleh dikirim ulang?"


def time_passes(bot: WhatsAppBot, column: str, *, seconds: int) -> None:
    """What the bot noted of messages that it could not read is so much older."""
    connection = sqlite3.connect(bot.state / "balas.db", timeout=10)
    try:
        connection.execute(f"UPDATE undecryptable SET {column} = {column} - ?", (seconds * 1000,))
        connection.commit()
    finally:
        connection.close()


async def noted(bot: WhatsAppBot, message_id: str) -> None:
    await bot.wait_until(
        lambda: bot.query("SELECT 1 FROM undecryptable WHERE message_id = ?", message_id) == [(1,)], "a note"
    )


async def unreadable(bot: WhatsAppBot, who: Customer) -> str:
    """He sends something that nobody can read, and his phone does not answer for it."""
    who.answers_retries = False
    message_id = await who.send(question()[1], damaged=True)
    await noted(bot, message_id)
    return message_id


async def test_a_message_that_is_readable_the_second_time_is_answered_once_and_nobody_is_asked(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)
    code, text = question()
    message_id = await budi.send(text, damaged=True)
    await hears(budi, code)
    assert budi.receipts[message_id].retries == 1
    time_passes(bot, "seen_ms", seconds=60)
    await bot.wait_until(lambda: bot.query("SELECT count(*) FROM undecryptable") == [(0,)], "tidiness")
    await bot.settled()
    assert heard(budi) == [code]
    assert len(budi.received) == 1


async def test_who_stays_unreadable_is_asked_to_send_again_once_an_hour(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi, siti = await stranger(wa), await stranger(wa, name="Siti")
    await unreadable(bot, budi)
    # Not before half a minute: most of these come right by themselves.
    await hears(siti, await ask(siti))
    assert budi.received == []
    time_passes(bot, "seen_ms", seconds=30)
    assert PLEASE in await hears_text(budi)
    await unreadable(bot, budi)
    await unreadable(bot, siti)
    time_passes(bot, "seen_ms", seconds=30)
    assert PLEASE in await hears_text(siti)
    await bot.settled()
    assert len(budi.received) == 1
    time_passes(bot, "asked_ms", seconds=3600)
    await unreadable(bot, budi)
    time_passes(bot, "seen_ms", seconds=30)
    assert PLEASE in await hears_text(budi)
    # What he then sends is answered like anything else.
    await hears(budi, await ask(budi))


async def test_nobody_is_asked_in_a_chat_that_a_person_has(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi, siti = await stranger(wa), await stranger(wa, name="Siti")
    await wa.owner.send(budi, "Sebentar ya Kak")
    await unreadable(bot, budi)
    await unreadable(bot, siti)
    time_passes(bot, "seen_ms", seconds=30)
    assert PLEASE in await hears_text(siti)
    await bot.settled()
    assert [received.text for received in budi.received] == ["Sebentar ya Kak"]


async def test_the_owners_words_silence_the_bot_though_it_cannot_read_them(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi, siti = await stranger(wa), await stranger(wa, name="Siti")
    await hears(budi, await ask(budi))
    wa.owner.answers_retries = False
    try:
        await wa.owner.send(budi, "Halo Kak, ini pemiliknya", damaged=True)
        await bot.wait_until(
            lambda: bot.query("SELECT 1 FROM customers WHERE silent_reason = 'human' AND name = 'Budi'"),
            "silence",
        )
    finally:
        wa.owner.answers_retries = True
    before = len(budi.received)
    await ask(budi)
    await hears(siti, await ask(siti))
    await bot.settled()
    assert len(budi.received) == before


async def test_an_answer_that_the_phone_cannot_read_is_sent_again(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    """While this process lives, that is: the library keeps what it sent in its memory alone."""
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    code = await ask(budi)
    # Before the bot can have answered.
    budi.forget_sessions()
    await hears(budi, code)
    assert budi.undecryptable
    await bot.settled()
    assert heard(budi).count(code) == 1
