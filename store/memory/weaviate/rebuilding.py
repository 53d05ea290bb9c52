"""Fills the Weaviate index anew from SQL, and proves by counts and samples that it holds the same.

It is the log followed from its beginning, so it may be cut off anywhere and goes on at the next call; a bot
that runs meanwhile answers from its own index.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy import Connection, func, select

from config.memory import MemorySettings
from store import changes, knowledge
from store.doors import Store
from store.memory.weaviate.collections import TurnRow, read_turns
from store.memory.weaviate.errors import WeaviateAway
from store.memory.weaviate.follower import Follower
from store.memory.weaviate.link import PAUSE_S, Link
from store.memory.weaviate.sweep import Result, Sweep
from store.schema import turns

SAMPLES = 200
# A server that has so much to do that calls time out gets this many pauses in a row.
_PATIENCE = 12
_FOLLOW_S = 5.0
# The server keeps floats of 32 bits, and the vectors are unit vectors.
_CLOSE = 1e-3

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What SQL has, what the server has, and how a sample compares."""

    turns: int
    turns_on_server: int
    passages: int
    passages_findable: int
    generation: int
    strays: int
    missing: int
    sampled: int
    differing: int

    @property
    def is_good(self) -> bool:
        """Whether the server holds the same as SQL."""
        return (
            self.missing == self.differing == 0
            and self.turns == self.turns_on_server
            and self.passages == self.passages_findable
        )


async def rebuild(store: Store, settings: MemorySettings, on_progress: OnProgress) -> Verdict:
    """Fill and verify; ``on_progress`` hears the log's number that is reached, and the last one.

    Raises ``WeaviateError`` when the server stays away or refuses.
    """
    link = Link(settings)
    follower = Follower(store, settings, link)
    try:
        await link.load()
        await follower.rebuild()
        last = await store.read(changes.last_seq)
        await _fill(follower, link, lambda cursor: on_progress(min(cursor, last), last))
        verdict = await _verify(store, link, follower)
        if verdict.missing:
            # Something was lost on the way; the log is followed once more, and written twice is written once.
            await follower.begin_again()
            await _fill(follower, link, lambda cursor: on_progress(min(cursor, last), last))
            verdict = await _verify(store, link, follower)
        if verdict.is_good:
            await follower.finish_rebuild()
        return verdict
    finally:
        try:
            await follower.close()
        finally:
            await link.close()


async def _fill(follower: Follower, link: Link, progress: Callable[[int], None]) -> None:
    failures = 0
    while True:
        try:
            if not link.is_up:
                raise link.trouble or WeaviateAway("no Weaviate server is reachable")
            await follower.follow(for_s=_FOLLOW_S, progress=progress, look_through=False)
        except WeaviateAway:
            failures += 1
            if failures >= _PATIENCE:
                raise
            await asyncio.sleep(PAUSE_S)
            await link.probe()
        else:
            failures = 0
            if follower.is_filled:
                return


async def _verify(store: Store, link: Link, follower: Follower) -> Verdict:
    sweep = await Sweep.begin(store, link, follower.collections, follower.space)
    while not await sweep.page():
        pass
    rows = await store.read(lambda c: read_turns(c, _sample(c), follower.space), slow=True)
    differing = 0
    for start in range(0, len(rows), 50):
        portion = rows[start : start + 50]
        held = await link.call(
            partial(follower.collections.fetch_turns, ids=[row.id for row in portion]), patient=True
        )
        differing += sum(not _is_same(row, held.get(row.id)) for row in portion)
    return await _verdict(store, link, follower, sweep.result, sampled=len(rows), differing=differing)


async def _verdict(
    store: Store, link: Link, follower: Follower, swept: Result, *, sampled: int, differing: int
) -> Verdict:
    count, chunks = await store.read(lambda c: (_count(c), knowledge.load_all(c)), slow=True)
    return Verdict(
        turns=count,
        turns_on_server=await link.call(follower.collections.count_turns, patient=True),
        passages=len(chunks),
        passages_findable=await link.call(
            partial(follower.collections.count_chunks, generation=follower.generation), patient=True
        ),
        generation=follower.generation,
        strays=swept.strays,
        missing=swept.missing,
        sampled=sampled,
        differing=differing,
    )


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(turns)).scalar_one())


def _sample(connection: Connection) -> list[int]:
    ids = list(connection.execute(select(turns.c.id)).scalars())
    return random.sample(ids, min(SAMPLES, len(ids)))


def _is_same(row: TurnRow, held: dict[str, object] | None) -> bool:
    if held is None:
        return False
    wanted = (str(row.customer_id), row.asked, row.replied, row.author, row.search_text)
    if tuple(held.get(key) for key in ("sender_id", "asked", "replied", "author", "words")) != wanted:
        return False
    if row.vector is None:
        return not held["vector"]
    return bool(np.allclose(np.asarray(held["vector"], dtype=np.float32), row.vector, atol=_CLOSE))
