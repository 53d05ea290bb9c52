"""Removes: no question waits longer than 3 s for the Weaviate server (``Link`` bounds every call)."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tests.mutants import Replace
from tests.mutants.no_deadline import _WithoutDeadline


def mutate(replace: Replace) -> None:
    def make(real: ModuleType) -> Any:
        return _WithoutDeadline(real)

    replace("store.memory.weaviate.link.asyncio", make)
    # The client's own patience, which it counts anew for each of its repetitions.
    replace("store.memory.weaviate.link.CALL_S", lambda original: 60.0)
