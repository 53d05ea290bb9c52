"""Keeps the page to the browser on this machine: no other site may look at it or press its buttons."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HEADERS = {
    # Everything comes from here, and nothing that a message says can run or load anything.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign names of this host (DNS rebinding) and requests that other sites' pages make."""
    name = request.host.rpartition(":")[0] if request.host.rpartition("]")[2].count(":") else request.host
    if name not in _LOOPBACK:
        raise web.HTTPForbidden(text="only by a loopback address")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="only from the page itself")
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For every answer, before it is sent."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
