"""Removes: no question waits longer than 3 s for the Weaviate server (``Link`` bounds every call)."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tests.mutants import Replace
from tests.mutants.no_deadline import _WithoutDeadline

# Our own bound, and the client's patience with each of its repetitions.
PLACES = 2


def mutate(replace: Replace) -> None:
    def make(real: ModuleType) -> Any:
        return _WithoutDeadline(real)

    replace("store.memory.weaviate.link.asyncio", make)
    replace("store.memory.weaviate.link.CALL_S", lambda original: 60.0)
