"""What a Weaviate server costs and finds: ``python -m bench.memory [--quick | --full] [--turns N]``.

Both memories and the bare Weaviate client in one run, over the same past: 200,000 turns of 20,000 customers
at 512 dimensions, clustered as questions to one shop are, with one needle a customer. ``--quick`` has
20,000 of 2,000. First whether what is found is right; then the speed, in blocks that take turns: recall
through our index and the very same query through the bare client, and whole answers of two bots, one on each
memory. The server is filled once, by the product's own rebuild, and kept in the user's cache.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import weaviate
from sqlalchemy import select
from weaviate.classes.init import Auth
from weaviate.classes.query import Filter, MetadataQuery

from bench import past
from bench.child import Child
from bench.figures import figure, median, median_ratio, quantile, share_of
from bench.past import Past, needle_of
from bench.questions import Ask, asks, texts
from bench.served import Served, about_to_fill, served
from bench.settings import settings_for
from rag.model import ModelClient
from rag.retrieval import query_from
from sandbox.openai.process import OpenAIStandInProcess
from sandbox.weaviate.node import KEY
from store.memory.embedded import EmbeddedMemory
from store.memory.index import MemoryIndex, Query
from store.memory.weaviate.collections import ALPHA, telling
from store.memory.weaviate.memory import WeaviateMemory
from store.schema import turns as turn_rows
from store.sqlite import SqliteStore
from store.vectors import Vector, from_bytes, unit

EACH = 10
SAMPLED = 200
TOP = 5
# As an answer asks for them.
LIMIT = 3
_NOISE = 0.02
_FILLED_WAIT_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How much is measured."""

    turns: int
    rounds: int
    recalls: int  # of one block
    answers: int  # of one block


