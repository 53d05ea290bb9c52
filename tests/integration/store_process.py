"""A process of its own that uses a store, started by ``tests.integration.processes``.

It gets the name of one of the functions below and the store's address, prints "ready", waits for a line
on its standard input, runs the function and prints what it returns as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import alembic.command
import alembic.config
from sqlalchemy import Connection

from store import meta
from store.errors import StoreError
from store.postgres import PostgresStore
from store.sqlite import SqliteStore

if TYPE_CHECKING:
    from store.doors import Store

# Loaded while we may still read the files: one of the scenarios gives up its rights.
PRELOADED = (alembic.command, alembic.config)
INCREMENTS = 1_000
THREADS = 4
NOBODY = 65534


async def open_store(address: str) -> Store:
    if address.startswith("postgresql://"):
        return await PostgresStore.open(address)
    return await SqliteStore.open(Path(address))


async def open_and_write(address: str) -> str:
    """Open the store, possibly at the same moment as another process, and write one fact."""
    store = await open_store(address)
    await store.write(lambda connection: meta.put(connection, f"process-{os.getpid()}", "ada"))
    await store.close()
    return "written"


async def increment(address: str) -> int:
    """Read a number, add one and write it back, 1,000 times in four threads, by both doors."""
    store = await open_store(address)

    def one_more(connection: Connection) -> None:
        found = meta.get(connection, "jumlah")
        meta.put(connection, "jumlah", str(int(found or 0) + 1))

    async def by_write() -> None:
        for _ in range(INCREMENTS // THREADS):
            await store.write(one_more)

    def by_record() -> None:
        for _ in range(INCREMENTS // THREADS):
            store.record(one_more, timeout_s=60)

    with ThreadPoolExecutor(THREADS) as threads:
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(loop.run_in_executor(threads, by_record) for _ in range(THREADS // 2)),
            *(loop.run_in_executor(threads, lambda: asyncio.run(by_write())) for _ in range(THREADS // 2)),
        )
    await store.close()
    return INCREMENTS


async def write_on_a_full_disk(address: str) -> dict[str, object]:
    """Write until no file may grow any more, then make room and go on."""
    store = await SqliteStore.open(Path(address))
    largest = 400_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    written = 0
    error = ""
    while not error and written < 1_000:
        try:
            await store.write(lambda connection: meta.put(connection, f"n{written}", "x" * 2_000))  # noqa: B023 - awaited here
            written += 1
        except StoreError as exc:
            error = f"{type(exc).__name__}: {exc}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.write(lambda connection: meta.put(connection, "sesudah", "ada"))
    after = await store.read(lambda connection: meta.get(connection, "sesudah"))
    await store.close()
    return {"written": written, "error": error, "after": after}


async def use_without_rights(address: str) -> dict[str, str]:
    """Open, read and write as a user without root's rights; what each of the three led to."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    outcome = {}
    try:
        store = await SqliteStore.open(Path(address))
        outcome["open"] = "ok"
    except StoreError as exc:
        return {"open": f"{type(exc).__name__}: {exc}"}
    try:
        found = await store.read(lambda connection: meta.get(connection, "n"))
        outcome["read"] = str(found)
        await store.write(lambda connection: meta.put(connection, "n", str(int(found or 0) + 1)))
        outcome["write"] = "ok"
    except StoreError as exc:
        outcome["write"] = f"{type(exc).__name__}: {exc}"
    await store.close()
    return outcome


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (open_and_write, increment, write_on_a_full_disk, use_without_rights)
}


def main() -> None:
    scenario, address = sys.argv[1:]
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asyncio.run(SCENARIOS[scenario](address))), flush=True)


if __name__ == "__main__":
    main()
