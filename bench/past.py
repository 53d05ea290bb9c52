"""Stored pasts to measure on: a store with knowledge and many turns, built once and copied for every run.

A store is what the product would have left: customers, finished messages, answers and turns with vectors,
in the product's own tables. Only the way there is shorter: rows are inserted in bulk. It is kept in the
user's cache folder and built anew when anything that it is made of changes.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from bench.questions import DATA, QUESTIONS, person, texts
from bench.settings import settings_for
from bot.terminal import codec
from bot.terminal.channel import TRANSPORT
from rag.ingest import ingest
from rag.model import ModelClient
from rag.normalise import search_text
from store import schema
from store.queue import INBOX_TRANSPORT
from store.sqlite import SqliteStore
from store.vectors import to_bytes, unit

TURNS_A_CUSTOMER = 40
# Beside the many there is one customer who has been writing for years.
HEAVY = 0
HEAVY_TURNS = 5_000
# Raised when this file builds something else from the same material.
_VERSION = 1
_BATCH = 2_000
# How far a repeated question's vector is from the first one's: people never ask twice in the same words.
_NOISE = 0.02
_DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A built store: the file to copy, and who is in it."""

    file: Path
    turns: int
    customers: int


def cache_folder() -> Path:
    """Where built stores are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "balas"


def customers_of(turns: int) -> list[int]:
    """How many turns each customer has; small pasts have no heavy customer."""
    heavy = [HEAVY_TURNS] if turns >= 4 * HEAVY_TURNS else []
    return heavy + [TURNS_A_CUSTOMER] * ((turns - sum(heavy)) // TURNS_A_CUSTOMER)


def needle_of(customer: int) -> str:
    """What this customer alone once said, in a past with needles."""
    return f"nomor meteran saya {hashlib.sha256(str(customer).encode()).hexdigest()[:12]}"


def ready(turns: int, base_url: str, *, needles_each: int = 0) -> Past:
    """The past with so many turns, from the cache or built now (some seconds for 200,000).

    With ``needles_each`` every customer has so many turns, and the first of them is his needle.
    """
    kind = f"past-{turns}" if not needles_each else f"needles-{turns}"
    file = cache_folder() / f"{kind}-{_fingerprint()}.db"
    counts = [needles_each] * (turns // needles_each) if needles_each else customers_of(turns)
    if not file.exists():
        print(f"building {file} with {turns} turns ...", file=sys.stderr, flush=True)
        started = time.perf_counter()
        asyncio.run(_build(file, counts, base_url, needles=bool(needles_each)))
        for outdated in set(file.parent.glob(f"{kind}-*.db")) - {file}:
            outdated.unlink()
        print(f"built in {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    return Past(file=file, turns=sum(counts), customers=len(counts))


def copy_to(past: Past, state_dir: Path) -> None:
    """A store of its own for one run."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(past.file, state_dir / "balas.db")


def _fingerprint() -> str:
    """Changes when the tables, the shop or the questions do."""
    found = hashlib.sha256(str(_VERSION).encode())
    for table in schema.metadata.sorted_tables:
        found.update(str(CreateTable(table).compile(dialect=sqlite.dialect())).encode())
    for folder in (DATA, QUESTIONS, Path(__file__).resolve().parents[1] / "store" / "migrations"):
        for path in sorted(folder.rglob("*.*")):
            if path.is_file() and path.suffix not in (".pyc", ".lock"):
                found.update(path.read_bytes())
    return found.hexdigest()[:12]


async def _build(file: Path, counts: list[int], base_url: str, *, needles: bool) -> None:
    """Build beside the final place, so that a broken-off run leaves nothing that looks finished."""
    folder = file.with_suffix(".building")
    shutil.rmtree(folder, ignore_errors=True)
    settings = settings_for(base_url, folder)
    store = await SqliteStore.open(settings.sqlite_path)
    async with ModelClient(settings.model) as model:
        assert model.embedder is not None, "the benchmarks run with vectors"
        await ingest(store, DATA, model.embedder)
        questions = texts()
        vectors = (await model.embedder.embed(questions)).vectors
    rows = _Rows(settings.account, model.embedder.model, questions, vectors, needles=needles)
    for batch in rows.batches(counts):
        await store.write(lambda connection, batch=batch: _insert(connection, batch))  # type: ignore[misc] # mypy infers no default
    await store.close()
    settings.sqlite_path.rename(file)
    shutil.rmtree(folder)


