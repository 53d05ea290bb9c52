"""The page's server: its files, what happens as a WebSocket, and what its buttons do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.phone.bot import Bot
from sandbox.phone.diary import Diary
from sandbox.phone.guard import add_headers, guard
from sandbox.phone.live import Event, Live
from sandbox.phone.stage import Mistaken, Stage
from sandbox.phone.trouble import Trouble
from sandbox.whatsapp import contents
from sandbox.whatsapp.adv import PairingRefused

_STATIC = Path(__file__).with_name("static")
_LARGEST_FILE = 16 * 1024 * 1024
_LONGEST_TEXT = 4_000
_LONGEST_NAME = 30
# What a browser may show by itself; anything else is downloaded.
_SHOWN_TYPES = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "audio/wav",
    "audio/ogg",
    "audio/mpeg",
)

Order = dict[str, Any]


@dataclass(kw_only=True, eq=False)
class Page:
    """Everything that the page shows, and the orders that it may give."""

    stage: Stage
    bot: Bot
    trouble: Trouble
    diary: Diary
    live: Live
    shop: dict[str, Any]
    ideas: list[str]

    @property
    def shown(self) -> dict[str, Any]:
        """Everything at once, for a page that was just opened."""
        return {
            "type": "all",
            "shop": self.shop,
            "ideas": self.ideas,
            "bot": self.bot.shown,
            "trouble": self.trouble.shown,
            "events": list(self.diary.entries),
            **self.stage.shown,
        }

    def app(self) -> web.Application:
        app = web.Application(middlewares=[guard], client_max_size=_LARGEST_FILE)
        app.on_response_prepare.append(add_headers)
        app.router.add_get("/", self._index)
        app.router.add_get("/live", self._live)
        app.router.add_get("/code.svg", self._code)
        app.router.add_get("/file/{chat}/{message}", self._file)
        app.router.add_post("/upload/{chat}/{kind}", self._upload)
        app.router.add_post("/do/{order}", self._do)
        app.router.add_static("/static/", _STATIC)
        return app

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_STATIC / "index.html")

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        with self.live.listening() as events, contextlib.suppress(ConnectionError):
            # First everything, then what is new; nothing in between can be missed.
            await socket.send_json(self.shown)
            telling = asyncio.create_task(_tell(socket, events), name="page")
            try:
                # Pages say nothing here; this is how their farewell is heard.
                async for _ in socket:
                    pass
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
        return socket

    async def _code(self, request: web.Request) -> web.Response:
        picture = self.bot.picture()
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture, content_type="image/svg+xml")

    async def _file(self, request: web.Request) -> web.Response:
        try:
            person = self.stage.find(request.match_info["chat"])
            received = person.thread.bubbles[request.match_info["message"]].received
            _, place = contents.file_in(received.message)
            data = person.phone.open_file(received)
        except (ValueError, KeyError) as exc:
            raise web.HTTPNotFound from exc
        if place.mimetype in _SHOWN_TYPES:
            return web.Response(body=data, content_type=place.mimetype)
        return web.Response(
            body=data,
            content_type="application/octet-stream",
            headers={"Content-Disposition": "attachment"},
        )

    async def _upload(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        if kind not in ("image", "voice", "document"):
            raise web.HTTPNotFound
        mime = request.content_type
        if kind == "image" and not mime.startswith("image/"):
            return _refusal("Ini bukan foto.")
        try:
            person = self.stage.find(request.match_info["chat"])
            data = await request.read()
            await self.stage.send_file(person, kind, data, mime=mime, name=request.query.get("name", ""))
        except Mistaken as exc:
            return _refusal(str(exc))
        return web.json_response({})

    async def _do(self, request: web.Request) -> web.Response:
        act = self._orders.get(request.match_info["order"])
        if act is None:
            raise web.HTTPNotFound
        # Other sites can send forms but no JSON without asking first, which nobody here answers.
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        try:
            order = json.loads(await request.read())
        except ValueError:
            order = None
        if not isinstance(order, dict):
            raise web.HTTPBadRequest
        try:
            await act(order)
        except (Mistaken, PairingRefused) as exc:
            return _refusal(str(exc))
        return web.json_response({})

    # --- Orders ---------------------------------------------------------------------------------------------

    @property
    def _orders(self) -> dict[str, Callable[[Order], Awaitable[None]]]:
        return {
            "scan": self._scan,
            "send": self._send,
            "react": self._react,
            "edit": self._edit,
            "revoke": self._revoke,
            "read": self._read,
            "enter": self._enter,
            "drop": self._drop,
            "network": self._network,
            "freeze": self._freeze,
            "log-out": self._log_out,
            "ban": self._ban,
            "double": self._double,
            "kill": self._kill,
            "starsender": self._starsender,
            "midtrans": self._midtrans,
            "start-again": self._start_again,
        }

    async def _scan(self, order: Order) -> None:
        await self.bot.scan()

    async def _send(self, order: Order) -> None:
        person = self.stage.find(order.get("chat"))
        text = _text(order, "text", _LONGEST_TEXT)
        quoting = str(order.get("quoting") or "")
        await self.stage.send(person, text, by_shop=order.get("by_shop") is True, quoting=quoting)
        self.trouble.tell()

    async def _react(self, order: Order) -> None:
        person = self.stage.find(order.get("chat"))
        message_id, emoji = str(order.get("message")), str(order.get("emoji") or "")
        await self.stage.react(person, message_id, emoji, by_shop=order.get("by_shop") is True)

    async def _edit(self, order: Order) -> None:
        person = self.stage.find(order.get("chat"))
        await self.stage.edit(person, str(order.get("message")), _text(order, "text", _LONGEST_TEXT))

    async def _revoke(self, order: Order) -> None:
        await self.stage.revoke(self.stage.find(order.get("chat")), str(order.get("message")))

    async def _read(self, order: Order) -> None:
        await self.stage.read(self.stage.find(order.get("chat")))

    async def _enter(self, order: Order) -> None:
        await self.stage.enter(str(order.get("name") or "").strip()[:_LONGEST_NAME])

    async def _drop(self, order: Order) -> None:
        await self.trouble.drop()

    async def _network(self, order: Order) -> None:
        await self.trouble.network(down=order.get("down") is True)

    async def _freeze(self, order: Order) -> None:
        self.trouble.freeze(frozen=order.get("frozen") is True)

    async def _log_out(self, order: Order) -> None:
        await self.trouble.log_out()

    async def _ban(self, order: Order) -> None:
        await self.trouble.ban()

    async def _double(self, order: Order) -> None:
        self.trouble.double()

    async def _kill(self, order: Order) -> None:
        self.bot.kill()

    async def _starsender(self, order: Order) -> None:
        self.trouble.starsender(down=order.get("down") is True)

    async def _midtrans(self, order: Order) -> None:
        self.trouble.midtrans(down=order.get("down") is True)

    async def _start_again(self, order: Order) -> None:
        self.bot.start_again()


async def _tell(socket: web.WebSocketResponse, events: asyncio.Queue[Event | None]) -> None:
    """Pass events on until the end, then say goodbye."""
    with contextlib.suppress(ConnectionError):
        while (event := await events.get()) is not None:
            await socket.send_json(event)
        await socket.close()


def _text(order: Order, name: str, longest: int) -> str:
    text = order.get(name)
    if not isinstance(text, str) or not text.strip():
        raise Mistaken("Pesannya kosong.")
    if len(text) > longest:
        raise Mistaken(f"Paling banyak {longest} huruf.")
    return text.strip()


def _refusal(reason: str) -> web.Response:
    """Something that a person can't do now, said so that the page shows it."""
    return web.json_response({"error": reason}, status=409)
