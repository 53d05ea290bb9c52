"""Snap's and the Core API's endpoints: keys checked, faults suffered, the rest is the desk's."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import segno
from aiohttp import web

from sandbox.faults import Faults, Handler, suffer
from sandbox.midtrans import qris, wire
from sandbox.midtrans.desk import Desk
from sandbox.midtrans.faults import Target, words
from sandbox.midtrans.methods import find
from sandbox.midtrans.transaction import Impossible, Transaction
from sandbox.midtrans.wire import CoreError, SnapError


class Api:
    """The routes. ``page_of`` gives the address of the page with a token, ``base`` that of this server."""

    def __init__(
        self, desk: Desk, faults: Faults, *, page_of: Callable[[str], str], base: Callable[[], str]
    ) -> None:
        self._desk = desk
        self._faults = faults
        self._page_of = page_of
        self._base = base
        # "There is no such transaction" as a success of HTTP, with 404 in its body alone.
        self.is_missing_inside_200 = False
        self.requests: Counter[str] = Counter()

    @property
    def routes(self) -> list[web.RouteDef]:
        snap, core = self._snap, self._core
        return [
            web.post("/snap/v1/transactions", snap(Target.SNAP, self._create)),
            web.post("/snap/v1/transactions/{token}/cancel", snap(Target.SNAP, self._cancel_token)),
            web.post("/v2/charge", core(Target.CHARGE, self._charge)),
            web.get("/v2/{id}/status", core(Target.STATUS, self._status)),
            web.post("/v2/{id}/refund", core(Target.CHANGE, self._refund)),
            web.post("/v2/{id}/{change:expire|cancel|approve|deny}", core(Target.CHANGE, self._change)),
            web.get("/v2/qris/{id}/qr-code", self._code),
        ]

    def code_of(self, transaction: Transaction) -> str:
        """What its QRIS code says."""
        return qris.text(
            merchant=self._desk.merchant.name,
            amount_idr=transaction.charged_idr,
            reference=transaction.transaction_id,
        )

    # --- Around every endpoint ------------------------------------------------------------------------------

    def _snap(self, target: Target, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                if not wire.has_key(request.headers.get("Authorization"), self._desk.merchant.server_key):
                    raise SnapError(401, wire.UNAUTHORIZED)
                return await handler(request)
            except SnapError as exc:
                return web.json_response(exc.body, status=exc.status)

        return self._suffering(target, handle)

    def _core(self, target: Target, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                if not wire.has_key(request.headers.get("Authorization"), self._desk.merchant.server_key):
                    raise CoreError(
                        401, "Transaction cannot be authorized with the current client/server key."
                    )
                return await handler(request)
            except CoreError as exc:
                hidden = exc.code == 404 and self.is_missing_inside_200
                return web.json_response(exc.body, status=200 if hidden else exc.code)

        return self._suffering(target, handle)

    def _suffering(self, target: Target, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self.requests[target] += 1
            fault = self._faults.strike(target)
            return (
                await handler(request)
                if fault is None
                else await suffer(fault, request, handler, words=words)
            )

        return handle

    # --- Snap -----------------------------------------------------------------------------------------------

    async def _create(self, request: web.Request) -> web.Response:
        transaction = wire.snap_transaction(wire.parsed(await request.read()), _now())
        try:
            self._desk.enter(transaction)
        except ValueError as exc:
            raise SnapError(400, "transaction_details.order_id has already been taken") from exc
        token = self._desk.give_page(transaction)
        return web.json_response({"token": token, "redirect_url": self._page_of(token)}, status=201)

    async def _cancel_token(self, request: web.Request) -> web.Response:
        transaction = self._desk.by_token(request.match_info["token"])
        if transaction is None:
            raise SnapError(404, "token is not found")
        if transaction.status not in ("", "pending", "deny"):
            raise SnapError(400, "transaction has been processed")
        transaction.is_token_cancelled = True
        if transaction.status == "pending":
            self._desk.become(transaction, "cancel")
        return web.json_response({"token": transaction.token})

    # --- Core API -------------------------------------------------------------------------------------------

    async def _charge(self, request: web.Request) -> web.Response:
        try:
            body = wire.parsed(await request.read())
        except SnapError as exc:
            raise CoreError(400, "One or more parameters in the payload is invalid.") from exc
        if body.get("payment_type") != "qris":
            raise CoreError(402, "This merchant can charge QRIS only.")
        transaction = wire.charged_transaction(body, _now())
        method = find("qris")
        if method.most_idr is not None and transaction.amount_idr > method.most_idr:
            raise CoreError(
                400, "One or more parameters in the payload is invalid.", "gross_amount too large"
            )
        try:
            self._desk.enter(transaction)
        except ValueError as exc:
            message = "The request could not be completed due to a conflict with the current state of the"
            raise CoreError(
                406, f"{message} target resource, please try again with a different order_id"
            ) from exc
        # Midtrans has a simulator to pay such codes with; here each has a page of its own.
        self._desk.give_page(transaction)
        self._desk.pick(transaction, method)
        code = f"{self._base()}/v2/qris/{transaction.transaction_id}/qr-code"
        answer = {
            **self._desk.answer(transaction),
            "status_message": "QRIS transaction is created",
            "acquirer": "gopay",
            "qr_string": self.code_of(transaction),
            "actions": [{"name": "generate-qr-code", "method": "GET", "url": code}],
        }
        return web.json_response(answer)

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(self._desk.answer(self._known(request)))

    async def _change(self, request: web.Request) -> web.Response:
        transaction, change = self._known(request), request.match_info["change"]
        status = "capture" if change == "approve" else change
        try:
            if change == "approve":
                if transaction.status != "capture" or transaction.fraud_status != "challenge":
                    raise Impossible("only what was challenged is approved")
                transaction.status = "authorize"
            self._desk.become(transaction, status, fraud_status="accept" if change == "approve" else None)
        except Impossible as exc:
            message = "Transaction status cannot be updated."
            raise CoreError(412, message) from exc
        return web.json_response(self._desk.answer(transaction))

    async def _refund(self, request: web.Request) -> web.Response:
        transaction = self._known(request)
        try:
            given = wire.parsed(await request.read() or b"{}")
        except SnapError as exc:
            raise CoreError(400, "One or more parameters in the payload is invalid.") from exc
        amount = given.get("amount", transaction.charged_idr - transaction.refunded_idr)
        try:
            self._desk.refund(transaction, int(amount), str(given.get("refund_key") or ""))
        except (Impossible, ValueError) as exc:
            raise CoreError(412, "Transaction status cannot be updated.") from exc
        return web.json_response(self._desk.answer(transaction))

    def _known(self, request: web.Request) -> Transaction:
        transaction = self._desk.known(request.match_info["id"])
        if transaction is None:
            raise CoreError(404, "Transaction doesn't exist.")
        return transaction

    async def _code(self, request: web.Request) -> web.Response:
        """The QRIS code as a picture; it needs no key, for customers' phones show it."""
        transaction = self._desk.known(request.match_info["id"])
        if transaction is None:
            raise web.HTTPNotFound
        if transaction.token and "text/html" in request.headers.get("Accept", ""):
            # Somebody clicked the address, with no phone to scan the picture by: he may pay it here.
            raise web.HTTPFound(self._page_of(transaction.token))
        made = io.BytesIO()
        segno.make_qr(self.code_of(transaction)).save(made, kind="png", border=4, scale=8)
        return web.Response(body=made.getvalue(), content_type="image/png")


def _now() -> datetime:
    return datetime.now(UTC)
