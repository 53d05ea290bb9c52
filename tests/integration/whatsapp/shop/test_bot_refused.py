"""WhatsApp turns the bot away: the state says so, nobody knocks on and on, and nothing is overwritten."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.exits import EXIT_AGAIN, EXIT_MISCONFIGURED
from sandbox.whatsapp.connection import Connection
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import ACCOUNT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

# As long as two attempts of somebody who does not wait would take.
NO_SECOND_ATTEMPT_S = 2.5


@pytest.fixture
def logins(wa: WhatsAppServer, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When clients came to the server, from now on."""
    times: list[float] = []
    arrived = wa.network.arrived

    def noted(connection: Connection, static: bytes, payload: bytes) -> None:
        times.append(time.monotonic())
        arrived(connection, static, payload)

    monkeypatch.setattr(wa.network, "arrived", noted)
    return times


@pytest_asyncio.fixture(loop_scope="module")
async def stopped(wa: WhatsAppServer, bot: WhatsAppBot) -> AsyncIterator[WhatsAppBot]:
    """The file's paired bot, not running; afterwards WhatsApp lets it in again."""
    if bot.running.returncode is None:
        assert await bot.stop() == 0
    yield bot
    if bot.running.returncode is None:
        await bot.kill()
    wa.accept()
    (bot.state / f"{ACCOUNT}-refusals.json").unlink(missing_ok=True)


async def works_again(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    """The session is still good."""
    wa.accept()
    async with bot:
        await bot.online()
        budi = await stranger(wa)
        await hears(budi, await ask(budi))


def alert(bot: WhatsAppBot) -> str:
    found = bot.query("SELECT message FROM alerts WHERE recovered_ms IS NULL")
    return str(found[0][0]) if found else ""


async def test_another_process_with_the_session_ends_this_one_for_a_person_to_look(
    wa: WhatsAppServer, stopped: WhatsAppBot
) -> None:
    await stopped.start()
    await stopped.online()
    wa.conflict("replaced")
    assert await stopped.ended() == EXIT_MISCONFIGURED
    assert "another process uses this session" in stopped.tail(1)
    assert alert(stopped).startswith("another process uses the shop's session")
    await works_again(wa, stopped)
    assert alert(stopped) == ""


async def test_an_outdated_library_ends_the_process_for_a_person_to_update(
    wa: WhatsAppServer, stopped: WhatsAppBot, logins: list[float]
) -> None:
    wa.refuse(405, times=None)
    await stopped.start()
    assert await stopped.ended() == EXIT_MISCONFIGURED
    assert len(logins) == 1
    assert "update" in alert(stopped)
    await works_again(wa, stopped)


async def test_a_ban_is_waited_out_and_then_a_new_process_tries(
    wa: WhatsAppServer, stopped: WhatsAppBot, logins: list[float]
) -> None:
    wa.refuse(402, times=None, code="101", expire="3600")
    await stopped.start()
    await stopped.wait_for_state("banned")
    standing = stopped.standing()
    assert standing["detail"] == "messages to too many people who don't know the number"
    assert 3500 < standing["until_ms"] / 1000 - time.time() <= 3600
    await asyncio.sleep(NO_SECOND_ATTEMPT_S)
    assert len(logins) == 1
    assert "keeps this number out" in alert(stopped)
    assert await stopped.stop() == 0, stopped.tail()
    await works_again(wa, stopped)


@pytest.mark.parametrize(
    ("reason", "attributes"), [(402, {"code": "999", "expire": "1"}), (418, {}), (400, {}), (429, {})]
)
async def test_a_refusal_that_nobody_knows_is_not_answered_by_knocking_again(
    wa: WhatsAppServer, stopped: WhatsAppBot, logins: list[float], reason: int, attributes: dict[str, str]
) -> None:
    wa.refuse(reason, times=None, **attributes)
    await stopped.start()
    await stopped.wait_until(lambda: len(logins) >= 1, "a login")
    refusals = stopped.state / f"{ACCOUNT}-refusals.json"
    await stopped.wait_until(refusals.exists, "a note of the refusal")
    await asyncio.sleep(NO_SECOND_ATTEMPT_S)
    assert len(logins) == 1
    assert stopped.running.returncode is None, stopped.tail()
    assert json.loads(refusals.read_bytes())["times"] == 1
    assert await stopped.stop() == 0, stopped.tail()
    await works_again(wa, stopped)
    assert not refusals.exists()


async def test_a_server_that_is_busy_is_tried_again_without_a_new_process(
    wa: WhatsAppServer, stopped: WhatsAppBot
) -> None:
    wa.refuse(503, times=1)
    await stopped.start()
    await stopped.online()
    budi = await stranger(wa)
    await hears(budi, await ask(budi))


async def test_a_session_that_the_phone_removed_is_not_used_again(
    wa: WhatsAppServer, stopped: WhatsAppBot
) -> None:
    wa.refuse(403)
    await stopped.start()
    assert await stopped.ended() == EXIT_AGAIN
    await stopped.start()
    await stopped.pair()
