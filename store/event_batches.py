"""Notifications that come at the same time are committed together: one job and one statement for all.

A thread hop, a transaction and a wait for Python's lock for each of them would be most of what a
notification costs. The first of a batch submits the job, the others join until the writer begins it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from sqlalchemy import Connection

from store import payment_events
from store.doors import Store
from store.payment_events import Notification

# While one batch is committed the next one fills and the one before it is answered; larger ones would leave
# the loop and the writer waiting for each other.
MOST_ROWS = 64


class EventBatches:
    """The door for payment notifications of one account; belongs to one event loop."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account
        # One writer commits one batch at a time. PostgreSQL has several transactions at once, and two that
        # keep the same notifications in another order would wait for each other: there each has its own.
        is_sqlite = store.dialect == "sqlite"
        self._most_rows, self._most_at_once = (MOST_ROWS, 1) if is_sqlite else (1, 8)
        self._batches: deque[_Batch] = deque()
        self._filling: _Batch | None = None
        self._under_way = 0
        self._committers: set[asyncio.Task[None]] = set()

    def record(self, notification: Notification) -> asyncio.Future[bool]:
        """Settled after the commit: True for a new one, False for one that is there already.

        Fails with a ``StoreError`` when it is not kept. Whoever settles or cancels it before the writer
        begins withdraws the notification.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._filling is None or not self._filling.add(notification, done):
            self._filling = _Batch(self._most_rows)
            self._filling.add(notification, done)
            self._batches.append(self._filling)
            if self._under_way < self._most_at_once:
                self._under_way += 1
                # Begins after everything that the loop has in hand now, so that all of it may join.
                task = asyncio.create_task(self._commit_all(), name="event-batches")
                self._committers.add(task)
                task.add_done_callback(self._committers.discard)
        return done

    async def _commit_all(self) -> None:
        try:
            while self._batches:
                await self._commit(self._batches.popleft())
        finally:
            # At once, and not when the task is seen to be done: what comes in between would wait for ever.
            self._under_way -= 1

    async def _commit(self, batch: _Batch) -> None:
        def job(connection: Connection) -> list[bool]:
            given = batch.begin()
            return payment_events.record_all(connection, self._account, given) if given else []

        try:
            results = await self._store.write(job)
        except Exception as exc:  # noqa: BLE001 - those who wait get it.
            batch.fail(exc)
        else:
            batch.settle(results)


class _Batch:
    """Notifications and who waits for them; closed by the writer's thread when it begins."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._gate = threading.Lock()
        self._has_begun = False
        self._waiting: list[tuple[Notification, asyncio.Future[bool]]] = []

    def add(self, notification: Notification, done: asyncio.Future[bool]) -> bool:
        """False when it takes no more."""
        with self._gate:
            if self._has_begun or len(self._waiting) >= self._most:
                return False
            self._waiting.append((notification, done))
            return True

    def begin(self) -> list[Notification]:
        """What is to be kept, the same at every call: a job may run again."""
        with self._gate:
            if not self._has_begun:
                self._has_begun = True
                self._waiting = [one for one in self._waiting if not one[1].done()]
        return [notification for notification, _ in self._waiting]

    def settle(self, results: list[bool]) -> None:
        for (_, done), is_new in zip(self._waiting, results, strict=True):
            if not done.done():
                done.set_result(is_new)

    def fail(self, exc: Exception) -> None:
        with self._gate:
            # The store may have refused the job unseen.
            self._has_begun = True
        for _, done in self._waiting:
            if not done.done():
                done.set_exception(exc)
