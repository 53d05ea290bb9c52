"""HTTP services misbehaving on command: which requests fail, and how. Used by several stand-ins."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiohttp import web

# So long a request hangs that nobody waits for its end.
FOREVER_S = 600.0
EVERY = "all"
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Mode(StrEnum):
    """How a request goes wrong."""

    HANG = "hang"  # nothing is done and nothing comes back
    LOST = "lost"  # it is done, and the answer never comes back
    SLOW = "slow"  # the right answer comes late
    HTML = "html"  # 502 and a page of the proxy in front
    GARBAGE = "garbage"  # 200, and a page where JSON should be
    EMPTY = "empty"  # 200 and not a byte
    BROKEN = "broken"  # 500 in the service's own words
    RESET = "reset"  # the connection is cut before anything is done
    LIMITED = "limited"  # 429 in the service's own words
    REFUSED = "refused"  # the service's own way to say no


@dataclass(kw_only=True)
class Fault:
    """One misbehaviour of the requests to ``target``; ``times`` None lasts until ``Faults.clear``."""

    mode: Mode
    target: str = EVERY
    times: int | None = None
    delay_s: float = FOREVER_S


class Faults:
    """What is wrong now."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        """Everything is well again."""
        self._faults.clear()

    def strike(self, target: str) -> Fault | None:
        """The fault that hits this request, counted."""
        for fault in self._faults:
            if fault.target in (target, EVERY) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


async def suffer(
    fault: Fault, request: web.Request, handler: Handler, *, words: Callable[[int], tuple[int, Any]]
) -> web.Response:
    """Answer as the fault has it. ``words``: status and JSON by which the service says 429, 500, 400."""
    match fault.mode:
        case Mode.HANG:
            await asyncio.sleep(fault.delay_s)
        case Mode.SLOW:
            await asyncio.sleep(fault.delay_s)
            return await handler(request)
        case Mode.LOST:
            await handler(request)
            await asyncio.sleep(fault.delay_s)
        case Mode.HTML:
            return web.Response(text=_HTML, content_type="text/html", status=502)
        case Mode.GARBAGE:
            return web.Response(text=_HTML, content_type="text/html")
        case Mode.EMPTY:
            return web.Response(content_type="application/json")
        case Mode.LIMITED:
            return _said(words(429))
        case Mode.REFUSED:
            return _said(words(400))
        case Mode.RESET:
            reset(request)
        case Mode.BROKEN:
            pass
    return _said(words(500))


def _said(answer: tuple[int, Any]) -> web.Response:
    status, body = answer
    return web.json_response(body, status=status)


def reset(request: web.Request) -> None:
    """Close with a TCP reset: the zero linger time is what makes it one."""
    if request.transport is None:
        return
    connection: Any = request.transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
