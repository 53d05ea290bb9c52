"""Telegram's API on loopback, as far as it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

TOKEN = "123456:rahasia-sekali"


class Messenger:
    """Takes messages with ``status`` and keeps what it took."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        assert request.path == f"/bot{TOKEN}/sendMessage"
        if self.status == 200:
            self.received.append(await request.json())
        return web.json_response({"ok": self.status == 200}, status=self.status)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.received]

    @property
    def keys(self) -> dict[str, str]:
        """The settings of a shop that has it."""
        return {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_CHAT": "77", "TELEGRAM_URL": self.url}


@asynccontextmanager
async def messenger() -> AsyncIterator[Messenger]:
    found = Messenger()
    app = web.Application()
    app.router.add_post("/{rest:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()
