"""Notifications that come together are committed together, and each of them is answered for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy import select

from store.doors import Job, Store
from store.errors import StoreUnavailable
from store.event_batches import MOST_ROWS, EventBatches
from store.payment_events import Notification
from store.schema import payment_events
from store.sqlite import SqliteStore


def notification(number: int, *, key: str = "B1-1") -> Notification:
    return Notification(key=key, body=json.dumps({"nomor": number}).encode())


async def bodies(store: Store) -> list[bytes]:
    wanted = select(payment_events.c.body).order_by(payment_events.c.id)
    return [bytes(body) for (body,) in await store.read(lambda c: c.execute(wanted).all(), slow=True)]


async def test_each_is_kept_once_and_told_whether_it_is_new(store: Store) -> None:
    batches = EventBatches(store, "utama")
    given = [notification(number) for number in range(3 * MOST_ROWS)]
    twice = [one for one in given for _ in range(2)]
    kept = await asyncio.gather(*(batches.record(one) for one in twice))
    assert sum(kept) == len(given)
    assert sorted(await bodies(store)) == sorted(one.body for one in given)
    assert not any(await asyncio.gather(*(batches.record(one) for one in given)))
    assert len(await bodies(store)) == len(given)


async def test_they_are_kept_in_the_order_in_which_they_came(sqlite_store: SqliteStore) -> None:
    batches = EventBatches(sqlite_store, "utama")
    given = [notification(number) for number in range(3 * MOST_ROWS)]
    await asyncio.gather(*(batches.record(one) for one in given))
    assert await bodies(sqlite_store) == [one.body for one in given]


class Counting:
    """The store, with its writes counted, and refused while it is told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dialect = store.dialect
        self.writes = 0
        self.is_down = False
        self.before: Callable[[], Any] = lambda: None

    async def write(self, fn: Job[Any]) -> Any:
        self.writes += 1
        if self.is_down:
            raise StoreUnavailable("the disk is full")

        def twice(connection: Any) -> Any:
            # As after a conflict: what it gave the first time is undone.
            with connection.begin_nested() as undone:
                fn(connection)
                undone.rollback()
            return fn(connection)

        self.before()
        return await self._store.write(twice)


async def test_those_that_come_at_once_share_a_commit(sqlite_store: SqliteStore) -> None:
    counting = Counting(sqlite_store)
    batches = EventBatches(cast("Store", counting), "utama")
    kept = await asyncio.gather(*(batches.record(notification(number)) for number in range(MOST_ROWS)))
    assert (all(kept), counting.writes) == (True, 1)


async def test_a_commit_that_fails_is_told_to_each_of_its_own_and_to_nobody_after_it(
    sqlite_store: SqliteStore,
) -> None:
    counting = Counting(sqlite_store)
    batches = EventBatches(cast("Store", counting), "utama")
    counting.is_down = True
    told = await asyncio.gather(
        *(batches.record(notification(number)) for number in range(5)), return_exceptions=True
    )
    assert [type(one) for one in told] == [StoreUnavailable] * 5
    counting.is_down = False
    assert await batches.record(notification(1))
    assert await bodies(sqlite_store) == [notification(1).body]


async def test_one_that_nobody_waits_for_any_more_is_not_kept(sqlite_store: SqliteStore) -> None:
    counting = Counting(sqlite_store)
    batches = EventBatches(cast("Store", counting), "utama")
    given_up, waited_for = batches.record(notification(1)), batches.record(notification(2))
    counting.before = given_up.cancel
    assert await waited_for
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert await bodies(sqlite_store) == [notification(2).body]


async def test_one_that_comes_while_the_last_one_is_answered_is_kept(sqlite_store: SqliteStore) -> None:
    batches = EventBatches(sqlite_store, "utama")
    # The answer to one is what brings the next, as with a sender that keeps its connection.
    async with asyncio.timeout(60):
        for number in range(200):
            assert await batches.record(notification(number))
            await asyncio.sleep(0)
    assert len(await bodies(sqlite_store)) == 200


async def test_a_closed_store_is_told_to_whoever_waits(sqlite_store: SqliteStore) -> None:
    batches = EventBatches(sqlite_store, "utama")
    await sqlite_store.close()
    with pytest.raises(StoreUnavailable):
        await batches.record(notification(1))
