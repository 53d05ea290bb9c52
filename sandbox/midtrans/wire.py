"""Requests checked and answers written as Midtrans does; the signature of its notifications. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.bodies import json_object
from sandbox.midtrans.transaction import WIB, Transaction

LONGEST_ORDER_ID = 50
LONGEST_ITEM_NAME = 50
_ORDER_ID = re.compile(r"[A-Za-z0-9~._-]+")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_LONGEST_PAGE = timedelta(days=7)
UNAUTHORIZED = "Access denied due to unauthorized transaction, please check client or server key"
# By which code each status is reported; a challenged capture and an asked-for expired one have others.
_CODES = {"pending": "201", "deny": "202", "expire": "202", "failure": "202"}


class SnapError(Exception):
    """Snap turns the request down with these messages."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.body = {"error_messages": list(messages)}


class CoreError(Exception):
    """The Core API turns the request down: the code stands in the body, the HTTP status may be 200."""

    def __init__(self, code: int, message: str, *validation: str) -> None:
        super().__init__(message)
        self.code = code
        self.body: dict[str, Any] = {
            "status_code": str(code),
            "status_message": message,
            "id": str(uuid.uuid4()),
        }
        if validation:
            self.body["validation_messages"] = list(validation)


def has_key(header: str | None, server_key: str) -> bool:
    """Whether the Basic authorisation holds the server key as user and an empty password."""
    scheme, _, coded = (header or "").partition(" ")
    try:
        plain = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(plain, f"{server_key}:".encode())


def parsed(raw: bytes) -> dict[str, Any]:
    """The request's JSON object. Raises SnapError."""
    if (body := json_object(raw)) is None:
        raise SnapError(400, "JSON could not be parsed")
    return body


def snap_transaction(body: Mapping[str, Any], now: datetime) -> Transaction:
    """A page's transaction from a checked request; without a token. Raises SnapError naming every mistake."""
    order_id, amount, problems = _order(body)
    items = _items(body, amount, problems)
    page = _span(body.get("page_expiry"), "page_expiry", problems) or timedelta(days=1)
    if page > _LONGEST_PAGE:
        problems.append("page_expiry is more than the maximum of 7 days")
    expires = _expiry(body.get("expiry"), now, problems)
    if problems:
        raise SnapError(400, *problems)
    return Transaction(
        order_id=order_id,
        amount_idr=amount,
        created=now,
        items=items,
        customer=dict(body.get("customer_details") or {}),
        enabled=[str(name) for name in body.get("enabled_payments") or []],
        finish_url=str((body.get("callbacks") or {}).get("finish") or ""),
        page_expires=now + page,
        expires=expires,
    )


def charged_transaction(body: Mapping[str, Any], now: datetime) -> Transaction:
    """A direct charge's transaction, no method picked yet. Raises CoreError."""
    order_id, amount, problems = _order(body)
    items = _items(body, amount, problems)
    custom = body.get("custom_expiry")
    span = None
    if custom is not None:
        duration = custom.get("expiry_duration")
        span = _span({"duration": duration, "unit": custom.get("unit", "minute")}, "custom_expiry", problems)
    if problems:
        raise CoreError(400, "One or more parameters in the payload is invalid.", *problems)
    return Transaction(
        order_id=order_id,
        amount_idr=amount,
        created=now,
        items=items,
        customer=dict(body.get("customer_details") or {}),
        is_direct=True,
        enabled=["qris"],
        expires=None if span is None else now + span,
    )


def _order(body: Mapping[str, Any]) -> tuple[str, int, list[str]]:
    given = body.get("transaction_details")
    details = given if isinstance(given, dict) else {}
    order_id, amount = details.get("order_id"), details.get("gross_amount")
    problems = []
    if not isinstance(order_id, str) or not order_id:
        problems.append("transaction_details.order_id is required")
    elif len(order_id) > LONGEST_ORDER_ID:
        problems.append("transaction_details.order_id too long")
    elif not _ORDER_ID.fullmatch(order_id):
        problems.append("transaction_details.order_id has unallowed symbols")
    if amount is None:
        problems.append("transaction_details.gross_amount is required")
    elif not isinstance(amount, int) or isinstance(amount, bool):
        problems.append("transaction_details.gross_amount is not a number")
    elif amount < 1:
        problems.append("transaction_details.gross_amount must be greater than or equal to 0.01")
    return (str(order_id), amount if isinstance(amount, int) else 0, problems)


def _items(body: Mapping[str, Any], amount: int, problems: list[str]) -> list[dict[str, Any]]:
    """The order's lines; what is wrong with them is added to ``problems``, and then they are of no use."""
    items = body.get("item_details") or []
    problems += _item_problems(items)
    if problems:
        return []
    if items and sum(item["price"] * item["quantity"] for item in items) != amount:
        problems.append("transaction_details.gross_amount is not equal to the sum of item_details")
    return [dict(item) for item in items]