PLANS = {
    "quick": Plan(turns=20_000, rounds=5, recalls=100, answers=40),
    "usual": Plan(turns=200_000, rounds=5, recalls=200, answers=80),
    "full": Plan(turns=200_000, rounds=15, recalls=400, answers=160),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One recall: whose, with what words and vector."""

    customer_id: int
    query: Query


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0 whatever they are."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__.split("\n")[0])
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_const", const="quick", dest="size")
    sizes.add_argument("--full", action="store_const", const="full", dest="size")
    parser.add_argument("--turns", type=int, help="another size of the past")
    options = parser.parse_args(arguments)
    plan = PLANS[options.size or "usual"]
    turns = options.turns or plan.turns
    print(f"{turns} turns; the first time: {about_to_fill(turns + turns // 10)}", file=sys.stderr, flush=True)
    with OpenAIStandInProcess() as model, ExitStack() as stack:
        large = past.ready(turns, model.base_url, needles_each=EACH)
        small = past.ready(turns // 10, model.base_url, needles_each=EACH)
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=past.cache_folder()))
        )
        both = [stack.enter_context(served(one, model.base_url, folder)) for one in (large, small)]
        figure("memory.ingest", both[0].filled.turns_a_second, "turns/s")
        figure("memory.disk", both[0].filled.disk_mb, "MB")
        asyncio.run(_searches(plan, model.base_url, both[0], both[1]))
        figure("memory.server_rss", both[0].resident_mb(), "MB")
        _answers(plan, model, both[0], large, folder)
    return 0


async def _searches(plan: Plan, base_url: str, large: Served, small: Served) -> None:
    """Whether the right things are found, and how fast, on one event loop."""
    async with ModelClient(settings_for(base_url, large.state_dir).model) as model:
        assert model.embedder is not None, "the benchmarks run with vectors"
        questions = texts()
        vectors = dict(zip(questions, (await model.embedder.embed(questions)).vectors, strict=True))
    many, few = await Side.open(base_url, large), await Side.open(base_url, small)
    try:
        await _is_right(many)
        await _is_fast(plan, many, few, vectors)
    finally:
        await many.close()
        await few.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One past with everything that searches it."""

    store: SqliteStore
    memory: WeaviateMemory
    embedded: EmbeddedMemory
    client: weaviate.WeaviateAsyncClient
    collection: str
    customers: int

    @classmethod
    async def open(cls, base_url: str, side: Served) -> Side:
        settings = settings_for(base_url, side.state_dir, **side.settings)
        store = await SqliteStore.open(settings.sqlite_path)
        memory = WeaviateMemory(store, settings.memory)
        await memory.open()
        deadline = time.monotonic() + _FILLED_WAIT_S
        while memory.trouble is not None or not memory.is_served:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the server is not used: {memory.trouble}")
            await memory.catch_up()
        embedded = EmbeddedMemory(store)
        await embedded.open()
        client = weaviate.use_async_with_custom(
            *("127.0.0.1", side.node.ports.http, False),
            *("127.0.0.1", side.node.ports.grpc, False),
            auth_credentials=Auth.api_key(KEY),
            skip_init_checks=True,
        )
        await client.connect()
        return cls(
            store=store,
            memory=memory,
            embedded=embedded,
            client=client,
            collection=f"{settings.memory.weaviate_prefix}ChatTurn",
            customers=side.past.customers,
        )

    async def close(self) -> None:
        await self.client.close()
        await self.memory.close()
        await self.embedded.close()
        await self.store.close()

    async def turns_of(self, customer_id: int) -> dict[int, Vector]:
        """All turns of the customer, straight from SQL."""
        wanted = select(turn_rows.c.id, turn_rows.c.vector).where(turn_rows.c.customer_id == customer_id)
        rows = await self.store.read(lambda c: c.execute(wanted).all(), slow=True)
        return {row[0]: from_bytes(row[1]) for row in rows}

    async def bare(self, asked: Asked) -> list[Any]:
        """The query that our recall makes, by somebody who has nothing but the client."""
        found = await self.client.collections.use(self.collection).query.hybrid(
            telling(asked.query.texts[0]),
            vector=asked.query.vectors[0].tolist(),
            alpha=ALPHA,
            limit=LIMIT,
            filters=Filter.by_property("sender_id").equal(str(asked.customer_id)),
            return_properties=["turn_id", "asked", "replied", "author", "created_ms"],
            return_metadata=MetadataQuery(score=True),
        )
        return list(found.objects)


async def _is_right(side: Side) -> None:
    chance, noise = random.Random(5), np.random.default_rng(5)
    sampled = chance.sample(range(1, side.customers + 1), min(SAMPLED, side.customers))
    overlaps: list[float] = []
    needles = foreign = 0
    for customer_id in sampled:
        own = await side.turns_of(customer_id)
        asked = unit(
            chance.choice(list(own.values())) + noise.standard_normal(512).astype(np.float32) * _NOISE
        )
        exact = sorted(own, key=lambda turn_id: -float(own[turn_id] @ asked))[:TOP]
        # Without words the server goes by the vectors alone.
        by_vector = await _recalled(side.memory, customer_id, Query(texts=("",), vectors=(asked,)), TOP)
        overlaps.append(len(set(exact) & set(by_vector)) / len(exact))
        needle = query_from((needle_of(customer_id - 1),), (asked,))
        by_words = await _recalled(side.memory, customer_id, needle, LIMIT)
        needles += min(own) in by_words
        foreign += len(set(by_vector + by_words) - own.keys())
    figure("memory.overlap_top5", statistics.mean(overlaps), "share", at_least=0.95)
    figure("memory.needles_found", share_of(needles, len(sampled)), "%", at_least=99)
    figure("memory.another_senders", foreign + side.memory.foreign, "turns", at_most=0)
    if side.memory.by_ourselves:
        raise RuntimeError("the server did not answer everything: the figures would not be its own")


async def _recalled(memory: MemoryIndex, customer_id: int, query: Query, limit: int) -> list[int]:
    found = await memory.recall(customer_id=customer_id, query=query, before_turn=None, limit=limit)
    return [one.turn_id for one in found]


async def _is_fast(plan: Plan, many: Side, few: Side, vectors: dict[str, Vector]) -> None:
    ours: list[float] = []
    bare: list[float] = []
    small: list[float] = []
    embedded: list[float] = []
    all_ours: list[float] = []
    questions = [_asked(side, vectors, seed=seed) for seed, side in ((6, many), (7, few))]
    for number in range(plan.rounds + 1):
        block = list(itertools.islice(questions[0], plan.recalls))
        small_block = list(itertools.islice(questions[1], plan.recalls))
        times = [
            await _time(block, _through(many.memory)),
            await _time(block, many.bare),
            await _time(small_block, _through(few.memory)),
            # It names only what fits at all, and now and then nothing of ten turns does.
            await _time(block, _through(many.embedded), may_find_nothing=True),
        ]
        if number == 0:
            continue  # Both sides have warmed up.
        all_ours += times[0]
        for side, found in zip((ours, bare, small, embedded), times, strict=True):
            side.append(median(found))
    figure("memory.recall_p50", median(ours), "ms")
    figure("memory.recall_p95", quantile(all_ours, 0.95), "ms")
    figure("memory.recall_bare_p50", median(bare), "ms")
    figure("memory.recall_embedded_p50", median(embedded), "ms")
    figure("memory.recall_ratio", median_ratio(ours, bare), "x", at_most=1.3)
    figure("memory.recall_flat_ratio", median_ratio(ours, small), "x", at_most=1.5)


def _asked(side: Side, vectors: dict[str, Vector], *, seed: int) -> itertools.chain[Asked]:
    return itertools.chain(
        Asked(customer_id=ask.customer + 1, query=query_from((ask.text,), (vectors[ask.text],)))
        for ask in asks(side.customers, seed=seed)
    )


def _through(memory: MemoryIndex) -> Callable[[Asked], Awaitable[object]]:
    return lambda asked: memory.recall(
        customer_id=asked.customer_id, query=asked.query, before_turn=None, limit=LIMIT
    )


async def _time(
    block: Sequence[Asked], search: Callable[[Asked], Awaitable[object]], *, may_find_nothing: bool = False
) -> list[float]:
    found = []
    for asked in block:
        began = time.perf_counter()
        if not await search(asked) and not may_find_nothing:
            raise RuntimeError("a customer with a past recalled nothing")
        found.append((time.perf_counter() - began) * 1000)
    return found


def _answers(plan: Plan, model: OpenAIStandInProcess, side: Served, stored: Past, folder: Path) -> None:
    """Whole answers of two bots, one on each memory, in turns."""
    past.copy_to(stored, folder / "embedded")
    address = ("--base-url", model.base_url)
    chosen = [f"--set={key}={value}" for key, value in side.settings.items()]
    with ExitStack() as stack:
        on_server = stack.enter_context(Child("bot", *address, "--folder", str(side.state_dir), *chosen))
        by_itself = stack.enter_context(Child("bot", *address, "--folder", str(folder / "embedded")))
        questions = asks(stored.customers, seed=8)
        server_ms: list[float] = []
        embedded_ms: list[float] = []
        for number in range(plan.rounds + 1):
            server = median(on_server.one_by_one(_next(questions, plan.answers)))
            embedded = median(by_itself.one_by_one(_next(questions, plan.answers)))
            if number:
                server_ms.append(server)
                embedded_ms.append(embedded)
    more = [ours - theirs for ours, theirs in zip(server_ms, embedded_ms, strict=True)]
    figure("memory.answer_p50", median(server_ms), "ms")
    figure("memory.answer_embedded_p50", median(embedded_ms), "ms")
    figure("memory.answer_beyond_embedded", median(more), "ms", at_most=6)
    figure("memory.answer_ratio", median_ratio(server_ms, embedded_ms), "x", at_most=1.5)


def _next(questions: Any, count: int) -> list[Ask]:
    return list(itertools.islice(questions, count))


if __name__ == "__main__":
    sys.exit(main())
