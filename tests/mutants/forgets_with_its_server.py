"""Removes: what the Weaviate server cannot answer is searched by ourselves (``WeaviateMemory._asked``)."""

from __future__ import annotations

from typing import Any

from tests.mutants import Replace

# The search of its own, and what keeps away from a server that is known to be gone.
PLACES = 2


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        async def _asked(self: Any, ask: Any) -> Any:
            # A server that is away has found nothing.
            return await original(self, ask) or []

        return _asked

    replace("store.memory.weaviate.memory.WeaviateMemory._asked", make)
    replace("store.memory.weaviate.memory.WeaviateMemory._serves", lambda original: lambda self: True)