def _item_problems(items: Any) -> list[str]:
    if not isinstance(items, list):
        return ["item_details is not a list"]
    problems = []
    for item in items:
        if not isinstance(item, dict):
            problems.append("item_details is invalid")
            continue
        for key in ("price", "quantity"):
            value = item.get(key)
            if not isinstance(value, int) or isinstance(value, bool):
                problems.append(f"item_details.{key} is not a number")
        quantity = item.get("quantity")
        if isinstance(quantity, int) and quantity < 1:
            problems.append("item_details.quantity must be greater than or equal to 1")
        name = item.get("name")
        if not isinstance(name, str) or not name:
            problems.append("item_details.name is required")
        elif len(name) > LONGEST_ITEM_NAME:
            problems.append("item_details.name too long")
    return problems


def _span(given: Any, field: str, problems: list[str]) -> timedelta | None:
    if given is None:
        return None
    unit = str(given.get("unit", "")).rstrip("s") if isinstance(given, dict) else ""
    duration = given.get("duration") if isinstance(given, dict) else None
    if unit not in _UNITS or not isinstance(duration, int) or isinstance(duration, bool) or duration < 1:
        problems.append(f"{field} is invalid")
        return None
    return timedelta(seconds=_UNITS[unit] * duration)


def _expiry(given: Any, now: datetime, problems: list[str]) -> datetime | None:
    """When a picked method expires; None when the clock starts with the pick."""
    span = _span(given, "expiry", problems)
    if span is None or "start_time" not in given:
        return None
    try:
        start = datetime.strptime(str(given["start_time"]), "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        problems.append("expiry.start_time format is invalid, should be in yyyy-MM-dd hh:mm:ss Z")
        return None
    if start + span <= now:
        problems.append("expiry is in the past")
    return start + span


def report(transaction: Transaction, *, merchant_id: str, server_key: str) -> dict[str, Any]:
    """The transaction as a notification tells it, signed; what GET answers is the same, but for ``asked``."""
    method = transaction.method
    assert method is not None, "nothing is reported before a method was picked"
    body: dict[str, Any] = {
        "transaction_time": _clock(transaction.picked or transaction.created),
        "transaction_status": transaction.status,
        "transaction_id": transaction.transaction_id,
        "status_message": "midtrans payment notification",
        "status_code": _code(transaction),
        "payment_type": method.payment_type,
        "order_id": transaction.order_id,
        "merchant_id": merchant_id,
        "gross_amount": f"{transaction.charged_idr}.00",
        "currency": "IDR",
        **method.extras(transaction.transaction_id),
    }
    if method.has_fraud_status:
        body["fraud_status"] = transaction.fraud_status
    if transaction.settled is not None:
        body["settlement_time"] = _clock(transaction.settled)
    if transaction.expires is not None:
        body["expiry_time"] = _clock(transaction.expires)
    if transaction.fee_idr:
        amounts = {
            "original_amount": f"{transaction.amount_idr}.00",
            "fee_amount": f"{transaction.fee_idr}.00",
        }
        body["metadata"] = {"extra_info": {"gross_amount_info": amounts}}
    if transaction.refunded_idr:
        body["refund_amount"] = f"{transaction.refunded_idr}.00"
        body["refunds"] = [
            {"refund_amount": f"{transaction.refunded_idr}.00", "refund_key": transaction.refund_key}
        ]
    return signed(body, server_key)


def asked(body: Mapping[str, Any], server_key: str) -> dict[str, Any]:
    """A report as GET gives it: an expired transaction has another code there."""
    answer = {**body, "status_message": "Success, transaction is found"}
    if str(answer["transaction_status"]) == "expire":
        answer["status_code"] = "407"
        answer = signed(answer, server_key)
    return answer


def signed(body: Mapping[str, Any], server_key: str) -> dict[str, Any]:
    """The body with the signature over order id, code and amount as they stand in it, and nothing else."""
    text = f"{body['order_id']}{body['status_code']}{body['gross_amount']}{server_key}"
    return {**body, "signature_key": hashlib.sha512(text.encode()).hexdigest()}


def test_button(merchant_id: str, server_key: str, now: datetime) -> dict[str, Any]:
    """What the dashboard's test button sends: a validly signed payment of nobody's order."""
    body = {
        "transaction_time": _clock(now),
        "transaction_status": "settlement",
        "transaction_id": str(uuid.uuid4()),
        "status_message": "midtrans payment notification",
        "status_code": "200",
        "settlement_time": _clock(now),
        "payment_type": "gopay",
        "order_id": f"payment_notif_test_{merchant_id}_{uuid.uuid4()}",
        "merchant_id": merchant_id,
        "gross_amount": "105000.00",
        "fraud_status": "accept",
        "currency": "IDR",
    }
    return signed(body, server_key)


def _code(transaction: Transaction) -> str:
    if transaction.status == "capture" and transaction.fraud_status == "challenge":
        return "201"
    return _CODES.get(transaction.status, "200")


def _clock(moment: datetime) -> str:
    """Naive, and always in western Indonesia's time."""
    return f"{moment.astimezone(WIB):%Y-%m-%d %H:%M:%S}"
