"""One time limit for many short waits at once, with one timer for all of them.

``asyncio.timeout`` makes a timer for each, which costs a notification more than its signature.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Wait:
    deadline: float
    task: asyncio.Task[object]
    is_over: bool = False
    has_expired: bool = False


class Patience:
    """``with patience.within():`` raises TimeoutError after ``limit_s``, as ``asyncio.timeout`` does.

    All waits of one object last equally long, so that they end in the order in which they began.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._waits: deque[_Wait] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def within(self) -> Iterator[None]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        wait = _Wait(loop.time() + self._limit_s, task)
        self._waits.append(wait)
        if self._timer is None:
            self._timer = loop.call_at(wait.deadline, self._look)
        try:
            yield
        except asyncio.CancelledError:
            # Somebody else may have cancelled the task as well; that wins.
            if wait.has_expired and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            wait.is_over = True

    def _look(self) -> None:
        """End what is due; the next timer is that of the oldest wait which is still under way."""
        loop = asyncio.get_running_loop()
        waits, self._timer = self._waits, None
        while waits and (waits[0].is_over or waits[0].deadline <= loop.time()):
            wait = waits.popleft()
            if not wait.is_over:
                wait.has_expired = True
                wait.task.cancel()
        if waits:
            self._timer = loop.call_at(waits[0].deadline, self._look)
