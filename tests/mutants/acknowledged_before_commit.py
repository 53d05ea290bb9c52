"""Removes: a message is acknowledged only after its commit (the wait in ``IntakeDoor.record_all``).

What such a bot would do instead: say yes at once and write a little later, many at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from bot.channel import Recorded
from bot.intake import IntakeDoor
from store.inbox import RawEvent
from tests.mutants import Replace

WRITE_BEHIND_S = 0.2


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def record_all(self: IntakeDoor, events: Sequence[RawEvent]) -> list[Recorded]:
            timer = threading.Timer(WRITE_BEHIND_S, lambda: original(self, events))
            timer.daemon = True
            timer.start()
            return [Recorded.NEW] * len(events)

        return record_all

    replace("bot.intake.IntakeDoor.record_all", make)
