"""One side of a comparison in a process of its own: ``python -m bench.child bot|bare ...``.

Both sides are started, warmed and commanded in the same way: a JSON line in, a JSON line out. What a
command cost is measured here, around both sides alike: wall clock, and the process's own CPU time with
all its threads.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from bench.pipe import Pipe
from bench.questions import Ask
from bench.settings import settings_for


class Side(Protocol):
    """What is measured."""

    async def one_by_one(self, asks: Sequence[Ask]) -> list[float]:
        """Milliseconds of each answer, one in flight."""
        ...

    async def crowd(self, asks: Sequence[Ask], *, in_flight: int) -> None:
        """Return when all are answered, ``in_flight`` at a time."""
        ...


class Child(Pipe):
    """The parent's handle on a side: starts it, commands it, ends it."""

    def __init__(self, *arguments: str) -> None:
        # As run_bot.py starts the product; the other side has no matrices.
        super().__init__("bench.child", *arguments, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})

    def one_by_one(self, asks: Sequence[Ask]) -> list[float]:
        """Milliseconds of each answer, one in flight."""
        found: list[float] = self._command("one_by_one", asks)["ms"]
        return found

    def crowd(self, asks: Sequence[Ask], *, in_flight: int) -> tuple[float, float]:
        """Answers a second, and CPU milliseconds an answer."""
        cost = self._command("crowd", asks, in_flight=in_flight)
        return len(asks) / cost["wall_s"], cost["cpu_s"] * 1000 / len(asks)

    def resident_mb(self) -> float:
        """What the process holds in memory (VmRSS)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the process is gone")

    def _command(self, do: str, asks: Sequence[Ask], **more: int) -> dict[str, Any]:
        return self.ask({"do": do, "asks": [dataclasses.asdict(ask) for ask in asks], **more})


async def serve(side: Side) -> None:
    """Work commands from standard input until it ends."""
    print(json.dumps({"ready": True}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        asks = [Ask(**ask) for ask in command["asks"]]
        wall, cpu = time.perf_counter(), time.process_time()
        ms: list[float] = []
        if command["do"] == "crowd":
            await side.crowd(asks, in_flight=command["in_flight"])
        else:
            ms = await side.one_by_one(asks)
        cost = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "ms": ms}
        print(json.dumps(cost), flush=True)


@contextlib.asynccontextmanager
async def _side(options: argparse.Namespace) -> AsyncIterator[Side]:
    changed = dict(setting.split("=", 1) for setting in options.set)
    settings = settings_for(options.base_url, options.folder, **changed)
    if options.side == "bot":
        from bench.bot import started
        from config import logging

        logging.configure(settings.log, settings.secrets)
        async with started(settings) as bot:
            yield bot
        return
    from bench.baselines.bare_calls import BareCalls, read_calls
    from rag.model import make_client

    async with make_client(settings.model) as client:
        yield BareCalls(client, read_calls(options.calls))


async def _run(options: argparse.Namespace) -> None:
    async with _side(options) as side:
        await serve(side)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.child")
    parser.add_argument("side", choices=("bot", "bare"))
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="the bot's state")
    parser.add_argument("--calls", type=Path, help="recorded bodies, for the bare calls")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another setting")
    asyncio.run(_run(parser.parse_args()))
