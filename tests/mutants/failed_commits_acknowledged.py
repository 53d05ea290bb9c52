"""Removes: the intake says that an event was not committed. Here every event counts as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.channel import Recorded
from bot.intake import IntakeDoor
from store.inbox import RawEvent
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def record_all(self: IntakeDoor, events: Sequence[RawEvent]) -> Any:
            outcomes = original(self, events)
            return [Recorded.NEW if outcome is Recorded.FAILED else outcome for outcome in outcomes]

        return record_all

    replace("bot.intake.IntakeDoor.record_all", make)
