"""Somebody types on the shop's own phone: while an answer is made, before it is sent, and for long after."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from sandbox.openai import wire
from sandbox.openai.conversation import Conversation
from sandbox.whatsapp import contents
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.echo_model import EchoModel, question
from tests.integration.whatsapp.shop.people import ask, heard, hears, stranger, taken
from tests.integration.whatsapp.shop.test_bot_posts import prompts
from tests.integration.whatsapp.shop.test_bot_room import notice
from tests.whatsapp_bot import PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM = "081377770022"
GREETING = "Selamat datang di Toko Uji! Pesan Anda segera kami balas."
# Later than any machine greets, by WhatsApp's own clock.
AS_A_PERSON_S = 6


class HeldModel(EchoModel):
    """A model that can be kept from answering."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def hold(self) -> None:
        self.asked.clear()
        self.may_answer.clear()

    async def _produced(
        self, conversation: Conversation, wanted: wire.Wanted
    ) -> wire.Produced | web.Response:
        self.asked.set()
        await self.may_answer.wait()
        return await super()._produced(conversation, wanted)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[HeldModel]:
    async with HeldModel() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rina(wa: WhatsAppServer) -> Customer:
    """The owner, with her private phone."""
    return await wa.customer("62" + ROOM[1:], name="Bu Rina")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(make_bot: MakeBot, rina: Customer) -> AsyncIterator[WhatsAppBot]:
    """The file's bot, with a room; it tries a send as often as a test needs."""
    bot = make_bot(RUANG_ADMIN=ROOM, SEND_ATTEMPTS="20")
    async with bot:
        await bot.pair()
        yield bot


async def known(wa: WhatsAppServer) -> Customer:
    """A customer who was greeted already."""
    customer = await stranger(wa)
    await hears(customer, await ask(customer))
    return customer


async def types(wa: WhatsAppServer, bot: WhatsAppBot, who: Customer, words: str) -> None:
    """A person writes into the chat from the shop's phone, and the bot has heard it.

    In each chat something else: the same words in a third one are a machine's.
    """
    await taken(bot, await wa.owner.send(who, words, sent_s=int(time.time()) + AS_A_PERSON_S))


def customer_row(bot: WhatsAppBot, who: Customer, columns: str) -> tuple[object, ...]:
    return bot.query(
        f"SELECT {columns} FROM customers WHERE id = (SELECT customer_id FROM aliases WHERE user = ?)",
        who.user.lid.user,
    )[0]


def turns_of(bot: WhatsAppBot, who: Customer) -> list[tuple[str, str, str]]:
    """What was asked, what was replied, and by whom."""
    found = bot.query(
        "SELECT asked, replied, author FROM turns"
        " WHERE customer_id = (SELECT customer_id FROM aliases WHERE user = ?) ORDER BY id",
        who.user.lid.user,
    )
    return [(asked, replied, author) for asked, replied, author in found]


async def test_an_answer_is_dropped_when_a_person_types_while_it_is_made(
    wa: WhatsAppServer, bot: WhatsAppBot, model: HeldModel
) -> None:
    budi, siti = await known(wa), await known(wa)
    model.hold()
    try:
        code, text = question()
        await budi.send(text)
        await asyncio.wait_for(model.asked.wait(), PATIENCE_S)
        await types(wa, bot, budi, "Bentar ya Kak, aku cek dulu")
    finally:
        model.may_answer.set()
    await hears(siti, await ask(siti))
    await bot.settled()
    assert code not in heard(budi)
    assert turns_of(bot, budi)[1:] == [
        ("", "Bentar ya Kak, aku cek dulu", "human"),
        (text, "", "none"),
    ]
    assert customer_row(bot, budi, "silent_reason") == ("human",)


