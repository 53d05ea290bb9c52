"""Finds what the server holds but its vector search no longer finds, and writes it anew.

A Weaviate server that is killed keeps every object, but forgets the last dozens of entries of its vector
index: they stay in a buffer until more come. It does not notice, and the same object written once more is
skipped as unchanged. So after every failure, and now and then, the newest are asked for; what is missing is
deleted and written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, bindparam, select

from store.doors import Store
from store.embedding_space import Space
from store.memory.weaviate.collections import Collections, read_turns
from store.memory.weaviate.link import Link
from store.schema import at_most, knowledge, turns
from store.vectors import Vector, from_bytes

# The buffer holds some dozens; a turn that was answered late is written again and is not among the newest.
NEWEST = 500
_AT_ONCE = 100

_NEWEST = (
    select(turns.c.id)
    .where(turns.c.model == bindparam("model"), turns.c.dimensions == bindparam("size"))
    .order_by(turns.c.id.desc())
    .limit(at_most("most"))
)


async def mend_newest(store: Store, link: Link, collections: Collections, space: Space | None) -> int:
    """Write those of the newest turns anew that the vector search does not find; how many."""
    if space is None:
        return 0
    newest = await store.read(lambda c: _newest(c, space), slow=True)
    return await mend_turns(store, link, collections, space, newest)


async def mend_turns(
    store: Store, link: Link, collections: Collections, space: Space | None, ids: Sequence[int]
) -> int:
    """The same for these turns, which all have a vector. Those that are not there at all are written, too."""
    if space is None or not ids:
        return 0
    any_row = await store.read(lambda c: read_turns(c, ids[:1], space))
    if not any_row or any_row[0].vector is None:
        return 0
    asked = partial(collections.findable_turns, ids=ids, vector=any_row[0].vector)
    found = await link.call(asked, patient=True)
    if not (lost := [turn_id for turn_id in ids if turn_id not in found]):
        return 0
    rows = await store.read(lambda c: read_turns(c, lost, space), slow=True)
    await link.call(partial(collections.delete_turns, ids=lost), patient=True)
    for start in range(0, len(rows), _AT_ONCE):
        await link.call(partial(collections.put_turns, rows=rows[start : start + _AT_ONCE]), patient=True)
    return len(rows)


async def knowledge_is_whole(
    store: Store, link: Link, collections: Collections, generation: int, space: Space | None
) -> bool:
    """Whether the vector search finds every passage of the generation that has a vector."""
    if space is None:
        return True
    ids, vector = await store.read(lambda c: _chunks(c, space), slow=True)
    if vector is None:
        return True
    asked = partial(collections.findable_chunks, generation=generation, vector=vector, limit=len(ids))
    return ids <= await link.call(asked, patient=True)


def _newest(connection: Connection, space: Space) -> list[int]:
    values = {"model": space.model, "size": space.dimensions, "most": NEWEST}
    return list(connection.execute(_NEWEST, values).scalars())


def _chunks(connection: Connection, space: Space) -> tuple[set[str], Vector | None]:
    """Ids of the passages that have a vector of this space, and the vector of one of them."""
    inside = (knowledge.c.model == space.model) & (knowledge.c.dimensions == space.dimensions)
    ids = set(connection.execute(select(knowledge.c.id).where(inside)).scalars())
    stored = connection.execute(select(knowledge.c.vector).where(inside).limit(1)).scalar()
    return ids, None if stored is None else from_bytes(stored)
