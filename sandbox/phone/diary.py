"""What happened, newest last, in words for whoever watches."""

from __future__ import annotations

import time
from collections import deque

from sandbox.phone.live import Event, Live

_KEPT = 100


class Diary:
    """The last events; open pages hear of each at once."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.entries: deque[Event] = deque(maxlen=_KEPT)

    def write(self, text: str) -> None:
        entry = {"at_ms": time.time_ns() // 1_000_000, "text": text}
        self.entries.append(entry)
        self._live.tell("event", **entry)
