"""A page without a browser: it listens to the demo's server, and it may give orders."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from sandbox.phone.show import Shown

PATIENCE_S = 60.0
BUDI = "6281234560001"
ADMIN = "6281290000002"


class Browser:
    """What a page would know: it listens, and it may give orders."""

    def __init__(self, shown: Shown, session: ClientSession, socket: ClientWebSocketResponse) -> None:
        self.shown = shown
        self.session = session
        self._socket = socket
        self.all: dict[str, Any] = {}
        self.bot: dict[str, Any] = {}
        self.chats: dict[str, dict[str, dict[str, Any]]] = {}
        self.events: list[str] = []
        self.typed: set[str] = set()

    async def listen(self) -> None:
        """Take in one event."""
        told = json.loads((await self._socket.receive(timeout=PATIENCE_S)).data)
        match told["type"]:
            case "all":
                self.all, self.bot = told, told["bot"]
                self.chats = {
                    chat: {bubble["id"]: bubble for bubble in found} for chat, found in told["chats"].items()
                }
                self.events = [event["text"] for event in told["events"]]
            case "bubble":
                self.chats.setdefault(told["chat"], {})[told["bubble"]["id"]] = told["bubble"]
            case "bot":
                self.bot = told["bot"]
            case "event":
                self.events.append(told["text"])
            case "typing" if told["typing"]:
                self.typed.add(told["chat"])

    async def until(self, holds: Callable[[], object]) -> None:
        """Listen until this holds. Raises TimeoutError with the bot's log."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():
                    await self.listen()
        except TimeoutError:
            raise AssertionError(f"waited in vain; bot {self.bot}, events {self.events}") from None

    async def online(self) -> None:
        await self.until(lambda: self.bot.get("state") == "online")

    async def order(self, name: str, **told: Any) -> tuple[int, dict[str, Any]]:
        """Press a button: the status and the answer."""
        async with self.session.post(f"{self.shown.address}do/{name}", json=told) as response:
            return response.status, await response.json()

    async def done(self, name: str, **told: Any) -> None:
        assert await self.order(name, **told) == (200, {})

    def bubbles(self, chat: str, author: str) -> list[dict[str, Any]]:
        return [bubble for bubble in self.chats.get(chat, {}).values() if bubble["author"] == author]
