"""What is asked of the two collections: writes that may be repeated, searches, complete deletions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, bindparam, select

from config.memory import MemorySettings
from store.embedding_space import Space
from store.knowledge import StoredChunk
from store.memory.weaviate.errors import WeaviateAway
from store.memory.weaviate.schema import Names
from store.memory.weights import weight_of
from store.schema import turns
from store.vectors import Vector, from_bytes

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient
    from weaviate.collections.classes.data import DataObject

_NAMESPACE = UUID("5f0b9c1e-7d0e-4c0a-9a53-3f1f6f2c0a6b")
# Words and vectors weigh alike. At 0.75, as often advised for chats, two of a hundred facts that one customer
# had told in so many words were not among the first three.
ALPHA = 0.5
_DELETE_AT_ONCE = 500
_TURN_COLUMNS = (
    *(turns.c.id, turns.c.customer_id, turns.c.asked, turns.c.replied, turns.c.author),
    *(turns.c.search_text, turns.c.vector, turns.c.model, turns.c.dimensions, turns.c.created_ms),
)
_TURNS_BY_ID = select(*_TURN_COLUMNS).where(turns.c.id.in_(bindparam("wanted", expanding=True)))


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnRow:
    """A turn as SQL has it now. ``vector`` is None when there is none of the index's space."""

    id: int
    customer_id: int
    asked: str
    replied: str
    author: str
    search_text: str
    vector: Vector | None
    created_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """A turn that a search found, with the sender that is stored with it."""

    turn_id: int
    sender_id: str
    score: float


def read_turns(connection: Connection, ids: Sequence[int], space: Space | None) -> list[TurnRow]:
    """Those of the turns that are still there."""
    if not ids:
        return []
    return [
        TurnRow(
            id=row[0],
            customer_id=row[1],
            asked=row[2],
            replied=row[3],
            author=row[4],
            search_text=row[5],
            vector=_vector(row[6], row[7], row[8], space),
            created_ms=row[9],
        )
        for row in connection.execute(_TURNS_BY_ID, {"wanted": list(ids)})
    ]


def turn_uuid(turn_id: int) -> UUID:
    """A turn's id on the server. The same for the same turn, so that a repeated write changes nothing."""
    return uuid5(_NAMESPACE, f"turn/{turn_id}")


def chunk_uuid(generation: int, chunk_id: str) -> UUID:
    """A chunk's id on the server; every generation has objects of its own."""
    return uuid5(_NAMESPACE, f"chunk/{generation}/{chunk_id}")


