"""Compares what the Weaviate index holds with SQL, page by page, and deletes what SQL no longer has.

The log alone cannot promise that: a write that was given up may still be applied by a server that was frozen
meanwhile, after the deletion that followed it. Nothing that comes back in this way is ever shown, for what a
search finds is read from SQL; here it is removed from the disk as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Self
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select

from store.doors import Store
from store.embedding_space import Space
from store.memory.weaviate import reach
from store.memory.weaviate.collections import Collections
from store.memory.weaviate.link import Link
from store.schema import turns

# One at every look at the log: customers who ask meanwhile share the server and the event loop with it.
PAGE = 100

_OWNERS = select(turns.c.id, turns.c.customer_id).where(turns.c.id.in_(bindparam("wanted", expanding=True)))


@dataclass(kw_only=True, slots=True)
class Result:
    """What a sweep found so far."""

    seen: int = 0
    strays: int = 0  # on the server, but no longer in SQL, or another customer's there
    mended: int = 0  # there, but not found by their vectors
    missing: int = 0  # in SQL, but not on the server; known at the end


class Sweep:
    """One pass over the whole collection."""

    def __init__(
        self, store: Store, link: Link, collections: Collections, *, space: Space | None, top: int
    ) -> None:
        self._store = store
        self._link = link
        self._collections = collections
        # Turns that came later are still on their way.
        self._top = top
        self._space = space
        self._after: UUID | None = None
        self._good = 0
        self.result = Result()

    @classmethod
    async def begin(cls, store: Store, link: Link, collections: Collections, space: Space | None) -> Self:
        """Start from the first object; only turns that SQL holds now are expected on the server."""
        top = await store.read(_newest)
        return cls(store, link, collections, space=space, top=top)

    async def page(self) -> bool:
        """Compare the next objects; True when that was the last of them. Raises ``WeaviateError``."""
        found = await self._link.call(
            partial(self._collections.page, after=self._after, limit=PAGE), patient=True
        )
        if not found:
            held = await self._store.read(lambda c: _count(c, self._top), slow=True)
            self.result.missing = max(0, held - self._good)
            return True
        ids = [turn_id for _, turn_id, _ in found]
        owners = await self._store.read(lambda c: _owners(c, ids), slow=True)
        strays = [one for one, turn_id, sender in found if str(owners.get(turn_id)) != sender]
        if strays:
            await self._link.call(partial(self._collections.delete_objects, uuids=strays), patient=True)
        self.result.seen += len(found)
        self.result.strays += len(strays)
        good = [turn_id for _, turn_id, sender in found if str(owners.get(turn_id)) == sender]
        with_vector = await self._store.read(lambda c: _with_vector(c, good, self._space), slow=True)
        self.result.mended += await reach.mend_turns(
            self._store, self._link, self._collections, self._space, with_vector
        )
        self._good += sum(turn_id <= self._top for turn_id in good)
        self._after = found[-1][0]
        return False


def _newest(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(turns.c.id), 0))).scalar_one())


def _count(connection: Connection, top: int) -> int:
    return int(connection.execute(select(func.count()).where(turns.c.id <= top)).scalar_one())


def _owners(connection: Connection, ids: list[int]) -> dict[int, int]:
    return {row[0]: row[1] for row in connection.execute(_OWNERS, {"wanted": ids})}


def _with_vector(connection: Connection, ids: list[int], space: Space | None) -> list[int]:
    if space is None:
        return []
    inside = (turns.c.model == space.model) & (turns.c.dimensions == space.dimensions)
    return list(connection.execute(select(turns.c.id).where(turns.c.id.in_(ids), inside)).scalars())
