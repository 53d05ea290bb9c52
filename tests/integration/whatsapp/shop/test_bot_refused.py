"""WhatsApp does not let the bot in, or throws it out: a clear state, the right exit code, and no storm."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from bot.exits import EXIT_MISCONFIGURED
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import ACCOUNT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Longer than whatsmeow's own pauses between attempts.
A_WHILE_S = 6.0


def alerts(bot: WhatsAppBot) -> list[tuple[str, bool]]:
    """The channel's alerts, and whether each is over."""
    rows = bot.query("SELECT message, recovered_ms FROM alerts WHERE fingerprint = ?", f"whatsapp:{ACCOUNT}")
    return [(message, recovered is not None) for message, recovered in rows]


async def refused_within(wa: WhatsAppServer, seconds: float) -> int:
    """How often the bot tries in vain meanwhile."""
    before = wa.faults.refused
    await asyncio.sleep(seconds)
    return wa.faults.refused - before


async def test_another_process_with_the_session_ends_this_one_for_good(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    wa.conflict("replaced")
    assert await bot.ended() == EXIT_MISCONFIGURED
    # Why nobody is answered is still to be read when the process is gone.
    assert bot.standing()["state"] == "replaced"
    assert "another process uses the shop's session" in alerts(bot)[0][0]
    # A person started it again: all is well.
    await bot.start()
    await bot.online()
    assert [over for _, over in alerts(bot)] == [True]


async def test_a_temporary_ban_is_waited_out_in_one_process(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    wa.refuse(402, times=None, code="104", expire="3600")
    await wa.drop()
    await bot.wait_for_state("banned")
    standing = bot.standing()
    assert 3500 < standing["until_ms"] / 1000 - time.time() <= 3600
    assert standing["detail"] == "the same message sent too often"
    assert await refused_within(wa, A_WHILE_S) == 0
    assert await bot.stop() == 0
    wa.accept()
    await bot.start()
    await bot.online()


async def test_a_ban_with_a_reason_that_is_new_is_a_ban_all_the_same(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    wa.refuse(402, times=None, code="199", expire="3600")
    await wa.drop()
    await bot.wait_for_state("banned")
    assert await refused_within(wa, A_WHILE_S) == 0
    assert await bot.stop() == 0
    wa.accept()
    await bot.start()
    await bot.online()


async def test_an_outdated_library_is_a_persons_affair(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    wa.refuse(405, times=None)
    await wa.drop()
    assert await bot.ended() == EXIT_MISCONFIGURED
    assert "update Balas" in alerts(bot)[0][0]
    wa.accept()
    await bot.start()
    await bot.online()


@pytest.mark.parametrize("reason", [400, 429])
async def test_a_refusal_without_a_known_cure_is_not_hurried(
    wa: WhatsAppServer, bot: WhatsAppBot, reason: int
) -> None:
    wa.refuse(reason, times=None)
    await wa.drop()
    await bot.wait_until(
        lambda: "ConnectFailure" in str(bot.standing()) or "refuses" in str(bot.standing()), "it"
    )
    assert await refused_within(wa, A_WHILE_S) == 0
    assert bot.standing()["state"] == "connecting"
    assert await bot.stop() == 0
    # A new process remembers, and would wait longer; a login makes it forget.
    refusals = bot.state / f"{ACCOUNT}-refusals.json"
    assert json.loads(refusals.read_bytes())["times"] == 1
    wa.accept()
    await bot.start()
    await bot.online()
    assert not refusals.exists()


@pytest.mark.parametrize("reason", [500, 503])
async def test_a_server_that_is_busy_is_asked_again_by_itself(
    wa: WhatsAppServer, bot: WhatsAppBot, reason: int
) -> None:
    wa.refuse(reason, times=1)
    await wa.drop()
    await bot.wait_for_state("connecting")
    await bot.online()
    budi = await stranger(wa)
    await hears(budi, await ask(budi))


async def test_a_silent_server_does_not_keep_the_process_from_ending(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    wa.freeze()
    await ask(budi)
    wa.thaw()
    wa.swallow_acks(1)
    await ask(budi)
    await bot.wait_until(
        lambda: bot.query("SELECT count(*) FROM outbox WHERE state = 'claimed'")[0][0] > 0, "a send under way"
    )
    began = time.monotonic()
    assert await bot.stop() == 0
    # DRAIN_S is 5; whatsmeow itself would wait 75 s for the acknowledgement.
    assert time.monotonic() - began < 30
    await bot.start()
    await bot.online()


async def test_a_server_that_stands_still_with_a_send_under_way_does_not_keep_the_process_from_ending(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    people = [await stranger(wa) for _ in range(4)]
    wa.swallow_acks(len(people))
    for who in people:
        await ask(who)
    hanging = "SELECT count(*) FROM outbox WHERE state = 'claimed'"
    await bot.wait_until(lambda: bot.query(hanging)[0][0] > 0, "a send that hangs inside Go")
    # From here on not even the closing of the socket is answered.
    wa.freeze()
    assert await bot.stop() == 0
    assert bot.standing()["state"] == "stopped"
    wa.thaw()
    wa.swallow_acks(0)
    await bot.start()
    await bot.online()
    for who in people:
        await hears(who, await ask(who))
