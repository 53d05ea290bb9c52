"""WhatsApp turns a message down: parked for a while, or refused for good; the owner is told once."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import ask, heard, hears, parked, states, stranger
from tests.integration.whatsapp.shop.test_bot_room import notice
from tests.whatsapp_bot import ACCOUNT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM = "081377770008"
RESTRICTED = f"whatsapp_restricted:{ACCOUNT}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rina(wa: WhatsAppServer) -> Customer:
    """The owner, with her private phone."""
    return await wa.customer("62" + ROOM[1:], name="Bu Rina")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(make_bot: MakeBot, rina: Customer) -> AsyncIterator[WhatsAppBot]:
    """The file's bot, with a room."""
    bot = make_bot(RUANG_ADMIN=ROOM)
    async with bot:
        await bot.pair()
        yield bot


def is_on(bot: WhatsAppBot) -> bool:
    alert = bot.query("SELECT recovered_ms FROM alerts WHERE fingerprint = ?", RESTRICTED)
    return alert == [(None,)]


async def test_restricted_sends_are_parked_in_order_told_once_and_released_by_a_word(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer
) -> None:
    budi, siti = await stranger(wa), await stranger(wa, name="Siti")
    wa.nack(463)
    first = await ask(budi)
    await parked(bot, budi, 1)
    # The network would take this one; but it may not overtake the other, nor make things worse.
    second = await ask(budi)
    await parked(bot, budi, 2)
    wa.nack(463)
    third = await ask(siti)
    await parked(bot, siti, 1)
    told = await notice(rina, "membatasi nomor ini")
    assert "*lanjut*" in told.text
    # Chats that WhatsApp still allows go on.
    agus = await stranger(wa, name="Agus")
    await hears(agus, await ask(agus))
    assert budi.received == siti.received == []
    assert is_on(bot)
    await rina.send("lanjut")
    assert "3 pesan" in (await notice(rina, "kucoba kirim")).text
    await hears(budi, first, second)
    await hears(siti, third)
    await bot.settled()
    assert heard(budi) == [first, second]
    assert not is_on(bot)
    assert sum("membatasi" in received.text for received in rina.received) == 1


async def test_parked_sends_are_tried_again_when_their_time_has_come(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer
) -> None:
    budi = await stranger(wa)
    wa.nack(463)
    code = await ask(budi)
    await parked(bot, budi, 1)
    assert await bot.stop() == 0
    connection = sqlite3.connect(bot.state / "balas.db", timeout=10)
    connection.execute("UPDATE outbox SET due_ms = 0 WHERE state = 'parked'")
    connection.commit()
    connection.close()
    await bot.start()
    await hears(budi, code)
    await bot.settled()
    assert heard(budi) == [code]


async def test_the_owner_has_the_bot_ignore_one_chat_and_go_on_in_it(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer
) -> None:
    budi, siti = await stranger(wa), await stranger(wa, name="Siti")
    await hears(budi, await ask(budi))
    written = "0" + budi.user.jid.user[2:]
    await rina.send(f"abaikan {written}")
    await notice(rina, "tidak kujawab lagi")
    await ask(budi)
    await hears(siti, await ask(siti))
    await bot.settled()
    assert len(heard(budi)) == 1
    await rina.send(f"Lanjut {written[:4]}-{written[4:8]}-{written[8:]}")
    await notice(rina, "kujawab lagi mulai sekarang")
    await hears(budi, await ask(budi))


@pytest.mark.parametrize("code", [403, 420])
async def test_what_is_refused_for_good_is_not_tried_again_and_the_owner_is_told(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer, code: int
) -> None:
    budi = await stranger(wa)
    wa.nack(code)
    asked = await ask(budi)
    assert asked in (await notice(rina, "Gagal terkirim")).text
    assert states(bot, budi) == ["dead"]
    await hears(budi, await ask(budi))
    assert asked not in heard(budi)
