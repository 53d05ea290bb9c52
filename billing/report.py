"""A transaction as Midtrans reports it, in a notification and in the answer to GET status alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from billing.errors import MalformedReport

_WIB = timezone(timedelta(hours=7))
_MOST_CHARS = 256
# Beyond what anybody charges; a Decimal of a thousand digits is somebody's joke.
_MOST_IDR = Decimal(10) ** 15


class Meaning(StrEnum):
    """What a report says of the money."""

    PENDING = "pending"  # the customer picked a method and has not paid yet
    AUTHORIZED = "authorized"  # his card is good for it; nothing was taken
    CHALLENGED = "challenged"  # his card was charged, and a person must say whether that was him
    DENIED = "denied"  # the bank said no; on the same page he may try again
    FAILED = "failed"  # something broke on the way, for good
    EXPIRED = "expired"  # he did not pay in time
    CANCELLED = "cancelled"  # somebody called it off, here or in Midtrans's dashboard
    PAID = "paid"  # the money is there
    PART_REFUNDED = "part_refunded"  # some of it was given back
    REFUNDED = "refunded"  # all of it was given back
    CHARGED_BACK = "charged_back"  # the card's bank took it back
    UNKNOWN = "unknown"  # a word that Midtrans did not have when this was written


_MEANINGS = {
    "pending": Meaning.PENDING,
    "authorize": Meaning.AUTHORIZED,
    "deny": Meaning.DENIED,
    "failure": Meaning.FAILED,
    "expire": Meaning.EXPIRED,
    "cancel": Meaning.CANCELLED,
    "partial_refund": Meaning.PART_REFUNDED,
    "refund": Meaning.REFUNDED,
    "chargeback": Meaning.CHARGED_BACK,
    "partial_chargeback": Meaning.CHARGED_BACK,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The fields that count. Amounts are Decimal as received; ``price`` is what the shop asked for."""

    order_id: str
    transaction_id: str
    status: str  # in small letters
    fraud_status: str  # in small letters; empty when the method has none
    status_code: str
    gross: Decimal
    price: Decimal
    currency: str
    merchant_id: str
    payment_type: str
    provider: str  # the bank, shop or wallet where there are several; empty otherwise
    refunded: Decimal | None  # in all, so far
    paid_at: datetime | None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Report:
        """Raises MalformedReport when a field that counts is missing or is no text."""
        gross = _amount(body, "gross_amount")
        return cls(
            order_id=_text(body, "order_id"),
            transaction_id=_text(body, "transaction_id"),
            status=_text(body, "transaction_status").lower(),
            fraud_status=_text(body, "fraud_status", optional=True).lower(),
            status_code=_text(body, "status_code"),
            gross=gross,
            price=_original(body) or gross,
            # Reports of some methods have no currency: then it is the only one that they take.
            currency=(_text(body, "currency", optional=True) or "IDR").upper(),
            merchant_id=_text(body, "merchant_id", optional=True),
            payment_type=_text(body, "payment_type", optional=True).lower(),
            provider=_provider(body),
            refunded=_amount(body, "refund_amount") if body.get("refund_amount") is not None else None,
            paid_at=_time(body.get("settlement_time")) or _time(body.get("transaction_time")),
        )

    @property
    def meaning(self) -> Meaning:
        """What it says of the money."""
        if self.status not in ("settlement", "capture"):
            return _MEANINGS.get(self.status, Meaning.UNKNOWN)
        if self.fraud_status == "challenge":
            return Meaning.CHALLENGED
        if self.fraud_status == "deny":
            return Meaning.DENIED
        # Success alone is gated on its code: other codes come in many kinds with the other statuses.
        paid = self.fraud_status in ("", "accept") and self.status_code == "200"
        return Meaning.PAID if paid else Meaning.UNKNOWN

    @property
    def method(self) -> str:
        """How it was paid, as people call it."""
        kind = self.payment_type
        if kind == "bank_transfer":
            return f"VA {self.provider.upper() if len(self.provider) <= 4 else self.provider.title()}".strip()
        if kind == "cstore":
            return self.provider.title() or "Minimarket"
        return _METHODS.get(kind, kind.replace("_", " ").title() or "Midtrans")

    def mismatches(self, *, attempt_id: str, amount_idr: int, merchant_id: str | None) -> list[str]:
        """What in it is not what we asked for; such a report must change nothing."""
        found = []
        if self.order_id != attempt_id:
            found.append("order_id")
        # A fee that the customer pays comes on top of the price, never off it.
        if self.price != amount_idr or self.gross < amount_idr:
            found.append("gross_amount")
        if self.currency != "IDR":
            found.append("currency")
        if merchant_id is not None and self.merchant_id != merchant_id:
            found.append("merchant_id")
        return found


_METHODS = {
    "qris": "QRIS",
    "gopay": "GoPay",
    "shopeepay": "ShopeePay",
    "dana": "DANA",
    "ovo": "OVO",
    "credit_card": "Kartu",
    "echannel": "Mandiri Bill",
    "akulaku": "Akulaku",
    "kredivo": "Kredivo",
}


def _text(body: Mapping[str, Any], name: str, *, optional: bool = False) -> str:
    value = body.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or len(value) > _MOST_CHARS or not (value or optional):
        raise MalformedReport(f"{name} is missing or is no text")
    return value


def _amount(body: Mapping[str, Any], name: str) -> Decimal:
    try:
        amount = Decimal(_text(body, name))
    except InvalidOperation as exc:
        raise MalformedReport(f"{name} is no amount") from exc
    if not amount.is_finite() or not 0 <= amount <= _MOST_IDR:
        raise MalformedReport(f"{name} is no amount")
    return amount


def _original(body: Mapping[str, Any]) -> Decimal | None:
    """The price before a fee that the customer pays; None when there was none."""
    found: Any = body
    for name in ("metadata", "extra_info", "gross_amount_info"):
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or found.get("original_amount") is None:
        return None
    # Midtrans writes it as a number in some reports and as text in others.
    return _amount({"original_amount": str(found["original_amount"])}, "original_amount")


def _provider(body: Mapping[str, Any]) -> str:
    numbers = body.get("va_numbers")
    if isinstance(numbers, list) and numbers and isinstance(numbers[0], Mapping):
        bank = numbers[0].get("bank")
        return bank[:_MOST_CHARS] if isinstance(bank, str) else ""
    if "permata_va_number" in body:
        return "permata"
    store = body.get("store")
    return store[:_MOST_CHARS] if isinstance(store, str) else ""


def _time(value: object) -> datetime | None:
    """Midtrans's times are naive and always western Indonesia's."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=_WIB)
    except ValueError:
        return None
