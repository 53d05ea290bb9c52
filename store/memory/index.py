"""The contract of a memory, and the shapes that go in and out.

A memory is an index, SQL is the truth: whatever it holds can be rebuilt from ``turns`` and ``knowledge``,
and it follows the append-only ``changes`` log with a cursor of its own. First fill, outage and migration
are all "the cursor catches up"; a tombstone always wins over an upsert, whatever their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from store.vectors import Vector


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What is searched for: one or two phrasings of the same question (as written, and made standalone).

    ``texts`` are normalised search texts; ``vectors`` are their unit vectors in the same order, or empty
    when there is no embedding model, and then words alone decide.
    """

    texts: tuple[str, ...]
    vectors: tuple[Vector, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A piece of the shop's knowledge that a search found."""

    id: str
    kind: str  # faq, catalogue, data, prose
    title: str
    text: str
    answer: str | None  # an FAQ's answer, word for word
    score: float  # reciprocal-rank score: comparable within one search only
    coverage: float  # 0..1: how much of the query's (IDF-weighted) words the passage contains; comparable
    similarity: float | None  # cosine of the nearest vector; None without vectors
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalled:
    """An older exchange with this very customer that fits the query."""

    turn_id: int
    asked: str
    replied: str
    author: str
    created_ms: int
    score: float


class MemoryIndex(Protocol):
    """What every memory does; ``tests/contract/memory.py`` is its executable definition."""

    name: str

    @property
    def generation(self) -> int:
        """The knowledge generation that is being served; 0 before the first ingest."""
        ...

    @property
    def trouble(self) -> str | None:
        """What keeps it from working as it was set up (it answers all the same); None when all is well."""
        ...

    async def open(self) -> None:
        """Load or connect and catch up; raises ``store.errors.StoreMisconfigured`` with what to do."""
        ...

    async def close(self) -> None: ...

    async def catch_up(self) -> int:
        """Apply what the change log holds beyond the cursor; the number of changes applied."""
        ...

    async def recall(
        self, *, customer_id: int, query: Query, before_turn: int | None, limit: int
    ) -> list[Recalled]:
        """The best fitting older turns of this customer alone, best first; those before ``before_turn``."""
        ...

    async def search(self, query: Query, *, limit: int) -> list[Passage]:
        """The best fitting passages of one whole knowledge generation, best first."""
        ...


__all__ = ["MemoryIndex", "Passage", "Query", "Recalled", "Vector"]
