"""Another process holds the database while customers write: the journal keeps what could not be committed."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from bot.whatsapp import journal
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.crashes import launcher
from tests.integration.whatsapp.shop.people import ask, heard, hears, stranger
from tests.whatsapp_bot import ACCOUNT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE = 5


@pytest_asyncio.fixture(loop_scope="module")
async def running(bot: WhatsAppBot) -> AsyncIterator[WhatsAppBot]:
    """The file's bot, running as the product has it; what a test left is over afterwards."""
    if bot.running.returncode is None:
        assert await bot.stop() == 0
    bot.launcher = launcher()
    await bot.start()
    await bot.online()
    # Its own start is over, too.
    await bot.wait_until(lambda: '"bot_started"' in bot.tail(5), "its start")
    yield bot
    if bot.running.returncode is None:
        await bot.kill()


@contextlib.contextmanager
def locked(bot: WhatsAppBot) -> Iterator[None]:
    """Nobody else can write to the shop's database."""
    connection = sqlite3.connect(bot.state / "balas.db", isolation_level=None, timeout=10)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


def kept(bot: WhatsAppBot) -> int:
    """How many messages are in the journal."""
    return len(journal.read((bot.state / f"{ACCOUNT}-whatsapp.journal").read_bytes())[0])


async def refused_while_asked(
    wa: WhatsAppServer, bot: WhatsAppBot, *, times: int = 1
) -> list[tuple[Customer, str]]:
    """Some customers ask, and the database refuses so many times at least."""
    refused = bot.log.read_text().count('"not_recorded"')
    asked = []
    for _ in range(PEOPLE):
        who = await stranger(wa)
        asked.append((who, await ask(who)))
    await bot.wait_until(lambda: bot.log.read_text().count('"not_recorded"') >= refused + times, "refusals")
    return asked


async def test_what_could_not_be_committed_for_seconds_is_answered_once(
    wa: WhatsAppServer, running: WhatsAppBot
) -> None:
    with locked(running):
        asked = await refused_while_asked(wa, running)
        await running.wait_until(lambda: kept(running) == PEOPLE, "the journal to have them all")
    for who, code in asked:
        await hears(who, code)
    await running.settled()
    assert [heard(who) for who, _ in asked] == [[code] for _, code in asked]
    await running.wait_until(lambda: kept(running) == 0, "an empty journal")
    # It is told, and over.
    [(told, over)] = running.query(
        "SELECT message, recovered_ms FROM alerts WHERE fingerprint = ?", f"messages_waited:{ACCOUNT}"
    )
    assert "took no messages for" in told
    assert over is not None


async def test_what_could_not_be_committed_outlives_the_process_and_a_torn_end(
    wa: WhatsAppServer, running: WhatsAppBot
) -> None:
    with locked(running):
        asked = await refused_while_asked(wa, running)
        await running.wait_until(lambda: kept(running) == PEOPLE, "the journal to have them all")
        await running.kill()
    with (running.state / f"{ACCOUNT}-whatsapp.journal").open("ab") as file:
        file.write(b"\0\0\1\0torn")
    await running.start()
    for who, code in asked:
        await hears(who, code)
    await running.settled()
    assert [heard(who) for who, _ in asked] == [[code] for _, code in asked]


async def test_without_a_second_try_the_refused_messages_are_found_to_be_lost(
    wa: WhatsAppServer, running: WhatsAppBot
) -> None:
    await running.stop()
    running.launcher = launcher("refused_events_dropped")
    await running.start()
    await running.online()
    await running.wait_until(lambda: '"bot_started"' in running.tail(5), "its start")
    with locked(running):
        # What the writer has begun with may land after all; what waits behind it may not.
        asked = await refused_while_asked(wa, running, times=2)
    later = await stranger(wa)
    await hears(later, await ask(later))
    await running.settled()
    assert any(heard(who) == [] for who, _ in asked)
