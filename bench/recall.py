"""How fast a customer's own past is found: ``python -m bench.recall [--quick | --full]``.

The embedded memory's ``recall`` over the stored past, asked on the event loop as the bot does, with a
question's words and its vector. First everybody in turn, which is nearly always somebody whose history is
not held in memory; then the one customer who has been writing for years, cold and held. ``--quick``
has 20,000 turns instead of 200,000.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import past
from bench.figures import figure, median, quantile
from bench.past import HEAVY, Past
from bench.questions import Ask, asks, texts
from bench.settings import settings_for
from rag.model import ModelClient
from rag.retrieval import query_from
from sandbox.openai.process import OpenAIStandInProcess
from store.memory.embedded import EmbeddedMemory
from store.sqlite import SqliteStore
from store.vectors import Vector

ASKED = 2_000
ASKED_HEAVY = 200
LIMIT = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0 whatever they are."""
    parser = argparse.ArgumentParser(prog="python -m bench.recall", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="the same as without")
    options = parser.parse_args(arguments)
    with OpenAIStandInProcess() as model:
        stored = past.ready(20_000 if options.quick else 200_000, model.base_url)
        with tempfile.TemporaryDirectory(prefix="run-", dir=past.cache_folder()) as folder:
            past.copy_to(stored, Path(folder))
            asyncio.run(_measure(stored, model.base_url, Path(folder)))
    return 0


async def _measure(stored: Past, base_url: str, folder: Path) -> None:
    settings = settings_for(base_url, folder)
    async with ModelClient(settings.model) as model:
        assert model.embedder is not None, "the benchmarks run with vectors"
        questions = texts()
        vectors = dict(zip(questions, (await model.embedder.embed(questions)).vectors, strict=True))
    store = await SqliteStore.open(settings.sqlite_path)
    try:
        everybody = list(itertools.islice(asks(stored.customers, seed=4), ASKED))
        await _time(store, everybody[:100], vectors)
        all_ms = await _time(store, everybody, vectors)
        figure(f"recall.{stored.turns}_turns_p50", median(all_ms), "ms")
        figure(f"recall.{stored.turns}_turns_p95", quantile(all_ms, 0.95), "ms", at_most=2)
        years = [Ask(customer=HEAVY, text=ask.text) for ask in everybody[:ASKED_HEAVY]]
        cold_ms = [ms for ask in years[:20] for ms in await _time(store, [ask], vectors)]
        figure("recall.heavy_cold_p50", median(cold_ms), "ms")
        held_ms = (await _time(store, years, vectors))[1:]
        figure("recall.heavy_held_p95", quantile(held_ms, 0.95), "ms")
    finally:
        await store.close()


async def _time(store: SqliteStore, asked: Sequence[Ask], vectors: dict[str, Vector]) -> list[float]:
    """Milliseconds of each recall, by a memory that was just opened."""
    memory = EmbeddedMemory(store)
    await memory.open()
    found = []
    for ask in asked:
        query = query_from((ask.text,), (vectors[ask.text],))
        started = time.perf_counter()
        recalled = await memory.recall(
            customer_id=ask.customer + 1, query=query, before_turn=None, limit=LIMIT
        )
        found.append((time.perf_counter() - started) * 1000)
        if not recalled:
            raise RuntimeError("a customer with a past recalled nothing")
    await memory.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
