"""The memory that lives in the bot's own process: no server, for one host.

Knowledge is an index of one whole generation, built off the loop from SQL and swapped in one step. Recall
reads the customer's own rows. Both work the same over SQLite and PostgreSQL.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from store import changes, embedding_space, knowledge
from store.changes import Change
from store.doors import Store
from store.embedding_space import Space
from store.knowledge import StoredChunk
from store.memory import recall
from store.memory.index import Passage, Query, Recalled
from store.memory.passages import PassageIndex
from store.memory.recall import MOST_TURNS, History, HistoryCache

# Reading and parsing this many turns takes about a millisecond; more of them leave the event loop.
INLINE_TURNS = 64
# A long history takes 10 MB while it is read. Python parses one at a time anyway; more would only add up.
LONG_READS = 1
# One search over this many passages takes about a millisecond; beyond it, searches leave the loop too.
INLINE_PASSAGES = 8_000
CHANGES_AT_ONCE = 1_000
# Enough for a hundred customers who are writing now; the whole bot has to fit into a small VPS.
CACHE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What one read gave: the history as it is now and the turns that fit."""

    history: History
    turns: list[Recalled]
    complete: bool  # every turn that ranked is still there


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loaded:
    """One committed generation and where the log stood with it."""

    chunks: list[StoredChunk]
    generation: int
    space: Space | None
    seq: int


class EmbeddedMemory:
    """``store.memory.index.MemoryIndex`` over the store's own rows."""

    name = "embedded"

    def __init__(self, store: Store, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._store = store
        self._space: Space | None = None
        self._passages = PassageIndex((), generation=0, space=None)
        self._cursor = 0
        self._histories = HistoryCache(most_bytes=cache_bytes)
        self._following = asyncio.Lock()
        self._long_reads = asyncio.Semaphore(LONG_READS)
        self.generation = 0

    @property
    def trouble(self) -> str | None:
        """Never any: without the database nothing works, and that is told elsewhere."""
        return None

    @property
    def passages(self) -> PassageIndex:
        """The generation that is served now; another one takes its place, this one never changes."""
        return self._passages

    @property
    def passage_count(self) -> int:
        return len(self._passages)

    @property
    def vector_count(self) -> int:
        """Passages whose vectors take part in searches."""
        return self._passages.vector_count

    @property
    def cached_bytes(self) -> int:
        """What the histories of recent customers take."""
        return self._histories.size_bytes

    async def open(self) -> None:
        """Build the index of the current generation; what changes from here on comes by ``catch_up``."""
        async with self._following:
            self._histories.clear()
            await self._rebuild()

    async def close(self) -> None:
        self._histories.clear()

    async def catch_up(self) -> int:
        """Apply the log beyond the cursor. One cheap read when nothing happened."""
        async with self._following:
            applied = 0
            while found := await self._store.read(self._read_changes):
                await self._apply(found)
                self._cursor = found[-1].seq
                applied += len(found)
                if len(found) < CHANGES_AT_ONCE:
                    break
            return applied

    async def search(self, query: Query, *, limit: int) -> list[Passage]:
        # One reference for the whole search: a swap meanwhile can't mix two generations.
        passages = self._passages
        if len(passages) > INLINE_PASSAGES:
            return await asyncio.to_thread(passages.search, query, limit=limit)
        return passages.search(query, limit=limit)

    async def recall(
        self, *, customer_id: int, query: Query, before_turn: int | None, limit: int
    ) -> list[Recalled]:
        if limit <= 0:
            return []
        held = self._histories.get(customer_id)
        if held is not None:
            found = await self._store.read(
                lambda connection: self._from_held(connection, customer_id, held, query, before_turn, limit)
            )
            if found.complete:
                # Dropped meanwhile means that it may hold something deleted: it must not come back.
                if found.history is not held and self._histories.get(customer_id) is held:
                    self._histories.put(customer_id, found.history)
                return found.turns
            self._histories.drop(customer_id)
        return await self._recall_anew(customer_id, query, before_turn, limit)

    async def _recall_anew(
        self, customer_id: int, query: Query, before_turn: int | None, limit: int
    ) -> list[Recalled]:
        space = self._space
        fresh = await self._store.read(
            lambda connection: _anew(
                connection, customer_id, space, query, before_turn, limit, most=INLINE_TURNS
            )
        )
        if len(fresh.history.ids) == INLINE_TURNS:
            async with self._long_reads:
                fresh = await self._store.read(
                    lambda connection: _anew(
                        connection, customer_id, space, query, before_turn, limit, most=MOST_TURNS
                    ),
                    slow=True,
                )
        # Entries that the cursor has passed since the read could not drop what was not held yet.
        if fresh.history.seen_seq >= self._cursor and len(fresh.history.ids):
            self._histories.put(customer_id, fresh.history)
        return fresh.turns

    def _from_held(
        self,
        connection: Connection,
        customer_id: int,
        held: History,
        query: Query,
        before_turn: int | None,
        limit: int,
    ) -> _Found:
        newer = recall.read_newer(connection, customer_id, self._space, newest=held.newest)
        history = recall.extend(held, newer, self._space)
        ranked = recall.rank(history, query, before_turn=before_turn, limit=limit)
        found = recall.fetch(connection, customer_id, ranked)
        return _Found(history=history, turns=found, complete=len(found) == len(ranked))

    def _read_changes(self, connection: Connection) -> list[Change]:
        return changes.after(connection, self._cursor, limit=CHANGES_AT_ONCE)

    async def _apply(self, found: list[Change]) -> None:
        """Histories first: they only forget, so doing it twice after a failed rebuild does no harm."""
        for change in found:
            if change.entity == changes.CUSTOMER and change.tombstone:
                self._histories.drop(int(change.ref))
            elif change.entity == changes.TURN and change.customer_id is not None:
                self._histories.apply_turn(
                    change.customer_id, int(change.ref), seq=change.seq, tombstone=change.tombstone
                )
        if any(change.entity == changes.KNOWLEDGE for change in found):
            await self._rebuild(unless_generation=self.generation)

    async def _rebuild(self, *, unless_generation: int | None = None) -> None:
        """Read one committed generation, index it in a thread, and swap."""
        loaded = await self._store.read(lambda connection: _load(connection, unless_generation), slow=True)
        if loaded is None:
            return
        # Once a space is known this process asks in it until it is restarted.
        space = self._space or loaded.space
        passages = await asyncio.to_thread(
            PassageIndex, loaded.chunks, generation=loaded.generation, space=space
        )
        if space != self._space:
            # Histories that were parsed without vectors would stay without.
            self._histories.clear()
            self._space = space
        self._passages = passages
        self.generation = passages.generation
        if unless_generation is None:
            self._cursor = loaded.seq


def _load(connection: Connection, unless_generation: int | None) -> _Loaded | None:
    generation = knowledge.current_generation(connection)
    if generation == unless_generation:
        return None
    return _Loaded(
        chunks=knowledge.load_all(connection),
        generation=generation,
        space=embedding_space.stored(connection),
        seq=changes.last_seq(connection),
    )


def _anew(
    connection: Connection,
    customer_id: int,
    space: Space | None,
    query: Query,
    before_turn: int | None,
    limit: int,
    *,
    most: int,
) -> _Found:
    seen_seq = changes.last_seq(connection)
    history = recall.parse(
        recall.read_newest(connection, customer_id, space, most=most), space, seen_seq=seen_seq
    )
    ranked = recall.rank(history, query, before_turn=before_turn, limit=limit)
    return _Found(history=history, turns=recall.fetch(connection, customer_id, ranked), complete=True)
