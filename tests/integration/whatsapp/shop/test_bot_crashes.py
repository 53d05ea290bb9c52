"""kill -9 in the middle, on the real library: nothing committed is lost, nothing is doubled without need."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.crashes import (
    STEPS,
    killed_at_random,
    killed_at_steps,
    opened,
    sent_again,
)
from tests.integration.whatsapp.shop.echo_model import EchoModel
from tests.tally import Tally
from tests.whatsapp_bot import WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

Report = Callable[[str], None]
Tallies = Callable[[Tally], None]
# 20 to 60 ms an answer: there is always work in hand when the bot dies.
LATENCY_MS_PER_TOKEN = 0.8
# One message is in the callback, and what came in the same instant waits in Go's memory behind it: seen 0.
MOST_IN_THE_WINDOW_PER_KILL = 5
# While 120 messages arrive at once and the bot imports its libraries: of 80, 0 to 10 were seen, and 29 to 71
# without the journal.
MOST_IN_A_BACKLOG_PER_KILL = 20


TORTURE_ROUNDS = int(os.environ.get("BALAS_ROUNDS", "200"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[EchoModel]:
    async with EchoModel(latency_ms_per_token=LATENCY_MS_PER_TOKEN) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def stopped(bot: WhatsAppBot) -> AsyncIterator[WhatsAppBot]:
    """The file's paired bot, not running."""
    if bot.running.returncode is None:
        assert await bot.stop() == 0
    yield bot
    if bot.running.returncode is None:
        await bot.kill()


async def test_deaths_at_random_moments_lose_nothing_committed(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int, report: Report, tally: Tallies
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed)
    await killed_at_random(town, rounds=15)
    verdict = town.verdict()
    report(town.told(seed, verdict))
    tally(town.tally(seed, verdict))
    assert verdict.faults == {}, town.told(seed, verdict)
    assert town.kills_with_work >= 0.8 * town.kills, town.told(seed, verdict)
    assert len(verdict.window) <= MOST_IN_THE_WINDOW_PER_KILL * town.kills


@pytest.mark.torture
async def test_many_deaths_lose_nothing_committed(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int, report: Report, tally: Tallies
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, people=40)
    await killed_at_random(town, rounds=TORTURE_ROUNDS)
    verdict = town.verdict()
    report(town.told(seed, verdict))
    tally(town.tally(seed, verdict))
    assert verdict.faults == {}, town.told(seed, verdict)
    assert len(verdict.window) <= MOST_IN_THE_WINDOW_PER_KILL * town.kills


async def test_a_death_at_every_step_of_a_message_loses_nothing_and_repeats_little(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int, report: Report, tally: Tallies
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, people=4)
    await killed_at_steps(town, STEPS)
    verdict = town.verdict()
    report(town.told(seed, verdict))
    tally(town.tally(seed, verdict))
    assert verdict.faults == {}, town.told(seed, verdict)
    assert town.kills == len(STEPS)


async def test_a_message_sent_again_and_again_is_answered_once_across_a_death(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, people=4)
    await sent_again(town)
    verdict = town.verdict()
    assert verdict.faults == {}, town.told(seed, verdict)
    assert verdict.answered == len(town.said)


@pytest.fixture
def moody(model: EchoModel) -> Iterator[None]:
    """Some answers take long, some none: whoever works on two of a chat at once mixes them up."""
    model.control(mode="slow", rate=0.4, delay_s=0.25, seed=5)
    yield
    model.control(mode="ok")


@pytest.mark.usefixtures("moody")
async def test_a_moody_model_does_not_mix_up_the_order(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, people=5)
    await killed_at_random(town, rounds=1)
    verdict = town.verdict()
    assert verdict.faults == {}, town.told(seed, verdict)


# --- mutants: the same scenarios must find each guard's absence ---------------------------------------------


async def test_without_lanes_the_order_is_found_to_be_mixed_up(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int, moody: None
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, people=5, mutant="lanes_without_order")
    await killed_at_random(town, rounds=1, mutant="lanes_without_order")
    verdict = town.verdict()
    assert verdict.disordered, town.told(seed, verdict)


@pytest.mark.parametrize("mutant", ["", "recorded_inside_the_callback"])
async def test_a_death_in_a_backlog_loses_little_and_much_without_the_journal(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int, report: Report, mutant: str
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, mutant=mutant)
    await killed_at_steps(town, ["before:store.inbox.record:40"] * 2, per_step=120, mutant=mutant)
    verdict = town.verdict()
    report(town.told(seed, verdict))
    most = MOST_IN_A_BACKLOG_PER_KILL * town.kills
    assert (len(verdict.window) > most) == bool(mutant), town.told(seed, verdict)


@pytest.mark.parametrize(
    ("mutant", "steps", "fault"),
    [
        ("journal_in_memory", ["after:bot.whatsapp.journal.Journal.keep:2"], "window"),
        ("claims_left_behind", ["after:rag.model.ModelClient.chat:1"], "lost"),
        ("marked_before_sent", ["before:bot.whatsapp.bridge.Bridge.send:2"], "lost"),
        ("sent_rows_taken_back", ["after:bot.delivery.Delivery._mark_sent:2"], "doubled"),
        ("known_sends_doubted", [], "doubled"),
    ],
)
async def test_a_missing_guard_is_found(
    wa: WhatsAppServer,
    stopped: WhatsAppBot,
    ingested: Path,
    seed: int,
    mutant: str,
    steps: list[str],
    fault: str,
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, people=4, mutant=mutant)
    await town.ask()
    await killed_at_steps(town, steps, mutant=mutant)
    verdict = town.verdict()
    assert getattr(verdict, fault), town.told(seed, verdict)


async def test_a_bot_that_forgets_ids_is_found_to_answer_twice(
    wa: WhatsAppServer, stopped: WhatsAppBot, ingested: Path, seed: int
) -> None:
    town = await opened(wa, stopped, ingested, seed=seed, people=4, mutant="ids_forgotten")
    await sent_again(town, mutant="ids_forgotten")
    verdict = town.verdict()
    assert verdict.doubled, town.told(seed, verdict)
