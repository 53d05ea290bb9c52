"""kill -9 in the middle, on the real library: nothing committed is lost, nothing is doubled without excuse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.crashes import (
    STEPS,
    Town,
    killed_at_random,
    killed_at_steps,
    opened,
    sent_again,
)
from tests.integration.whatsapp.shop.echo_model import EchoModel
from tests.whatsapp_bot import WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

Report = Callable[[str], None]
# 20 to 60 ms an answer: there is always work in hand when the bot dies.
LATENCY_MS_PER_TOKEN = 0.8
# One message is in the callback, and what came in the same instant waits in Go's channel behind it.
MOST_IN_THE_WINDOW_PER_KILL = 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[EchoModel]:
    async with EchoModel(latency_ms_per_token=LATENCY_MS_PER_TOKEN) as running:
        yield running


@pytest.fixture
def open_town(wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int) -> Callable[..., object]:
    async def open_it(**wanted: object) -> Town:
        return await opened(wa, stopped, ingested, seed=seed, **wanted)  # type: ignore[arg-type]  # checked there.

    return open_it


@pytest_asyncio.fixture(loop_scope="module")
async def stopped(bot: WhatsAppBot) -> AsyncIterator[WhatsAppBot]:
    """The file's paired bot, not running."""
    if bot.running.returncode is None:
        assert await bot.stop() == 0
    yield bot
    if bot.running.returncode is None:
        await bot.kill()


async def test_deaths_at_random_moments_lose_nothing_committed(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int, report: Report
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed)
    await killed_at_random(town, rounds=15)
    verdict = town.verdict()
    report(town.told(seed, verdict))
    assert verdict.faults == {}, town.told(seed, verdict)
    assert town.kills_with_work >= 0.8 * town.kills, town.told(seed, verdict)
    assert len(verdict.window) <= MOST_IN_THE_WINDOW_PER_KILL * town.kills
