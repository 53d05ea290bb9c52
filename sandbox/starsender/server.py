"""The stand-in that tests and demo run inside their own process."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp import web

from sandbox.faults import FOREVER_S, Fault, Faults, Handler, Mode, suffer

KEY = "tiruan-starsender-0000000000000000"
NUMBER = "6281190000003"
# WhatsApp takes larger files, but no invoice is.
_LARGEST_FILE = 16 * 1024 * 1024
_FETCH_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A message that was taken. ``file`` is the file behind the address that was given, empty without one."""

    to: str
    body: str
    address: str = ""
    name: str = ""
    mime: str = ""
    file: bytes = b""


Deliver = Callable[[Sent], Awaitable[None]]


class StarsenderServer:
    """``async with StarsenderServer() as starsender``: Starsender on loopback, with one device.

    ``number`` is the device's WhatsApp number. What it takes is in ``sent`` and goes to ``deliver``.
    """

    def __init__(
        self, *, port: int = 0, key: str = KEY, number: str = NUMBER, deliver: Deliver | None = None
    ) -> None:
        self._port = port
        self._key = key
        self.number = number
        self._deliver = deliver
        self.sent: list[Sent] = []
        self.faults = Faults()
        # Numbers that are not on WhatsApp.
        self.unknown_numbers: set[str] = set()
        self.requests = 0
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/send", self._suffering("send", self._send))
        app.router.add_post("/api/check-number", self._suffering("check", self._check))
        # A hanging request ends with its client, and never holds up the server's own end.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        self._runner = runner
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_FETCH_S))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which the product comes here."""
        return {
            "STARSENDER_KEY": self._key,
            "STARSENDER_URL": self.url,
            "STARSENDER_NUMBER": self.number,
        }

    def break_down(
        self, mode: Mode, *, target: str = "all", times: int | None = None, delay_s: float = FOREVER_S
    ) -> None:
        """Requests go wrong from now on, or only so many of them."""
        self.faults.add(Fault(mode=mode, target=target, times=times, delay_s=delay_s))

    def mend(self) -> None:
        """Everything is well again."""
        self.faults.clear()

    async def until(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until it holds; looked at whenever a request came in. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _suffering(self, target: str, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self.requests += 1
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), self._key.encode()):
                return _no("Invalid API key", status=401)
            fault = self.faults.strike(target)
            try:
                if fault is None:
                    return await handler(request)
                return await suffer(fault, request, handler, words=_words)
            finally:
                self._changed.set()

        return handle

    async def _send(self, request: web.Request) -> web.Response:
        body = _object(await request.read())
        kind, to, text = body.get("messageType"), str(body.get("to", "")), body.get("body")
        if kind not in ("text", "media") or not isinstance(text, str):
            return _no("messageType or body is wrong")
        if not re.fullmatch(r"62\d{8,13}", to) or to in self.unknown_numbers:
            return _no("Number is not registered on WhatsApp")
        sent = Sent(to=to, body=text)
        if kind == "media":
            fetched = await self._fetch(str(body.get("file", "")))
            if fetched is None:
                return _no("File could not be downloaded")
            address, name, mime, file = fetched
            sent = Sent(to=to, body=text, address=address, name=name, mime=mime, file=file)
        self.sent.append(sent)
        if self._deliver is not None:
            await self._deliver(sent)
        return web.json_response({"success": True, "data": {}, "message": "Success sent message"})

    async def _check(self, request: web.Request) -> web.Response:
        number = str(_object(await request.read()).get("number", ""))
        known = number not in self.unknown_numbers
        return web.json_response({"success": True, "data": {"status": known}, "message": "Success"})

    async def _fetch(self, address: str) -> tuple[str, str, str, bytes] | None:
        """The file behind the address, as the real service fetches it; None when it cannot."""
        assert self._session is not None
        try:
            async with self._session.get(address) as answer:
                if answer.status != 200:
                    return None
                data = await answer.content.read(_LARGEST_FILE)
                disposition = answer.content_disposition
                named = disposition.filename if disposition is not None else None
                name = named or unquote(urlsplit(address).path.rsplit("/", 1)[-1])
                return address, name, answer.content_type, data
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None


def _words(status: int) -> tuple[int, dict[str, Any]]:
    """Faults of a device come as a success of HTTP."""
    message = {429: "Too many requests", 500: "Server error"}.get(status, "Device is disconnected")
    return (200 if status == 400 else status), {"success": False, "data": {}, "message": message}


def _no(message: str, *, status: int = 200) -> web.Response:
    return web.json_response({"success": False, "data": {}, "message": message}, status=status)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
