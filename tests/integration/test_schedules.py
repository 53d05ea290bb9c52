"""Whatever happens in whatever order: nothing is lost, doubled or disordered, and nobody is talked over."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial

import pytest

from bot import answer_path
from bot.channel import Capability
from config.settings import Settings
from sandbox.limits import UNLIMITED
from store import queue as queues
from store.queue import Backoff
from store.sqlite import SqliteStore
from tests.contract.channel import FaultyChannel
from tests.integration import tiny_shop
from tests.integration.schedules import Town
from tests.integration.tiny_shop import OpenShop, shops
from tests.mutants import ids_forgotten, lanes_without_order, replace, talks_over_people

STEPS = 40
MANY_STEPS = 400
SETTINGS = {
    "BURST_QUIET_S": "0.02",
    "BURST_QUESTION_S": "0.01",
    "BURST_MAX_S": "0.05",
    **UNLIMITED,
    "EMBEDDING_MODEL": "off",
    "RUANG_ADMIN": "",
}


@pytest.fixture
async def open_shop(
    sqlite_store: SqliteStore, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenShop]:
    monkeypatch.setattr(answer_path, "Backoff", partial(Backoff, first_s=0.02, most_s=0.05))
    monkeypatch.setattr(answer_path, "INBOX_BACKOFF", Backoff(attempts=4, first_s=0.02, most_s=0.05))
    # Messages that follow each other closely are one thought, as on WhatsApp.
    capabilities = (Capability.REACTIONS, Capability.FRAGMENTS)
    monkeypatch.setattr(tiny_shop, "FaultyChannel", partial(FaultyChannel, capabilities=capabilities))
    async with shops(sqlite_store, make_settings) as opened:
        yield partial(opened, **SETTINGS)


async def lived(open_shop: OpenShop, seed: int, *, steps: int) -> Town:
    """A whole schedule, up to the point where nothing is left to do."""
    town = Town(open_life=open_shop, dice=random.Random(seed))
    await live(town, steps)
    return town


async def live(town: Town, steps: int) -> None:
    """Begin, so many steps, and the end of the story; ``TimeoutError`` when it comes to no end."""
    await town.begin()
    for _ in range(steps):
        await town.step()
    await town.settle()


@pytest.mark.parametrize("number", range(4))
async def test_no_schedule_loses_doubles_disorders_or_talks_over_anybody(
    open_shop: OpenShop, seed: int, report: Callable[[str], None], number: int
) -> None:
    town = await lived(open_shop, seed + number, steps=STEPS)
    report(town.told(seed + number))
    assert await town.faults() == {}, f"BALAS_SEED={seed}, schedule {number}"


@pytest.mark.torture
@pytest.mark.parametrize("number", range(10))
async def test_no_long_schedule_does_either(
    open_shop: OpenShop, seed: int, report: Callable[[str], None], number: int
) -> None:
    town = await lived(open_shop, seed + number, steps=MANY_STEPS)
    report(town.told(seed + number))
    assert await town.faults() == {}, f"BALAS_SEED={seed}, schedule {number}"


@pytest.mark.parametrize(
    ("mutant", "fault"),
    [(ids_forgotten, "doubled"), (lanes_without_order, "disordered"), (talks_over_people, "intruded")],
    ids=lambda value: value if isinstance(value, str) else value.__name__.rpartition(".")[2],
)
async def test_the_judge_sees_what_a_missing_guard_does(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch, seed: int, mutant: object, fault: str
) -> None:
    caches = (queues._heads, queues._some_heads, queues._claim_statement)
    mutant.mutate(partial(replace, put=monkeypatch.setattr))  # type: ignore[attr-defined] # one of the three above.
    for cached in caches:
        cached.cache_clear()
    try:
        for number in range(5):
            town = Town(open_life=open_shop, dice=random.Random(seed + number))
            # A missing guard may also leave a row that nobody finishes; the verdict is the judge's alone.
            with suppress(TimeoutError):
                await live(town, STEPS)
            if fault in await town.faults():
                return
            await town.shop.die()
        pytest.fail(f"BALAS_SEED={seed}: five schedules without a {fault} message")
    finally:
        for cached in caches:
            cached.cache_clear()
