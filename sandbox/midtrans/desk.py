"""Midtrans's side of every payment: what was created, what became of it, and who is told."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.midtrans import wire
from sandbox.midtrans.courier import Courier
from sandbox.midtrans.methods import Method, find
from sandbox.midtrans.transaction import Impossible, Transaction


@dataclass(frozen=True, kw_only=True)
class Merchant:
    """Whose payments these are."""

    name: str
    id: str
    server_key: str
    client_key: str


class Desk:
    """All transactions of one merchant. Every change of one is reported to the courier."""

    def __init__(self, merchant: Merchant, courier: Courier) -> None:
        self.merchant = merchant
        self.courier = courier
        # Every status in capitals, as some channels report it.
        self.in_capitals = False
        # Called with a transaction after it changed.
        self.watchers: list[Callable[[Transaction], None]] = []
        self._by_order: dict[str, Transaction] = {}
        self._by_token: dict[str, Transaction] = {}
        # By order id: what stands in notifications or in answers to GET instead of the truth.
        self._in_notifications: dict[str, dict[str, Any]] = {}
        self._in_answers: dict[str, dict[str, Any]] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()

    # --- Finding --------------------------------------------------------------------------------------------

    def __getitem__(self, order_id: str) -> Transaction:
        """By order id. Raises KeyError."""
        return self._by_order[order_id]

    def by_token(self, token: str) -> Transaction | None:
        """Whose page this is."""
        return self._by_token.get(token)

    def known(self, name: str) -> Transaction | None:
        """By order id or transaction id; None as long as no method was picked."""
        found = self._by_order.get(name)
        if found is None:
            found = next((one for one in self._by_order.values() if one.transaction_id == name != ""), None)
        return found if found is not None and found.status else None

    @property
    def all(self) -> list[Transaction]:
        return list(self._by_order.values())

    # --- What happens ---------------------------------------------------------------------------------------

    def enter(self, transaction: Transaction) -> None:
        """A new page or charge. Raises ValueError when its order id was used before."""
        if transaction.order_id in self._by_order:
            raise ValueError(f"{transaction.order_id} is used")
        self._by_order[transaction.order_id] = transaction

    def give_page(self, transaction: Transaction) -> str:
        """Make the transaction's page; its token."""
        transaction.token = str(uuid.uuid4())
        self._by_token[transaction.token] = transaction
        return transaction.token

    def pick(self, transaction: Transaction, method: Method | str) -> None:
        """The customer chose how to pay. Raises KeyError for a method that nobody knows, Impossible."""
        method = find(method) if isinstance(method, str) else method
        if transaction.status not in ("", "pending", "deny"):
            raise Impossible(f"{transaction.order_id} is {transaction.status}")
        transaction.pick(method, _now())
        if method.pays_by == "settlement":
            self.become(transaction, "pending")
            self._expire_in_time(transaction)

    def pay(self, transaction: Transaction, method: Method | str | None = None) -> None:
        """The customer paid, by the picked method if none is named. Raises KeyError, Impossible."""
        if method is not None or transaction.method is None:
            wanted = find(method) if isinstance(method, str) else method or find("qris")
            if transaction.method is not wanted or transaction.status not in ("", "pending"):
                self.pick(transaction, wanted)
        assert transaction.method is not None
        self.become(transaction, transaction.method.pays_by)

    def become(self, transaction: Transaction, status: str, *, fraud_status: str | None = None) -> None:
        """Any change of its status, reported. Raises Impossible."""
        transaction.become(status, _now(), fraud_status=fraud_status)
        self._changed(transaction)

    def refund(self, transaction: Transaction, amount_idr: int, key: str = "") -> None:
        """Give back part or all. Raises Impossible."""
        total = transaction.refunded_idr + amount_idr
        if amount_idr <= 0 or total > transaction.charged_idr:
            raise Impossible(f"{amount_idr} of {transaction.order_id} cannot be refunded")
        earlier, transaction.refunded_idr = transaction.refunded_idr, total
        transaction.refund_key = key or f"refund-{uuid.uuid4()}"
        try:
            self.become(transaction, "refund" if total == transaction.charged_idr else "partial_refund")
        except Impossible:
            transaction.refunded_idr = earlier
            raise

    def _changed(self, transaction: Transaction) -> None:
        self.courier.send(self.notification(transaction))
        for watcher in self.watchers:
            watcher(transaction)

    def _expire_in_time(self, transaction: Transaction) -> None:
        assert transaction.expires is not None
        picked = transaction.transaction_id

        def expire() -> None:
            self._timers.discard(timer)
            if transaction.transaction_id == picked and transaction.status == "pending":
                self.become(transaction, "expire")

        wait_s = max(0.0, (transaction.expires - _now()).total_seconds())
        timer = asyncio.get_running_loop().call_later(wait_s, expire)
        self._timers.add(timer)

    # --- What is told ---------------------------------------------------------------------------------------

    def alter(self, order_id: str, /, *, notified: bool = True, answered: bool = True, **fields: Any) -> None:
        """From now on reports of this order hold these fields instead, validly signed; None: without it."""
        if notified:
            self._in_notifications.setdefault(order_id, {}).update(fields)
        if answered:
            self._in_answers.setdefault(order_id, {}).update(fields)

    def notification(self, transaction: Transaction, **altered: Any) -> dict[str, Any]:
        """The notification of how it stands now."""
        changes = {**self._in_notifications.get(transaction.order_id, {}), **altered}
        return self._with(self._report(transaction), changes)

    def answer(self, transaction: Transaction) -> dict[str, Any]:
        """What GET status says."""
        body = wire.asked(self._report(transaction), self.merchant.server_key)
        return self._with(body, self._in_answers.get(transaction.order_id, {}))

    def _report(self, transaction: Transaction) -> dict[str, Any]:
        body = wire.report(transaction, merchant_id=self.merchant.id, server_key=self.merchant.server_key)
        if self.in_capitals:
            body["transaction_status"] = body["transaction_status"].upper()
            if "fraud_status" in body:
                body["fraud_status"] = body["fraud_status"].upper()
        return body

    def _with(self, body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        changed = {name: value for name, value in {**body, **changes}.items() if value is not None}
        if not changes or not {"order_id", "status_code", "gross_amount"} <= changed.keys():
            return changed
        return wire.signed(changed, self.merchant.server_key) | (
            {"signature_key": changes["signature_key"]} if changes.get("signature_key") else {}
        )


def _now() -> datetime:
    return datetime.now(UTC)
