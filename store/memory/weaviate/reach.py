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
from store.knowledge import StoredChunk
from store.memory.weaviate.collections import Collections, TurnRow, read_turns
from store.memory.weaviate.link import Link
from store.schema import at_most, turns

# The buffer holds some dozens; a turn that was answered late is written again and is not among the newest.
NEWEST = 500

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
    rows = await store.read(lambda c: read_turns(c, _newest(c, space), space), slow=True)
    return await mend_turns(link, collections, rows)


async def mend_turns(link: Link, collections: Collections, rows: Sequence[TurnRow]) -> int:
    """The same for these turns. Those that are not on the server at all are written, too."""
    with_vector = [row for row in rows if row.vector is not None]
    vectors = [row.vector for row in rows if row.vector is not None]
    if not vectors:
        return 0
    asked = partial(collections.findable_turns, ids=[row.id for row in with_vector], vector=vectors[0])
    found = await link.call(asked, patient=True)
    lost = [row for row in with_vector if row.id not in found]
    if lost:
        await link.call(partial(collections.delete_turns, ids=[row.id for row in lost]), patient=True)
        await link.call(partial(collections.put_turns, rows=lost), patient=True)
    return len(lost)


async def knowledge_is_whole(
    link: Link, collections: Collections, chunks: Sequence[StoredChunk], generation: int, space: Space | None
) -> bool:
    """Whether the vector search finds every passage of the generation that has a vector."""
    vectors = {
        chunk.id: vector for chunk in chunks if (vector := collections.vector_of(chunk, space)) is not None
    }
    if not vectors:
        return True
    found = await link.call(
        partial(
            collections.findable_chunks,
            generation=generation,
            vector=next(iter(vectors.values())),
            limit=len(chunks),
        ),
        patient=True,
    )
    return vectors.keys() <= found


def _newest(connection: Connection, space: Space) -> list[int]:
    values = {"model": space.model, "size": space.dimensions, "most": NEWEST}
    return list(connection.execute(_NEWEST, values).scalars())
