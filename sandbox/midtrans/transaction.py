"""One payable thing, from the page's creation to a refund, and what may follow what. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.midtrans.methods import Method

WIB = timezone(timedelta(hours=7))

# What Midtrans lets happen after what. "" stands for a page on which no method was picked.
_FOLLOWS: dict[str, frozenset[str]] = {
    "": frozenset({"pending", "authorize", "capture", "deny", "failure"}),
    "pending": frozenset({"settlement", "expire", "cancel", "deny", "failure"}),
    "authorize": frozenset({"capture", "deny", "cancel", "expire"}),
    "capture": frozenset({"settlement", "cancel", "deny", "refund", "partial_refund", "chargeback"}),
    "settlement": frozenset(
        {"refund", "partial_refund", "chargeback", "partial_chargeback", "deny", "cancel"}
    ),
    # The page lives on after a deny, and the next attempt on it is another transaction.
    "deny": frozenset({"pending", "authorize", "capture"}),
    "partial_refund": frozenset({"refund", "partial_refund", "chargeback"}),
    "partial_chargeback": frozenset({"chargeback"}),
}
PAID = frozenset({"settlement", "capture"})


class Impossible(ValueError):
    """Midtrans never goes this way."""


@dataclass(kw_only=True, eq=False)
class Transaction:
    """What one order id stands for. Money is whole rupiah, times are aware."""

    order_id: str
    amount_idr: int
    created: datetime
    token: str = ""  # of the page
    is_direct: bool = False  # charged by the Core API: the page shows the code that the customer was given
    items: list[dict[str, Any]] = field(default_factory=list)
    customer: dict[str, Any] = field(default_factory=dict)
    enabled: list[str] = field(default_factory=list)
    finish_url: str = ""
    page_expires: datetime | None = None
    # What a picked method lives for; None starts at the pick and lasts a day.
    expires: datetime | None = None
    is_token_cancelled: bool = False
    # From here on only what is known once a method was picked.
    transaction_id: str = ""
    method: Method | None = None
    status: str = ""
    fraud_status: str = "accept"
    picked: datetime | None = None
    settled: datetime | None = None
    refunded_idr: int = 0
    refund_key: str = ""
    # A fee that the customer pays on top of the price.
    fee_idr: int = 0

    @property
    def charged_idr(self) -> int:
        """What the customer pays: the price, and the fee if it is his."""
        return self.amount_idr + self.fee_idr

    @property
    def is_paid(self) -> bool:
        return self.status in PAID and self.fraud_status == "accept"

    def is_page_open(self, now: datetime) -> bool:
        """Whether somebody can still pick a method on the page."""
        return not self.is_token_cancelled and (self.page_expires is None or now < self.page_expires)

    def pick(self, method: Method, now: datetime) -> None:
        """The customer chose how to pay; another choice before anything was paid is another transaction."""
        self.method = method
        self.transaction_id = str(uuid.uuid4())
        self.picked, self.settled = now, None
        self.fraud_status = "accept"
        self.status = ""
        if self.expires is None:
            self.expires = now + timedelta(days=1)

    def become(self, status: str, now: datetime, *, fraud_status: str | None = None) -> None:
        """Go on to ``status``. Raises Impossible where Midtrans would not."""
        if status not in _FOLLOWS.get(self.status, frozenset()):
            raise Impossible(f"{self.order_id} cannot go from {self.status or 'no status'} to {status}")
        self.status = status
        if fraud_status is not None:
            self.fraud_status = fraud_status
        if status == "settlement":
            self.settled = now
