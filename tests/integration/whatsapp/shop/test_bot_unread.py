"""Messages that can't be decrypted at first, or at all, on either side."""

from __future__ import annotations

import sqlite3

import pytest

from sandbox.whatsapp.binary import Node
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.queries import bundle_nodes
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


async def unreadable_answer(wa: WhatsAppServer, bot: WhatsAppBot) -> tuple[Customer, str]:
    """An answer that arrived, could not be read, and was not asked for yet; its customer and its code."""
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    budi.asks_again = False
    code = await ask(budi)
    # Before the bot can have answered.
    budi.forget_sessions()
    await bot.wait_until(lambda: bool(budi.undecryptable), "an answer that cannot be read")
    await bot.settled()
    return budi, code


async def test_an_answer_that_the_phone_cannot_read_is_sent_again(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    """While this process lives the library does that by itself."""
    budi, code = await unreadable_answer(wa, bot)
    budi.ask_now()
    await hears(budi, code)
    await bot.settled()
    assert heard(budi).count(code) == 1


async def test_an_answer_of_an_earlier_process_that_the_phone_cannot_read_is_sent_again_once(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi, code = await unreadable_answer(wa, bot)
    siti = await stranger(wa, name="Siti")
    await bot.kill()
    budi.ask_now()
    await bot.start()
    await bot.online()
    await hears(budi, code)
    # What comes after it is readable, and nothing comes twice.
    last = await ask(budi)
    await hears(budi, last)
    await hears(siti, await ask(siti))
    await bot.settled()
    assert heard(budi).count(code) == 1
    sent = bot.query("SELECT count(*) FROM outbox WHERE body LIKE ? AND state = 'done'", f"%{code}%")
    assert sent == [(1,)]


async def test_nobody_gets_what_was_sent_to_somebody_else_by_asking_for_it(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi, siti = await stranger(wa), await stranger(wa, name="Siti")
    code = await ask(budi)
    await hears(budi, code)
    await hears(siti, await ask(siti))
    await bot.settled()
    [(message_id,)] = bot.query("SELECT provider_id FROM outbox WHERE body LIKE ?", f"%{code}%")
    await bot.stop()
    await bot.start()
    await bot.online()
    for companion in wa.network.devices_of(wa.network.account):
        attributes = {"from": siti.jid, "id": message_id, "type": "retry", "t": "1"}
        retry = Node("retry", {"count": "1", "id": message_id, "t": "1", "v": "1"})
        registration, *_ = bundle_nodes(siti.bundle())
        companion.push(Node("receipt", attributes, [retry, registration]))
    await bot.wait_until(lambda: "sent_again" in bot.log.read_text(), "the receipt")
    await hears(siti, await ask(siti))
    await bot.settled()
    assert heard(budi) == [code]
    assert code not in heard(siti)
