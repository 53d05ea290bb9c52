"""Bare commits, for comparison: ``python -m bench.commits FILE`` makes one every 10 ms and prints its time.

One row in a file of its own: WAL, synchronous FULL, and nothing beside it. What they take while bots work on
the same machine is the part of a callback's time that no bot can help.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysqlite3

_EVERY_S = 0.01
# What a message event of the sample questions measures, about.
_EVENT_BYTES = 600


@contextlib.contextmanager
def committing(file: Path) -> Iterator[Any]:
    """A connection whose every statement is a transaction."""
    connection = pysqlite3.connect(str(file), isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, raw BLOB)")
        yield connection
    finally:
        connection.close()


def commit_ms(connection: Any) -> float:
    """Milliseconds of one commit."""
    raw = os.urandom(_EVENT_BYTES)
    began = time.perf_counter()
    connection.execute("INSERT INTO rows (raw) VALUES (?)", (raw,))
    return (time.perf_counter() - began) * 1000


def commits_ms(file: Path, count: int, *, every_s: float) -> list[float]:
    """Milliseconds of each of so many commits, with a rest before each.

    Messages of a lone customer rest between each other too; commits in a row find warm caches and cost half.
    """
    found = []
    with committing(file) as connection:
        for _ in range(count):
            time.sleep(every_s)
            found.append(commit_ms(connection))
    return found


if __name__ == "__main__":
    with committing(Path(sys.argv[1])) as endless:
        while True:
            print(f"{commit_ms(endless):.3f}", flush=True)
            time.sleep(_EVERY_S)
