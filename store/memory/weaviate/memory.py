"""The memory on a Weaviate server, with the embedded one always ready behind it.

The server finds and ranks, with one call for the knowledge and one for the past: the words of all phrasings
together, and the vector of the one that stands on its own. What it found is read from SQL, so nothing that
was deleted or belongs to somebody else can come out of it, however old its data is. Whatever it cannot answer
at once (it is away, too slow, of another schema, or lacks the newest knowledge) the embedded memory answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog

from config.memory import MemorySettings
from store.doors import Store
from store.errors import StoreError
from store.memory import recall
from store.memory.embedded import EmbeddedMemory
from store.memory.index import Passage, Query, Recalled
from store.memory.passages import PassageIndex
from store.memory.ranking import DAMPING
from store.memory.weaviate.collections import Ranked, chunk_uuid, telling
from store.memory.weaviate.errors import WeaviateError, WeaviateRefuses
from store.memory.weaviate.follower import Follower
from store.memory.weaviate.link import Link, Work
from store.vectors import Vector

log = structlog.get_logger(__name__)

T = TypeVar("T")

# One call of ``catch_up`` works for about so long: the knowledge of the embedded memory comes with the next.
FOLLOW_S = 1.0
# The server hears of new turns in portions: each costs two commits and a write there, beside the answers that
# are being made. The newest turns of a chat come from SQL anyway, so nobody misses them.
FOLLOW_EVERY_S = 3.0
# So many passages are looked at more closely by ourselves.
CANDIDATES = 30
# Turns that fit equally are told apart by their age, which the server does not do: it is asked for more.
_MORE = 6


class WeaviateMemory:
    """``store.memory.index.MemoryIndex`` over a Weaviate server."""

    name = "weaviate"

    def __init__(
        self,
        store: Store,
        settings: MemorySettings,
        *,
        link: Link | None = None,
        follow_every_s: float = 0.0,
    ) -> None:
        self._store = store
        self._link = link or Link(settings)
        self._follower = Follower(store, settings, self._link, every_s=follow_every_s)
        self._embedded = EmbeddedMemory(store)
        self._following = asyncio.Lock()
        self._trouble: str | None = None
        # What stands behind the server's ids, of the generation that was searched last.
        self._ids: tuple[int, dict[UUID, str]] = (0, {})
        # How many searches each side answered, and how often the server named another's turn.
        self.by_server = 0
        self.by_ourselves = 0
        self.foreign = 0

    @property
    def generation(self) -> int:
        return self._embedded.generation

    @property
    def trouble(self) -> str | None:
        """Why the server is not used; None when it is."""
        return self._trouble

    @property
    def is_served(self) -> bool:
        """Whether the server holds everything of weight, and is the one that is asked."""
        return self._serves() and self._follower.generation == self._embedded.generation

    @property
    def every_node_is_up(self) -> bool:
        """Whether no node of the cluster is left alone for its failures."""
        return self._link.every_node_is_up

    async def open(self) -> None:
        """Ready to answer, with or without the server.

        A server that is away, refuses the key or has another schema is no reason not to start: customers
        are answered meanwhile, and ``trouble`` says what is to be done.
        """
        await self._link.load()
        await self._embedded.open()
        await self._follow()

    async def close(self) -> None:
        # A database that is away at the end keeps nobody from ending; the right to write runs out by itself.
        with contextlib.suppress(StoreError):
            await self._follower.close()
        await self._link.close()
        await self._embedded.close()

    async def catch_up(self) -> int:
        """Both follow the log. The number of changes that the server was told."""
        await self._embedded.catch_up()
        return await self._follow()

    async def search(self, query: Query, *, limit: int) -> list[Passage]:
        # One reference for the whole search: a swap meanwhile can't mix two generations.
        passages = self._embedded.passages
        # The newest knowledge is searched by ourselves until the server has all of it.
        is_behind = not 0 < passages.generation == self._follower.generation
        if limit <= 0 or is_behind or not self._serves():
            return await self._search_ourselves(query, limit)
        asking = asyncio.create_task(self._asked(self._ranking_of(passages, query, limit)))
        # It is sent now; the server searches while we score.
        await asyncio.sleep(0)
        scored = passages.score(query)
        found = await asking
        # Two swaps later what was searched may have been deleted while it was.
        if found is None or self._embedded.generation > passages.generation + 1:
            return await self._search_ourselves(query, limit)
        self.by_server += 1
        return passages.judge(scored, found, limit=limit)

    async def _search_ourselves(self, query: Query, limit: int) -> list[Passage]:
        self.by_ourselves += 1
        return await self._embedded.search(query, limit=limit)

    def _ranking_of(self, passages: PassageIndex, query: Query, limit: int) -> Work[list[str]]:
        """The call that ranks the passages on the server."""
        return partial(
            self._follower.collections.rank_chunks,
            generation=passages.generation,
            ids=self._ids_of(passages),
            text=" ".join(passages.spelled_out(text) for text in query.texts),
            vector=_vector(query),
            limit=max(CANDIDATES, limit),
        )

    async def recall(
        self, *, customer_id: int, query: Query, before_turn: int | None, limit: int
    ) -> list[Recalled]:
        if limit <= 0:
            return []
        found = None
        if self._serves():
            found = await self._asked(
                partial(
                    self._follower.collections.rank_turns,
                    customer_id=customer_id,
                    text=telling(" ".join(query.texts)),
                    vector=_vector(query),
                    before_turn=before_turn,
                    limit=limit + _MORE,
                )
            )
        if found is None:
            self.by_ourselves += 1
            return await self._embedded.recall(
                customer_id=customer_id, query=query, before_turn=before_turn, limit=limit
            )
        self.by_server += 1
        ranked = self._own(found, customer_id)
        turns = await self._store.read(lambda c: recall.fetch(c, customer_id, ranked[:limit]))
        if len(turns) < limit < len(ranked):
            # Something was deleted since the server last heard of it.
            turns = await self._store.read(lambda c: recall.fetch(c, customer_id, ranked))
        return turns[:limit]

    def _ids_of(self, passages: PassageIndex) -> dict[UUID, str]:
        """The passages' ids by those that they have on the server."""
        if self._ids[0] != passages.generation:
            ids = {chunk_uuid(passages.generation, id): id for id in passages.ids}
            self._ids = (passages.generation, ids)
        return self._ids[1]

    def _serves(self) -> bool:
        return self._link.is_up and self._follower.is_current

    async def _asked(self, ask: Work[T]) -> T | None:
        """What the server answers; None when it does not."""
        try:
            return await self._link.call(ask)
        except WeaviateError as exc:
            log.warning("memory_server_failed", reason=str(exc))
            self._follower.doubt()
            self._trouble = str(exc)
            return None

    def _own(self, found: list[Ranked], customer_id: int) -> list[tuple[int, float]]:
        """Ids of this customer's turns alone, with their ranks' scores, best first."""
        own = [one for one in found if one.sender_id == str(customer_id)]
        if len(own) < len(found):
            self.foreign += len(found) - len(own)
            log.error("memory_named_anothers_turn", count=len(found) - len(own))
        # Of two turns that fit equally the newer one is first: what was said last holds.
        own.sort(key=lambda one: (-one.score, -one.turn_id))
        return [(one.turn_id, 1 / (DAMPING + rank)) for rank, one in enumerate(own, start=1)]

    async def _follow(self) -> int:
        async with self._following:
            await self._link.probe()
            if not self._link.is_up:
                self._trouble = str(self._link.trouble)
                return 0
            try:
                applied = await self._follower.follow(for_s=FOLLOW_S)
            except WeaviateRefuses as exc:
                self._link.give_up(exc)
                self._trouble = str(exc)
                return 0
            except WeaviateError as exc:
                self._trouble = str(exc)
                return 0
            if self._follower.is_current:
                self._trouble = None
            return applied


def _vector(query: Query) -> Vector | None:
    """Where the server looks. Of two phrasings it is the second's, which stands on its own."""
    return query.vectors[-1] if query.vectors else None
