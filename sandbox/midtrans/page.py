"""Snap's page: what a customer's browser shows, and what its buttons do."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import segno
from aiohttp import web

from sandbox.midtrans import methods, qris
from sandbox.midtrans.desk import Desk
from sandbox.midtrans.transaction import Impossible, Transaction

ROOT = "/snap/v4/redirection"
_STATIC = Path(__file__).with_name("static")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SnapPage:
    """The page of every transaction, by its token."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get(f"{ROOT}/{{token}}", self._index),
            web.get(f"{ROOT}/{{token}}/state", self._state),
            web.get(f"{ROOT}/{{token}}/code.svg", self._code),
            web.post(f"{ROOT}/{{token}}/pick", self._doing(self._pick)),
            web.post(f"{ROOT}/{{token}}/pay", self._doing(self._pay)),
            web.post(f"{ROOT}/{{token}}/deny", self._doing(self._deny)),
            web.static("/snap/static", _STATIC),
        ]

    async def _index(self, request: web.Request) -> web.StreamResponse:
        self._of(request)
        return web.FileResponse(_STATIC / "index.html", headers=_HEADERS)

    async def _state(self, request: web.Request) -> web.Response:
        return self._shown(self._of(request))

    async def _code(self, request: web.Request) -> web.Response:
        transaction = self._of(request)
        text = qris.text(
            merchant=self._desk.merchant.name,
            amount_idr=transaction.charged_idr,
            reference=transaction.transaction_id or transaction.token,
        )
        made = io.BytesIO()
        segno.make_qr(text).save(made, kind="svg", border=0, scale=4, xmldecl=False)
        return web.Response(body=made.getvalue(), content_type="image/svg+xml", headers=_HEADERS)

    def _doing(self, act: Callable[[Transaction, dict[str, Any]], None]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            # Another site's form can't send this, so nobody pays by a foreign page.
            if request.content_type != "application/json":
                raise web.HTTPUnsupportedMediaType
            transaction = self._of(request)
            if not transaction.is_page_open(datetime.now(UTC)):
                return self._shown(transaction, status=409)
            try:
                order = await request.json()
                act(transaction, order if isinstance(order, dict) else {})
            except (Impossible, KeyError, ValueError):
                return self._shown(transaction, status=409)
            return self._shown(transaction)

        return handle

    def _pick(self, transaction: Transaction, order: dict[str, Any]) -> None:
        chosen = methods.find(str(order["method"]))
        if chosen not in methods.offered(transaction.enabled, transaction.amount_idr):
            raise KeyError(chosen.name)
        self._desk.pick(transaction, chosen)

    def _pay(self, transaction: Transaction, order: dict[str, Any]) -> None:
        if transaction.method is None:
            raise Impossible("nothing was picked")
        self._desk.pay(transaction)

    def _deny(self, transaction: Transaction, order: dict[str, Any]) -> None:
        self._desk.become(transaction, "deny")

    def _of(self, request: web.Request) -> Transaction:
        transaction = self._desk.by_token(request.match_info["token"])
        if transaction is None:
            raise web.HTTPNotFound(text="Halaman pembayaran ini tidak ada.")
        return transaction

    def _shown(self, transaction: Transaction, *, status: int = 200) -> web.Response:
        """Everything that the page needs; amounts in whole rupiah, times in milliseconds."""
        method = transaction.method
        offered = methods.offered(transaction.enabled, transaction.amount_idr)
        told: dict[str, Any] = {
            "merchant": self._desk.merchant.name,
            "order_id": transaction.order_id,
            "amount": transaction.charged_idr,
            "items": transaction.items,
            "customer": transaction.customer.get("first_name", ""),
            "methods": [{"name": one.name, "label": one.label} for one in offered],
            "status": transaction.status,
            "paid": transaction.status in ("settlement", "capture"),
            "open": transaction.is_page_open(datetime.now(UTC)),
            "finish": transaction.finish_url,
            "method": None,
        }
        if method is not None:
            told["method"] = {"name": method.name, "label": method.label}
            told["details"] = method.extras(transaction.transaction_id)
        if transaction.expires is not None:
            told["expires_ms"] = int(transaction.expires.timestamp() * 1000)
        elif transaction.page_expires is not None:
            told["expires_ms"] = int(transaction.page_expires.timestamp() * 1000)
        return web.json_response(told, status=status, headers=_HEADERS)
