"""Messages that waited because the bot was away: answered as usual, with an apology, or by a person."""

from __future__ import annotations

import time
from enum import Enum, auto

# Younger than this nobody wonders.
LATE_MS = 15 * 60 * 1000
# Older than this an answer of a machine is odd: the owner gets the list.
TOO_LATE_MS = 12 * 60 * 60 * 1000
# Late answers of many chats at once look like a broadcast: six a minute.
BETWEEN_LATE_ANSWERS_S = 10.0


class Lateness(Enum):
    """How old the newest message of a chat is when its turn comes."""

    IN_TIME = auto()
    LATE = auto()  # one answer, which says sorry
    TOO_LATE = auto()  # no answer; a person decides


def lateness(sent_ms: int | None, *, now_ms: int) -> Lateness:
    """For a message that the network took at ``sent_ms`` (None: just now), both since the epoch."""
    age_ms = 0 if sent_ms is None else now_ms - sent_ms
    if age_ms < LATE_MS:
        return Lateness.IN_TIME
    return Lateness.LATE if age_ms < TOO_LATE_MS else Lateness.TOO_LATE


class LatePace:
    """Spreads late answers over time."""

    def __init__(self) -> None:
        self._next = 0.0

    def delay_ms(self, caution: float = 1.0) -> int:
        """How long the next late answer waits before it is sent; ``caution`` times as far apart as usual."""
        now = time.monotonic()
        slot = max(now, self._next)
        self._next = slot + BETWEEN_LATE_ANSWERS_S * caution
        return int((slot - now) * 1000)
