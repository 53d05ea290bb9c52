"""Removes: the intake says that an event was not committed. Here every event counts as recorded."""

from __future__ import annotations

from typing import Any

from bot.channel import Recorded
from bot.intake import IntakeDoor
from store.inbox import RawEvent
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def record(self: IntakeDoor, event: RawEvent) -> Any:
            outcome = original(self, event)
            return Recorded.NEW if outcome is Recorded.FAILED else outcome

        return record

    replace("bot.intake.IntakeDoor.record", make)
