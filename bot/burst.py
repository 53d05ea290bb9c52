"""Bursts: people send one thought in several messages; wait until it is complete, then answer once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from store import queue as queues
from store.doors import Store
from store.prepared import Prepared
from store.queue import Queue
from store.schema import now_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """How long to wait for more: after a statement, after a question mark, and at most, in seconds."""

    quiet_s: float
    question_s: float
    most_s: float


AT_ONCE = Window(quiet_s=0, question_s=0, most_s=0)


class Bursts:
    """Gathers the unclaimed messages behind a claimed one until the chat has been quiet for the window."""

    def __init__(
        self, store: Store, queue: Queue, window: Window, *, is_question: Callable[[Row[Any]], bool]
    ) -> None:
        self._store = store
        self._is_question = is_question
        self._queue = queue
        self._window = window
        self._arrivals: dict[str, asyncio.Event] = {}

    def arrived(self, chat: str) -> None:
        """A message of this chat was recorded. Call it on the event loop's thread."""
        if (event := self._arrivals.get(chat)) is not None:
            event.set()

    async def gather(self, head: Row[Any]) -> list[Row[Any]]:
        """The claimed row and what joins it, oldest first."""
        event = self._arrivals[head.key] = asyncio.Event()
        deadline = time.monotonic() + self._window.most_s
        try:
            while True:
                # Cleared before the read, so that a message between read and wait ends the wait.
                event.clear()
                rows, database_ms = await self._read(head)
                wait_s = min(self._quiet_left_s(rows, database_ms), deadline - time.monotonic())
                if wait_s <= 0:
                    return rows
                if not await _set_within(event, wait_s):
                    # Quiet for as long as it had to be, whatever the database's clock says meanwhile.
                    # One more look, because rows of other processes set no event.
                    latest, _ = await self._read(head)
                    if latest[-1].id == rows[-1].id:
                        return latest
        finally:
            if self._arrivals.get(head.key) is event:
                del self._arrivals[head.key]

    async def _read(self, head: Row[Any]) -> tuple[list[Row[Any]], int]:
        def read(connection: Any) -> tuple[list[Row[Any]], int]:
            more = queues.following(connection, self._queue, key=head.key, after=head.id)
            return [head, *more], _NOW.execute(connection).scalar_one()

        return await self._store.read(read)

    def _quiet_left_s(self, rows: Sequence[Row[Any]], database_ms: int) -> float:
        """How much of the quiet time is left since the newest message, in database time."""
        newest: int = rows[-1].recorded_ms
        oldest: int = rows[0].recorded_ms
        quiet_s = self._window.question_s if self._is_question(rows[-1]) else self._window.quiet_s
        left_s = quiet_s - (database_ms - newest) / 1000
        # A clock that jumped back must not make a customer wait.
        return min(left_s, quiet_s, self._window.most_s - (database_ms - oldest) / 1000)


async def _set_within(event: asyncio.Event, timeout_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return False
    return True


_NOW = Prepared(select(now_ms()))