async def test_an_answer_is_dropped_when_a_person_types_before_it_is_sent(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await known(wa)
    tried = "SELECT state FROM outbox WHERE chat = ? AND attempts > 0 AND error IS NOT NULL"
    # The server stumbles over it until the person has spoken.
    wa.nack(500, times=1_000)
    try:
        code = await ask(budi)
        await bot.wait_until(lambda: bool(bot.query(tried, str(budi.jid))), "a first attempt")
        await types(wa, bot, budi, "Sebentar Kak, kutanyakan gudang")
    finally:
        wa.faults.nack = None
    states = "SELECT state FROM outbox WHERE chat = ? ORDER BY id"
    await bot.wait_until(
        lambda: bot.query(states, str(budi.jid)) == [("done",), ("dropped",)], "what became of it"
    )
    assert code not in heard(budi)
    siti = await stranger(wa)
    await hears(siti, await ask(siti))


async def test_the_greeting_of_whatsapp_business_is_no_person_and_the_owner_is_told_once(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer
) -> None:
    people = [await known(wa) for _ in range(2)]
    for who in people:
        now_s = int(time.time())
        code, text = question()
        await who.send_dated(contents.text(text), now_s)
        await wa.owner.send(who, GREETING, sent_s=now_s + 2)
        await hears(who, code)
        await bot.wait_until(
            lambda who=who: ("", GREETING, "auto") in turns_of(bot, who), "the greeting in the history"
        )
        assert customer_row(bot, who, "silent_until_ms, human_ms") == (None, None)
        await hears(who, await ask(who))
    assert GREETING in (await notice(rina, "WhatsApp Business")).text
    await bot.settled()
    assert sum("WhatsApp Business" in received.text for received in rina.received) == 1


async def test_the_owner_hears_once_of_who_waits_for_twenty_minutes_in_a_chat_that_a_person_has(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer
) -> None:
    budi = await known(wa)
    await types(wa, bot, budi, "Oke Kak, nanti kukabari")
    asked = "jadi gimana kak, masih ada?"
    await budi.send(asked)
    await bot.wait_until(lambda: turns_of(bot, budi)[-1] == (asked, "", "none"), "the question")
    await lives_on(bot, budi, minutes=21)
    waiting = await notice(rina, "Masih menunggu")
    assert asked in waiting.text
    await lives_on(bot, budi, minutes=30)
    await rina.send("status")
    await notice(rina, "Hari ini")
    assert sum("Masih menunggu" in received.text for received in rina.received) == 1
    # Quoting it answers him, though the bot itself is silent there.
    await rina.send(contents.reply("Masih Kak", to=waiting))
    while (await budi.receive(PATIENCE_S)).text != "Masih Kak":
        pass


async def lives_on(bot: WhatsAppBot, who: Customer, *, minutes: int) -> None:
    """Another life of the bot, for which he wrote so much earlier; a start looks who waits."""
    assert await bot.stop() == 0
    connection = sqlite3.connect(bot.state / "balas.db", timeout=10)
    earlier = (
        "UPDATE turns SET created_ms = created_ms - ?"
        " WHERE customer_id = (SELECT customer_id FROM aliases WHERE user = ?)"
    )
    connection.execute(earlier, (minutes * 60_000, who.user.lid.user))
    connection.commit()
    connection.close()
    await bot.start()
    await bot.online()


async def test_what_a_person_edits_and_deletes_of_the_bots_answers_is_what_it_remembers(
    wa: WhatsAppServer, bot: WhatsAppBot, model: HeldModel
) -> None:
    budi = await stranger(wa)
    first, asked_first = question()
    await budi.send(asked_first)
    await hears(budi, first)
    introduced = budi.received[-1]
    assert "privasi" in introduced.text
    second, asked_second = question()
    await budi.send(asked_second)
    await hears(budi, second)
    mistaken = budi.received[-1]
    assert [replied for _, replied, _ in turns_of(bot, budi)] == [f"Bisa Kak: {first}", f"Bisa Kak: {second}"]

    corrected = introduced.text.replace(f"Bisa Kak: {first}", "Khusus Klaten ya Kak")
    await wa.owner.send(budi, contents.edit(introduced.id, corrected, chat=budi.jid))
    await wa.owner.send(budi, contents.revocation(mistaken.id, chat=budi.jid))
    await bot.wait_until(
        lambda: (
            turns_of(bot, budi)
            == [(asked_first, "Khusus Klaten ya Kak", "human"), (asked_second, "", "none")]
        ),
        "the history",
    )
    # Nobody took the chat over by it; and the model reads what the customer reads.
    model.control(record=True)
    model.reset_requests()
    third = await ask(budi)
    await hears(budi, third)
    told = prompts(model)
    model.control(record=False)
    model.reset_requests()
    assert "Khusus Klaten ya Kak" in told
    assert f"Bisa Kak: {first}" not in told
    assert f"Bisa Kak: {second}" not in told
    # Nor does its text go out again, should the phone ask for it.
    assert bot.query("SELECT body, state FROM outbox WHERE provider_id = ?", mistaken.id) == [("", "dropped")]
