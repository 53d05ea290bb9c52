"""One time limit for many short waits at once, with one timer for all of them.

``asyncio.timeout`` makes a timer for each, which costs a notification more than its signature.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any


class Patience:
    """A future that is watched fails with TimeoutError ``limit_s`` later, unless it is settled by then.

    All waits of one object last equally long, so that they end in the order in which they began.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._waits: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, waited: asyncio.Future[Any]) -> None:
        loop, waits = asyncio.get_running_loop(), self._waits
        while waits and waits[0][1].done():
            # Nobody's results are kept here for longer than others are waited for.
            waits.popleft()
        deadline = loop.time() + self._limit_s
        waits.append((deadline, waited))
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._look)

    def _look(self) -> None:
        """End what is due; the next timer is that of the oldest wait which is still under way."""
        loop = asyncio.get_running_loop()
        waits, self._timer = self._waits, None
        while waits and (waits[0][1].done() or waits[0][0] <= loop.time()):
            _, waited = waits.popleft()
            if not waited.done():
                waited.set_exception(TimeoutError())
        if waits:
            self._timer = loop.call_at(waits[0][0], self._look)
