"""`GET /invoice/{token}`: the invoice as a PDF, for whoever knows its address.

The address is the whole protection, so it is long, random and expires; everything else is the same 404.
"""

from __future__ import annotations

import re

import structlog
from aiohttp import web

from billing.invoice import file_name
from billing.printing import CannotPrint, Printer
from store import invoices
from store.doors import Store
from store.errors import StoreError

log = structlog.get_logger(__name__)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")
_HEADERS = {
    # For one reader: no proxy keeps it, no search engine lists it, no page is told of its address.
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


def routes(store: Store, account: str, printer: Printer) -> list[web.RouteDef]:
    """The one route; the world reaches it, so it tells a stranger nothing."""

    async def invoice(request: web.Request) -> web.Response:
        token = request.match_info["token"]
        if not _TOKEN.fullmatch(token):
            raise web.HTTPNotFound
        try:
            found = await store.read(lambda c: invoices.by_token(c, account, token))
        except StoreError as exc:
            raise web.HTTPServiceUnavailable from exc
        if found is None:
            raise web.HTTPNotFound
        try:
            made = await printer.print(found.body)
        except CannotPrint as exc:
            log.error("invoice_not_served", invoice=found.number, reason=str(exc))
            raise web.HTTPServiceUnavailable from exc
        named = {"Content-Disposition": f'inline; filename="{file_name(found.number)}"'}
        return web.Response(body=made, content_type="application/pdf", headers={**_HEADERS, **named})

    return [web.get("/invoice/{token}", invoice)]
