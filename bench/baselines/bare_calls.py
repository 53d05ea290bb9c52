"""The model's calls and nothing else: one embedding and one chat call an answer, with the very same bodies.

No store, no search, no checks: what any bot that asks the model through the same library must pay.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openai

from bench.questions import Ask

Calls = tuple[dict[str, Any], dict[str, Any]]


class BareCalls:
    """Replays recorded request bodies through one shared client."""

    def __init__(self, client: openai.AsyncOpenAI, calls: Sequence[Calls]) -> None:
        self._client = client
        self._calls: Iterator[Calls] = itertools.cycle(calls)

    async def one_by_one(self, asks: Sequence[Ask]) -> list[float]:
        """So many answers, one after the other; milliseconds of each."""
        return [await self._answer() for _ in asks]

    async def crowd(self, asks: Sequence[Ask], *, in_flight: int) -> None:
        """So many answers, ``in_flight`` at a time."""
        left = iter(asks)

        async def one_of_many() -> None:
            for _ in left:
                await self._answer()

        await asyncio.gather(*(one_of_many() for _ in range(in_flight)))

    async def _answer(self) -> float:
        embedding, chat = next(self._calls)
        started = time.perf_counter()
        await self._client.embeddings.create(**embedding)
        await self._client.chat.completions.create(**chat)
        return (time.perf_counter() - started) * 1000


def read_calls(path: Path) -> list[Calls]:
    """The recorded bodies, two and two."""
    lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    bodies: dict[str, list[dict[str, Any]]] = {"/v1/embeddings": [], "/v1/chat/completions": []}
    for line in lines:
        bodies[line["endpoint"]].append(line["body"])
    return list(zip(*bodies.values(), strict=False))