class Collections:
    """The calls; each takes the client that ``Link`` has chosen, and may be repeated."""

    def __init__(self, settings: MemorySettings) -> None:
        self.names = Names.of(settings)
        self._consistency = settings.weaviate_consistency.name
        # Making one takes the client as long as a good part of a search.
        self._made: WeakKeyDictionary[WeaviateAsyncClient, dict[str, Any]] = WeakKeyDictionary()

    async def put_turns(self, client: WeaviateAsyncClient, rows: Sequence[TurnRow]) -> None:
        """Write the turns, in place of what was stored under their ids."""
        from weaviate.classes.data import DataObject

        objects = [
            DataObject(
                uuid=turn_uuid(row.id),
                properties={
                    "turn_id": row.id,
                    "sender_id": str(row.customer_id),
                    "words": row.search_text,
                    "asked": row.asked,
                    "replied": row.replied,
                    "author": row.author,
                    "created_ms": row.created_ms,
                },
                vector=None if row.vector is None else row.vector.tolist(),
            )
            for row in rows
        ]
        await self._put(client, self.names.turns, objects)

    async def put_chunks(
        self,
        client: WeaviateAsyncClient,
        chunks: Sequence[StoredChunk],
        *,
        generation: int,
        space: Space | None,
    ) -> None:
        """Write passages of a generation."""
        from weaviate.classes.data import DataObject

        objects = []
        for chunk in chunks:
            vector = self.vector_of(chunk, space)
            objects.append(
                DataObject(
                    uuid=chunk_uuid(generation, chunk.id),
                    properties={
                        "chunk_id": chunk.id,
                        "generation": generation,
                        "words": chunk.search_text,
                        "title": chunk.title,
                        "text": chunk.text,
                    },
                    vector=None if vector is None else vector.tolist(),
                )
            )
        await self._put(client, self.names.knowledge, objects)

    async def delete_turns(self, client: WeaviateAsyncClient, ids: Sequence[int]) -> None:
        """Delete these turns; those that are not there are no error."""
        from weaviate.classes.query import Filter

        for start in range(0, len(ids), _DELETE_AT_ONCE):
            wanted = [turn_uuid(turn_id) for turn_id in ids[start : start + _DELETE_AT_ONCE]]
            await self._delete(client, self.names.turns, Filter.by_id().contains_any(wanted))

    async def delete_objects(self, client: WeaviateAsyncClient, uuids: Sequence[UUID]) -> None:
        """Delete objects of the turns' collection by their ids on the server."""
        from weaviate.classes.query import Filter

        await self._delete(client, self.names.turns, Filter.by_id().contains_any(list(uuids)))

    async def delete_sender(self, client: WeaviateAsyncClient, customer_id: int) -> None:
        """Delete everything of a customer, until a look finds nothing of him."""
        from weaviate.classes.query import Filter

        await self._delete(client, self.names.turns, Filter.by_property("sender_id").equal(str(customer_id)))

    async def delete_generation(self, client: WeaviateAsyncClient, *, generation: int) -> None:
        """Delete what was written of a generation."""
        from weaviate.classes.query import Filter

        where = Filter.by_property("generation").equal(generation)
        await self._delete(client, self.names.knowledge, where)

    async def delete_generations(self, client: WeaviateAsyncClient, *, before: int) -> None:
        """Delete the passages of generations that nobody searches any more."""
        from weaviate.classes.query import Filter

        await self._delete(client, self.names.knowledge, Filter.by_property("generation").less_than(before))

    async def rank_turns(
        self,
        client: WeaviateAsyncClient,
        *,
        customer_id: int,
        text: str,
        vector: Vector | None,
        before_turn: int | None,
        limit: int,
    ) -> list[Ranked]:
        """This customer's turns that fit, best first as the server sees it."""
        from weaviate.classes.query import Filter

        mine = Filter.by_property("sender_id").equal(str(customer_id))
        if before_turn is not None:
            mine = mine & Filter.by_property("turn_id").less_than(before_turn)
        found = await self._search(
            client,
            self.names.turns,
            text=text,
            vector=vector,
            limit=limit,
            filters=mine,
            return_properties=["turn_id", "sender_id"],
        )
        return [
            Ranked(
                turn_id=int(one.properties["turn_id"]),
                sender_id=str(one.properties["sender_id"]),
                score=score,
            )
            for one, score in found
        ]

    async def rank_chunks(
        self,
        client: WeaviateAsyncClient,
        *,
        generation: int,
        ids: Mapping[UUID, str],
        text: str,
        vector: Vector | None,
        limit: int,
    ) -> list[str]:
        """Ids of the generation's passages that fit, best first as the server sees it.

        ``ids`` says which passage stands behind each id on the server, so that no object has to be read
        there: that was a third of the search.
        """
        from weaviate.classes.query import Filter

        found = await self._search(
            client,
            self.names.knowledge,
            text=text,
            vector=vector,
            limit=limit,
            filters=Filter.by_property("generation").equal(generation),
            return_properties=[],
        )
        # Equal ones in an order of our own: the server's may be another after a restart.
        known = [(-score, ids[one.uuid]) for one, score in found if one.uuid in ids]
        return [chunk_id for _, chunk_id in sorted(known)]

    async def findable_turns(
        self, client: WeaviateAsyncClient, *, ids: Sequence[int], vector: Vector
    ) -> set[int]:
        """Which of the turns a search by vectors finds, however far away they are."""
        from weaviate.classes.query import Filter

        wanted = [turn_uuid(turn_id) for turn_id in ids]
        found = await self._use(client, self.names.turns).query.near_vector(
            vector.tolist(),
            limit=len(wanted),
            filters=Filter.by_id().contains_any(wanted),
            return_properties=["turn_id"],
        )
        return {int(one.properties["turn_id"]) for one in found.objects}

    async def findable_chunks(
        self, client: WeaviateAsyncClient, *, generation: int, vector: Vector, limit: int
    ) -> set[str]:
        """Which passages of the generation a search by vectors finds, however far away they are."""
        from weaviate.classes.query import Filter

        found = await self._use(client, self.names.knowledge).query.near_vector(
            vector.tolist(),
            limit=limit,
            filters=Filter.by_property("generation").equal(generation),
            return_properties=["chunk_id"],
        )
        return {str(one.properties["chunk_id"]) for one in found.objects}

    @staticmethod
    def vector_of(chunk: StoredChunk, space: Space | None) -> Vector | None:
        """The chunk's vector; None when it has none that this index could compare."""
        return _vector(chunk.vector, chunk.model, chunk.dimensions, space)

    async def page(
        self, client: WeaviateAsyncClient, *, after: UUID | None, limit: int
    ) -> list[tuple[UUID, int, str]]:
        """The next turns behind an id on the server, in the order of these ids: id, turn, sender."""
        collection = self._use(client, self.names.turns)
        found = await collection.query.fetch_objects(
            limit=limit,
            after=after or UUID(int=0),
            return_properties=["turn_id", "sender_id"],
        )
        return [
            (UUID(str(one.uuid)), int(one.properties["turn_id"]), str(one.properties["sender_id"]))
            for one in found.objects
        ]

    async def count_turns(self, client: WeaviateAsyncClient) -> int:
        """How many turns the server holds, everybody's."""
        found = await self._use(client, self.names.turns).aggregate.over_all(total_count=True)
        return int(found.total_count or 0)

    async def count_chunks(self, client: WeaviateAsyncClient, *, generation: int) -> int:
        """How many passages of a generation the server holds."""
        from weaviate.classes.query import Filter

        found = await self._use(client, self.names.knowledge).aggregate.over_all(
            filters=Filter.by_property("generation").equal(generation), total_count=True
        )
        return int(found.total_count or 0)

    async def fetch_turns(self, client: WeaviateAsyncClient, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What the server holds of these turns: properties, and ``vector``."""
        collection = self._use(client, self.names.turns)
        wanted = [turn_uuid(turn_id) for turn_id in ids]
        found = await collection.query.fetch_objects_by_ids(wanted, limit=len(wanted), include_vector=True)
        return {
            int(one.properties["turn_id"]): {**one.properties, "vector": one.vector.get("default")}
            for one in found.objects
        }

    def _use(self, client: WeaviateAsyncClient, name: str) -> Any:
        from weaviate.classes.config import ConsistencyLevel

        made = self._made.setdefault(client, {})
        if name not in made:
            # What we pass it is typed here already.
            collection = client.collections.use(name, skip_argument_validation=True)
            made[name] = collection.with_consistency_level(ConsistencyLevel[self._consistency])
        return made[name]

    async def _put(
        self, client: WeaviateAsyncClient, name: str, objects: Sequence[DataObject[Any, Any]]
    ) -> None:
        if not objects:
            return
        done = await self._use(client, name).data.insert_many(objects)
        if done.has_errors:
            first = next(iter(done.errors.values()))
            raise WeaviateAway(f"{len(done.errors)} of {len(objects)} writes failed: {first.message}")

    async def _delete(self, client: WeaviateAsyncClient, name: str, where: Any) -> None:
        # One call deletes at most 10,000 objects, and says so in no other way than by what is left.
        while True:
            done = await self._use(client, name).data.delete_many(where=where)
            if done.failed:
                raise WeaviateAway(f"{done.failed} of {done.matches} deletions failed")
            if not done.matches:
                return

    async def _search(
        self,
        client: WeaviateAsyncClient,
        name: str,
        *,
        text: str,
        vector: Vector | None,
        **how: Any,
    ) -> list[tuple[Any, float]]:
        """Objects and scores (larger is better) of what is found by words, by meaning, or by both."""
        from weaviate.classes.query import MetadataQuery

        query = self._use(client, name).query
        scored = {**how, "return_metadata": MetadataQuery(score=True)}
        if vector is None:
            found = await query.bm25(text, **scored) if text else None
        elif text:
            # Without a bound for the distance: it would also leave out what has these words and no vector.
            found = await query.hybrid(text, vector=vector.tolist(), alpha=ALPHA, **scored)
        else:
            near = await query.near_vector(
                vector.tolist(), return_metadata=MetadataQuery(distance=True), **how
            )
            return [(one, 1.0 - one.metadata.distance) for one in near.objects]
        return [(one, one.metadata.score) for one in (found.objects if found else ())]


def telling(text: str) -> str:
    """The words that may name the subject; all of them when none does.

    Everybody says "kak" and "berapa": they cost the server most of its work and tell nothing.
    """
    asked = dict.fromkeys(text.split())
    return " ".join([word for word in asked if weight_of(word) == 1] or asked)


def _vector(
    stored: bytes | None, model: str | None, dimensions: int | None, space: Space | None
) -> Vector | None:
    """The stored vector; None when it is of another space than the index, and could not be compared."""
    if stored is None or space is None or (model, dimensions) != (space.model, space.dimensions):
        return None
    return from_bytes(stored)