def _insert(connection: Connection, batch: dict[str, list[dict[str, Any]]]) -> None:
    for name, rows in batch.items():
        if rows:
            connection.execute(insert(schema.metadata.tables[name]), rows)


class _Rows:
    """Makes the rows: questions of the set, answered as the shop answers, spread over a year."""

    def __init__(
        self, account: str, model: str, questions: list[str], vectors: list[Any], *, needles: bool
    ) -> None:
        # Customers whose needle was said; None in a past without.
        self._needled: set[int] | None = set() if needles else None
        self._account = account
        self._model = model
        self._chance = random.Random(7)
        self._noise = np.random.default_rng(7)
        self._questions = questions
        self._vectors = vectors
        self._now = int(time.time() * 1000)

    def batches(self, counts: list[int]) -> Iterator[dict[str, list[dict[str, Any]]]]:
        """Rows by table. Customers' turns are interleaved, as they are when all of them write all year."""
        people = range(len(counts))
        yield {
            "customers": [
                {
                    "id": one + 1,
                    "account": self._account,
                    "name": person(one).capitalize(),
                    "created_ms": self._now - 365 * _DAY_MS,
                    "introduced_ms": self._now - 365 * _DAY_MS,
                    "judged_ms": self._now - 365 * _DAY_MS,
                }
                for one in people
            ],
            "aliases": [
                {
                    "account": self._account,
                    "server": codec.SERVER,
                    "user": person(one),
                    "customer_id": one + 1,
                }
                for one in people
            ],
        }
        order = [one for one in people for _ in range(counts[one])]
        self._chance.shuffle(order)
        for start in range(0, len(order), _BATCH):
            batch: dict[str, list[dict[str, Any]]] = {"turns": [], "changes": [], "inbox": [], "outbox": []}
            for number in range(start, min(start + _BATCH, len(order))):
                at = self._now - 364 * _DAY_MS + number * (364 * _DAY_MS // len(order))
                for table, row in self._exchange(number, order[number], at).items():
                    batch[table].append(row)
            yield batch

    def _exchange(self, number: int, customer: int, at: int) -> dict[str, dict[str, Any]]:
        which = self._chance.randrange(len(self._questions))
        asked = self._questions[which]
        if self._needled is not None and customer not in self._needled:
            self._needled.add(customer)
            # Its vector is among everybody's: only its words tell it apart.
            asked = needle_of(customer)
        replied = f"Halo Kak, untuk itu begini ya: {self._chance.choice(self._questions)}"
        noise = self._noise.standard_normal(len(self._vectors[which])).astype(np.float32) * _NOISE
        vector = to_bytes(unit(self._vectors[which] + noise))
        chat = person(customer)
        queue = {
            "account": self._account,
            "key": chat,
            "state": "done",
            "attempts": 1,
            "due_ms": at,
            "claimed_ms": at,
            "finished_ms": at,
            "chat": chat,
            "customer_id": customer + 1,
        }
        line = codec.Line(person=chat, text=asked, message_id=f"past-{number}")
        event = codec.encode(line, account=self._account)
        return {
            "turns": {
                "id": number + 1,
                "customer_id": customer + 1,
                "asked": asked,
                "replied": replied,
                "author": "bot",
                "search_text": search_text(f"{asked}\n{replied}"),
                "vector": vector,
                "model": self._model,
                "dimensions": len(self._vectors[which]),
                "source_ids": "",
                "created_ms": at,
            },
            "changes": {
                "entity": "turn",
                "ref": str(number + 1),
                "customer_id": customer + 1,
                "tombstone": False,
                "created_ms": at,
            },
            "inbox": {
                **queue,
                "transport": INBOX_TRANSPORT,
                "sender": chat,
                "message_id": event.message_id,
                "kind": event.kind,
                "codec": event.codec,
                "raw": event.raw,
                "recorded_ms": at,
            },
            "outbox": {
                **queue,
                "transport": TRANSPORT,
                "kind": "text",
                "purpose": "answer",
                "body": replied,
                "answers": event.message_id,
                "provider_id": f"sent-{number}",
                "created_ms": at,
            },
        }
