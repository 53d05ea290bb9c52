"""The store's three doors, the only way in for the rest of the product.

``await store.write(fn)`` runs ``fn(connection)`` in a write transaction and returns after its commit.
``await store.read(fn)`` runs ``fn(connection)`` on one consistent snapshot.
``store.record(fn)`` is ``write`` for a foreign thread (the bridge's callback): it blocks until the commit.

``fn`` touches nothing but its connection and may run again after a conflict, so it must be repeatable.
What holds on SQLite (one writer at a time) holds on PostgreSQL (SERIALIZABLE, repeated on conflict).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Job = Callable[[Connection], T]


class Store(Protocol):
    """What the product sees of the database. Every method raises ``store.errors.StoreError`` only."""

    dialect: str

    async def write(self, fn: Job[T]) -> T:
        """Run ``fn`` in a write transaction; return its result after the commit is on disk."""
        ...

    async def read(self, fn: Job[T], *, slow: bool = False) -> T:
        """Run ``fn`` on a read-only snapshot; ``slow`` keeps reads over 1 ms off the event loop."""
        ...

    def record(self, fn: Job[T], *, timeout_s: float = 5.0) -> T:
        """``write`` from a thread that is not the event loop's; ``StoreUnavailable`` after ``timeout_s``."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then close every connection."""
        ...
