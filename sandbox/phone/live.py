"""What happens, told to every open page at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]
# A page that reads nothing for so many events is closed; it comes back and gets everything anew.
_MOST_WAITING = 1_000


class Live:
    """Pages listen, everything else tells."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Event | None]] = set()

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event | None]]:
        """Events from now on; None is the end."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def tell(self, kind: str, **told: Any) -> None:
        for queue in list(self._listeners):
            if queue.qsize() < _MOST_WAITING:
                queue.put_nowait({"type": kind, **told})
            else:
                self._end(queue)

    def close(self) -> None:
        """The end for every page."""
        for queue in list(self._listeners):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[Event | None]) -> None:
        self._listeners.discard(queue)
        queue.put_nowait(None)
