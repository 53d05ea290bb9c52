"""Guarantee 20: whatever throws the bot out is told once, and neither hurried nor papered over."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bot.exits import EXIT_AGAIN, EXIT_MISCONFIGURED
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.crashes import launcher
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import ACCOUNT, PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Longer than whatsmeow's own pauses between attempts.
A_WHILE_S = 5.0
# A mutant is given so long to do the right thing.
MUTANT_PATIENCE_S = 6.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to be thrown out: what happens, and what must be said and done about it."""

    name: str
    happens: Callable[[WhatsAppServer, WhatsAppBot], Awaitable[None]]
    state: str
    advice: str
    exit_code: int | None  # None: the process goes on and waits
    mutant: str
    comes_back: bool = True  # with the very same session, once the cause is gone

    def __str__(self) -> str:
        return self.name


async def damaged(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    assert await bot.stop() == 0
    data = bytearray(bot.session.read_bytes())
    data[:64] = os.urandom(64)
    bot.session.write_bytes(data)
    for path in bot.state.glob(f"{ACCOUNT}-whatsapp.db-*"):
        path.unlink()
    await bot.start()


async def logged_out(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    await wa.owner.logout_companion()


async def replaced(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    wa.conflict("replaced")


def refused(reason: int, **attributes: str) -> Callable[[WhatsAppServer, WhatsAppBot], Awaitable[None]]:
    async def happen(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
        wa.refuse(reason, times=None, **attributes)
        await wa.drop()

    return happen


EVENTS = "thrown_out_unnoticed"
CASES = (
    Case(
        name="damaged session",
        happens=damaged,
        state="unusable",
        advice="is damaged",
        exit_code=EXIT_MISCONFIGURED,
        mutant="sessions_unlooked",
        comes_back=False,
    ),
    Case(
        name="logged out on the phone",
        happens=logged_out,
        state="logged_out",
        advice="scan the new code",
        exit_code=EXIT_AGAIN,
        mutant=EVENTS,
        comes_back=False,
    ),
    Case(
        name="the phone itself is gone",
        happens=refused(403),
        state="logged_out",
        advice="scan the new code",
        exit_code=EXIT_AGAIN,
        mutant=EVENTS,
        comes_back=False,
    ),
    Case(
        name="temporary ban",
        happens=refused(402, code="101", expire="3600"),
        state="banned",
        advice="wait, and send less",
        exit_code=None,
        mutant=EVENTS,
    ),
    Case(
        name="replaced by another process",
        happens=replaced,
        state="replaced",
        advice="stop one of the two",
        exit_code=EXIT_MISCONFIGURED,
        mutant=EVENTS,
    ),
    Case(
        name="outdated library",
        happens=refused(405),
        state="outdated",
        advice="update Balas",
        exit_code=EXIT_MISCONFIGURED,
        mutant=EVENTS,
    ),
)


async def verdict(wa: WhatsAppServer, bot: WhatsAppBot, case: Case, *, patience_s: float) -> dict[str, Any]:
    """What speaks against the bot after this happened to it."""
    await case.happens(wa, bot)
    before = hashlib.sha256(bot.session.read_bytes()).hexdigest()
    if not await _said(bot, case, patience_s):
        return {"state": bot.standing(), "exit": bot.running.returncode}
    faults: dict[str, Any] = {}
    logins = wa.logins
    await asyncio.sleep(A_WHILE_S)
    if wa.logins != logins:
        faults["attempts"] = wa.logins - logins
    if (code := bot.running.returncode) != case.exit_code:
        faults["exit"] = code
    alerts = bot.query("SELECT message, count, recovered_ms FROM alerts WHERE fingerprint LIKE 'whatsapp%'")
    if len(alerts) != 1 or case.advice not in alerts[0][0] or alerts[0][1:] != (1, None):
        faults["alerts"] = alerts
    if case.state == "unusable" and hashlib.sha256(bot.session.read_bytes()).hexdigest() != before:
        faults["overwritten"] = True
    return faults


async def _said(bot: WhatsAppBot, case: Case, patience_s: float) -> bool:
    """Whether the state is the case's, and the process has ended if it should, in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            if case.exit_code is not None:
                await bot.running.wait()
            while bot.standing().get("state") != case.state:  # noqa: ASYNC110 - another process sets no event.
                await asyncio.sleep(0.05)
            return True
    return False


def identity(bot: WhatsAppBot) -> list[tuple[Any, ...]]:
    """As which device the session file is linked."""
    connection = sqlite3.connect(f"file:{bot.session}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT jid, noise_key FROM whatsmeow_device").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_whatever_throws_the_bot_out_is_told_once_and_neither_hurried_nor_papered_over(
    wa: WhatsAppServer, make_bot: MakeBot, case: Case
) -> None:
    bot = make_bot()
    await bot.start()
    try:
        await bot.pair()
        linked = identity(bot)
        assert await verdict(wa, bot, case, patience_s=PATIENCE_S) == {}
        wa.accept()
        if bot.running.returncode is None:
            assert await bot.stop() == 0
            # Why nobody is answered outlives the process.
            assert bot.standing()["state"] == case.state
        if not case.comes_back:
            return
        assert identity(bot) == linked
        await bot.start()
        await bot.online()
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
        # It is over, and that is known too.
        over = "SELECT recovered_ms IS NOT NULL FROM alerts WHERE fingerprint LIKE 'whatsapp%'"
        await bot.wait_until(lambda: bot.query(over) == [(1,)], "the end of the alert")
        assert await bot.stop() == 0
    finally:
        wa.accept()
        await bot.kill()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_without_its_guard_each_of_these_is_found_to_go_wrong(
    wa: WhatsAppServer, make_bot: MakeBot, case: Case
) -> None:
    bot = make_bot()
    bot.launcher = launcher(case.mutant)
    await bot.start()
    try:
        await bot.pair()
        assert await verdict(wa, bot, case, patience_s=MUTANT_PATIENCE_S) != {}
    finally:
        wa.accept()
        await bot.kill()
