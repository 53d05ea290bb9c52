"""A Weaviate server that holds a stored past: filled once by the product's own rebuild, then copied."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from bench import past
from bench.past import Past
from bench.settings import settings_for
from config.settings import Settings
from sandbox.weaviate.binary import VERSION, find_or_build
from sandbox.weaviate.node import Ports, WeaviateNode
from store.memory.weaviate.rebuilding import rebuild
from store.sqlite import SqliteStore

# Where nothing was measured yet: 200,000 turns of 512 dimensions on 2 busy cores.
_TURNS_A_SECOND = 400.0
_MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What filling it took and left behind."""

    turns_a_second: float
    disk_mb: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A running copy: the server, and the state of a bot that goes with it."""

    node: WeaviateNode
    state_dir: Path
    past: Past
    filled: Filled

    @property
    def settings(self) -> dict[str, str]:
        return self.node.settings

    def resident_mb(self) -> float:
        """What the server holds in memory now."""
        return float(psutil.Process(self.node.pid).memory_info().rss) / _MB


def about_to_fill(turns: int) -> str:
    """How long filling will take on this machine, as one sentence."""
    rates = [_told(file.parent)["filled"]["turns_a_second"] for file in _kept().glob("*/filled.json")]
    # The slowest one: more turns are never faster.
    minutes = turns / min(rates, default=_TURNS_A_SECOND) / 60
    return f"filling Weaviate with {turns} turns, about {minutes:.0f} minutes, once"


@contextlib.contextmanager
def served(stored: Past, base_url: str, folder: Path) -> Iterator[Served]:
    """A server with this past in it, on a copy below ``folder``."""
    kept = _kept() / f"{stored.file.stem}-{VERSION}"
    if not (kept / "filled.json").exists():
        print(f"{about_to_fill(stored.turns)} ...", file=sys.stderr, flush=True)
        _fill(stored, base_url, kept)
    told = _told(kept)
    copy = folder / f"served-{stored.turns}"
    shutil.copytree(kept, copy)
    # The server finds itself again by the addresses that it wrote down.
    node = WeaviateNode(find_or_build(), folder=copy / "server", ports=Ports(**told["ports"]))
    try:
        node.start()
        yield Served(node=node, state_dir=copy / "state", past=stored, filled=Filled(**told["filled"]))
    finally:
        node.kill()


def _kept() -> Path:
    return past.cache_folder() / "weaviate"


def _told(filled: Path) -> Any:
    return json.loads((filled / "filled.json").read_text())


def _fill(stored: Past, base_url: str, kept: Path) -> None:
    building = kept.with_suffix(".building")
    shutil.rmtree(building, ignore_errors=True)
    past.copy_to(stored, building / "state")
    ports = Ports.free()
    node = WeaviateNode(find_or_build(), folder=building / "server", ports=ports)
    try:
        node.start()
        settings = settings_for(base_url, building / "state", **node.settings)
        took_s = asyncio.run(_rebuild(settings))
        node.stop()
    finally:
        node.kill()
    data = building / "server" / "data"
    disk = sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) / _MB
    filled = Filled(turns_a_second=stored.turns / took_s, disk_mb=disk)
    (building / "filled.json").write_text(json.dumps({"ports": asdict(ports), "filled": asdict(filled)}))
    building.rename(kept)
    for outdated in set(kept.parent.glob(f"{stored.file.stem.rpartition('-')[0]}-*")) - {kept}:
        shutil.rmtree(outdated, ignore_errors=True)


async def _rebuild(settings: Settings) -> float:
    store = await SqliteStore.open(settings.sqlite_path)
    began = time.monotonic()
    try:
        verdict = await rebuild(store, settings.memory, _tell)
    finally:
        await store.close()
    if not verdict.is_good:
        raise RuntimeError(f"the index differs from the store: {verdict}")
    return time.monotonic() - began


def _tell(done: int, total: int) -> None:
    print(f"\r  {done} of {total} changes", end="" if done < total else "\n", file=sys.stderr, flush=True)
