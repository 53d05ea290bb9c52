"""The smallest server to compare with: read, compare SHA-512, await a group commit through bare SQLite.

``python -m bench.baselines.bare_webhook FILE KEY`` prints its port and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import queue
import sys
import threading
from pathlib import Path
from typing import Any

import pysqlite3
from aiohttp import web

_MAX_GROUP = 64
_SCHEMA = "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, body BLOB)"
_INSERT = "INSERT INTO events (hash, body) VALUES (?, ?) ON CONFLICT DO NOTHING"


class Writer(threading.Thread):
    """Commits whatever waits in one transaction, then wakes everybody who waited."""

    def __init__(self, file: Path, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(daemon=True)
        self._file = file
        self._loop = loop
        self.jobs: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()

    def run(self) -> None:
        connection = pysqlite3.connect(str(self._file), isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        # 2 is FULL: without it the comparison would be of something else.
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        connection.execute(_SCHEMA)
        while True:
            group = [self.jobs.get()]
            while len(group) < _MAX_GROUP:
                try:
                    group.append(self.jobs.get_nowait())
                except queue.Empty:
                    break
            connection.execute("BEGIN IMMEDIATE")
            for body, _ in group:
                connection.execute(_INSERT, (hashlib.sha256(body).digest(), body))
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_wake, [done for _, done in group])


def _wake(waiting: list[asyncio.Future[None]]) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(None)


async def _serve(file: Path, key: str) -> None:
    loop = asyncio.get_running_loop()
    writer = Writer(file, loop)
    writer.start()

    async def notification(request: web.Request) -> web.Response:
        body = await request.read()
        fields: dict[str, Any] = json.loads(body)
        text = f"{fields['order_id']}{fields['status_code']}{fields['gross_amount']}{key}"
        if not hmac.compare_digest(hashlib.sha512(text.encode()).hexdigest(), fields["signature_key"]):
            return web.Response(status=403)
        done: asyncio.Future[None] = loop.create_future()
        writer.jobs.put((body, done))
        await done
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.post("/midtrans/notification", notification)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
