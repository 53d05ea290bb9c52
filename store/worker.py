"""The one worker that every queue uses: claims heads, runs the handler, retries, gives up, drains.

The handler gets a claimed row and finishes it itself, in the transaction that holds its result
(``queue.finish``). When it raises, the row is tried again after a pause and becomes a dead letter
after the last attempt; ``Discard`` makes it one at once. A crash leaves the row claimed; it is taken
back at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from store import queue as queues
from store.doors import Store
from store.errors import ClaimLost, StoreError, StoreUnavailable
from store.queue import Backoff, Queue
from store.schema import QueueState

Handler = Callable[[Row[Any]], Awaitable[None]]
DeadLetter = Callable[[Connection, Row[Any], str], None]

log = structlog.get_logger(__name__)


# A row that was in hand when the process died is not to blame for it. When that happens again and again it is
# suspected, and worked with no other row beside it: if it ends the process, then without taking the innocent
# along, and if it was only unlucky, it has the machine to itself. What dies alone that often is given up.
CRASHES_FORGIVEN = 10
CRASHES_ALONE = 15


# When a commit's outcome is unknown, what it may have claimed is looked for after so long: nothing that is
# merely on its way takes that.
FORGOTTEN_AFTER_S = 60.0


class Discard(Exception):
    """Raised by a handler for a row that no further attempt can help; the text says why."""


class Retry(Exception):
    """Raised by a handler that knows when to try again; an attempt like any other."""

    def __init__(self, reason: str, *, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Worker:
    """Works one queue with up to ``concurrency`` rows at a time, one per key.

    ``poll_s`` bounds how long a row that another process wrote stays unseen; rows of this process are
    announced by ``wake``. ``on_dead`` runs in the transaction that gives a row up, so that whoever
    must know (the owner) is told exactly when it happens.
    """

    def __init__(
        self,
        *,
        store: Store,
        queue: Queue,
        handler: Handler,
        owner: str,
        backoff: Backoff,
        concurrency: int,
        poll_s: float = 0.5,
        on_dead: DeadLetter | None = None,
    ) -> None:
        self._store = store
        self._queue = queue
        self._handler = handler
        self._owner = owner
        self._backoff = backoff
        self._concurrency = concurrency
        self._poll_s = poll_s
        self._on_dead = on_dead
        self._woken = asyncio.Event()
        self._announced = False
        self._stopping = False
        self._running: dict[int, asyncio.Task[None]] = {}
        # Claimed for this worker by whoever wrote them; they wait for a free lane.
        self._taken: deque[Row[Any]] = deque()
        # Claimed, and worked as soon as nothing else is; until it has ended, nothing else begins.
        self._suspect: Row[Any] | None = None
        # When to look for claims that this worker does not know of; None: there is no reason to.
        self._look_after: float | None = None
        self._broken: BaseException | None = None
        self.name = f"{queue.transport}-worker"

    @property
    def in_flight(self) -> int:
        """How many rows are being worked on."""
        return len(self._running)

    def wake(self) -> None:
        """There is something to claim. Call it on the event loop's thread."""
        self._announced = True
        self._woken.set()

    def take(self, row: Row[Any]) -> None:
        """Work a row that was claimed for this worker when it was written. Call it on the loop's thread."""
        if self._stopping or not self._room():
            self._taken.append(row)
        else:
            self._start(row)

    def doubt(self) -> None:
        """A commit that may have claimed rows for this worker seemed to fail: in a while, look for them."""
        if self._look_after is None:
            self._look_after = time.monotonic() + FORGOTTEN_AFTER_S

    async def run(self) -> None:
        """Claim and work until ``stop``; returns when nothing is in flight any more.

        Raises what broke a row's end: nobody would ever work that row again, so the process must restart.
        """
        while not self._stopping and self._broken is None:
            if self._suspect is not None and not self._running:
                self._start(self._suspect)
            while self._taken and self._room():
                self._start(self._taken.popleft())
            if self._room():
                await self._claim_some()
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which makes a task of what it waits for, several times an answer.
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
            self._woken.clear()
        while self._running:
            await asyncio.wait(self._running.values())
        if self._broken is not None:
            raise self._broken

    async def stop(self, *, drain_s: float) -> None:
        """Claim nothing more, let what is in flight end within ``drain_s``, give the rest back unworked."""
        self._stopping = True
        self._woken.set()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=drain_s)
        tasks = dict(self._running)
        for task in tasks.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks.values())
        if left := {*tasks, *self._waiting()}:
            self._taken.clear()
            self._suspect = None
            await self._store.write(
                lambda connection: queues.release(connection, self._queue, left, owner=self._owner)
            )

    def _room(self) -> int:
        """How many more rows may be worked now."""
        return 0 if self._suspect is not None else self._concurrency - len(self._running)

    def _waiting(self) -> list[int]:
        """What is claimed for this worker and waits to be begun, or is the suspect."""
        return [row.id for row in (*self._taken, self._suspect) if row is not None]

    async def _claim_some(self) -> None:
        free = self._room()
        announced, self._announced = self._announced, False
        try:
            await self._release_forgotten()
            # What was announced is nearly always there, so nobody looks first; an idle worker never writes.
            if not announced and not await self._store.read(lambda c: queues.has_claimable(c, self._queue)):
                return
            rows = await self._store.write(lambda c: self._claim(c, most=free))
            if self._stopping and rows:
                # The stop came while the claim was under way; it no longer waits for new work.
                ids = [row.id for row in rows]
                await self._store.write(lambda c: queues.release(c, self._queue, ids, owner=self._owner))
                return
        except StoreError as exc:
            # The store is locked, full or away: nothing is claimed, nothing is lost, try again.
            log.warning("claim_failed", queue=self.name, reason=str(exc))
            self.doubt()
            await asyncio.sleep(self._poll_s)
            return
        for row in rows:
            if self._is_suspect(row):
                self._suspect = row
                self._woken.set()
            else:
                self._start(row)

    def _claim(self, connection: Connection, *, most: int) -> list[Row[Any]]:
        """What is to be worked next: up to ``most`` rows, or the first suspect and nothing beside it."""
        rows = queues.claim(connection, self._queue, owner=self._owner, most=most)
        suspect = next(filter(self._is_suspect, rows), None)
        if suspect is None:
            return rows
        if others := [row.id for row in rows if row is not suspect]:
            queues.release(connection, self._queue, others, owner=self._owner)
        return [suspect]

    def _is_suspect(self, row: Row[Any]) -> bool:
        """Whether it was in hand at more deaths of the process than chance explains."""
        return queues.deaths(row) >= CRASHES_FORGIVEN

    async def _release_forgotten(self) -> None:
        if self._look_after is None or time.monotonic() < self._look_after:
            return
        known = {*self._running, *self._waiting()}
        found = await self._store.write(
            lambda c: queues.release_forgotten(
                c,
                self._queue,
                owner=self._owner,
                known=known,
                claimed_before_ms=int(FORGOTTEN_AFTER_S * 1000),
            )
        )
        self._look_after = None
        if found:
            log.warning("claims_found", queue=self.name, rows=found)

    def _start(self, row: Row[Any]) -> None:
        task = asyncio.create_task(self._work(row), name=f"{self.name}-{row.id}")
        self._running[row.id] = task
        task.add_done_callback(partial(self._ended, row.id))

    def _ended(self, row_id: int, task: asyncio.Task[None]) -> None:
        self._running.pop(row_id, None)
        if self._suspect is not None and self._suspect.id == row_id:
            self._suspect = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
        # A later row of the same key may be claimable now.
        self._woken.set()

    async def _work(self, row: Row[Any]) -> None:
        if (deaths := queues.deaths(row)) >= CRASHES_FORGIVEN + CRASHES_ALONE:
            # The row may be what ends the process.
            await self._give_up(row, f"the process ended {deaths} times while it was in hand")
            return
        try:
            await self._handler(row)
        except ClaimLost as exc:
            log.warning("claim_lost", queue=self.name, row=row.id, reason=str(exc))
        except Discard as exc:
            await self._give_up(row, str(exc))
        except StoreUnavailable as exc:
            # The row is not to blame: an outage of the store, however long, must not make it a dead letter.
            log.warning("store_unavailable", queue=self.name, row=row.id, reason=str(exc))
            await asyncio.sleep(self._poll_s)
            await self._settle(row, lambda c: self._release(c, row))
        except Exception as exc:  # noqa: BLE001 - the loop boundary: logged, counted, tried again.
            await self._failed(row, exc)

    async def _failed(self, row: Row[Any], exc: Exception) -> None:
        reason = f"{type(exc).__name__}: {exc}"
        if isinstance(exc, Retry):
            log.info("row_retries", queue=self.name, row=row.id, attempts=row.attempts, reason=str(exc))
        else:
            log.exception("row_failed", queue=self.name, row=row.id, attempts=row.attempts)
        failures = row.failures + 1
        if failures >= self._backoff.attempts:
            await self._give_up(row, reason)
            return
        wanted_s = exc.after_s if isinstance(exc, Retry) else None
        pause_s = self._backoff.pause_s(failures) if wanted_s is None else wanted_s
        await self._settle(
            row,
            lambda c: queues.retry(c, self._queue, row.id, owner=self._owner, pause_s=pause_s, error=reason),
        )

    def _release(self, connection: Connection, row: Row[Any]) -> None:
        queues.release(connection, self._queue, [row.id], owner=self._owner)

    async def _give_up(self, row: Row[Any], reason: str) -> None:
        def make_dead_letter(connection: Connection) -> None:
            queues.finish(
                connection, self._queue, [row.id], owner=self._owner, state=QueueState.DEAD, error=reason
            )
            if self._on_dead is not None:
                self._on_dead(connection, row, reason)

        log.error("dead_letter", queue=self.name, row=row.id, attempts=row.attempts, reason=reason)
        await self._settle(row, make_dead_letter)

    async def _settle(self, row: Row[Any], job: Callable[[Connection], None]) -> None:
        """Write how an attempt ended; while the store cannot, keep trying, for only we may touch the row."""
        while True:
            try:
                await self._store.write(job)
            except ClaimLost:
                return
            except StoreError as exc:
                log.warning("settle_failed", queue=self.name, row=row.id, reason=str(exc))
                await asyncio.sleep(self._poll_s)
            else:
                return
