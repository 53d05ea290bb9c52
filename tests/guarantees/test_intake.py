"""Guarantee 3 at the intake's door: threads that bring the same events at once get one yes for each."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from sqlalchemy import func, select

from bot.channel import Recorded
from bot.intake import IntakeDoor
from store.doors import Store
from store.inbox import RawEvent
from store.schema import inbox
from tests.mutants import ids_forgotten, replace

IDS = [f"m{number}" for number in range(12)]
THREADS = 10


def event(message_id: str) -> RawEvent:
    return RawEvent(
        account="utama",
        chat="budi",
        sender="budi",
        message_id=message_id,
        kind="text",
        codec="terminal/1",
        raw=b"{}",
    )


async def bring_at_once(store: Store) -> tuple[dict[str, Counter[Recorded]], int]:
    """Every id from every thread, in another order each; the outcomes by id, and the rows there are."""
    door = IntakeDoor(store)
    outcomes: dict[str, Counter[Recorded]] = {message_id: Counter() for message_id in IDS}

    def bring(number: int) -> list[tuple[str, Recorded]]:
        order = random.Random(number).sample(IDS, len(IDS))
        return [(message_id, door.record(event(message_id))) for message_id in order]

    for found in await asyncio.gather(*(asyncio.to_thread(bring, number) for number in range(THREADS))):
        for message_id, outcome in found:
            outcomes[message_id][outcome] += 1
    rows = await store.read(lambda c: c.execute(select(func.count()).select_from(inbox)).scalar_one())
    return outcomes, rows


async def test_the_same_event_from_ten_threads_is_new_once(store: Store) -> None:
    outcomes, rows = await bring_at_once(store)
    once = Counter({Recorded.NEW: 1, Recorded.DUPLICATE: THREADS - 1})
    assert outcomes == dict.fromkeys(IDS, once)
    assert rows == len(IDS)


async def test_the_mutant_that_forgets_ids_records_each_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids_forgotten.mutate(lambda name, make: replace(name, make, put=monkeypatch.setattr))
    outcomes, rows = await bring_at_once(store)
    assert {outcome[Recorded.NEW] for outcome in outcomes.values()} == {THREADS}
    assert rows == THREADS * len(IDS)
