"""What Midtrans is sent to make a link or a QRIS picture. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from store.attempts import Attempt
from store.orders import MAX_NAME_CHARS, Line

_WIB = timezone(timedelta(hours=7))
_MOST_ID_CHARS = 50
_MOST_BUYER_CHARS = 100
# Snap keeps a page for at most seven days, and nothing shorter than a minute makes sense.
_MOST_MIN = 7 * 24 * 60
# Bank Indonesia's limit for one QRIS payment.
QRIS_MOST_IDR = 10_000_000


def link_request(
    attempt: Attempt, lines: Sequence[Line], *, name: str | None, number: str | None, now: datetime
) -> dict[str, Any]:
    """The body of a Snap transaction: its page and whatever is picked there end when the attempt ends."""
    minutes = _minutes_left(attempt, now)
    return {
        **_common(attempt, lines, name=name, number=number),
        # Without a beginning the clock would start when the customer picks a method.
        "expiry": {
            "start_time": f"{now.astimezone(_WIB):%Y-%m-%d %H:%M:%S} +0700",
            "unit": "minute",
            "duration": minutes,
        },
        "page_expiry": {"duration": minutes, "unit": "minutes"},
    }


def qris_request(
    attempt: Attempt, lines: Sequence[Line], *, name: str | None, number: str | None, now: datetime
) -> dict[str, Any]:
    """The body of a direct QRIS charge."""
    return {
        "payment_type": "qris",
        **_common(attempt, lines, name=name, number=number),
        "qris": {"acquirer": "gopay"},
        "custom_expiry": {"expiry_duration": _minutes_left(attempt, now), "unit": "minute"},
    }


def _common(
    attempt: Attempt, lines: Sequence[Line], *, name: str | None, number: str | None
) -> dict[str, Any]:
    buyer = {
        "first_name": (name or "Pelanggan")[:_MOST_BUYER_CHARS],
        **({"phone": number} if number else {}),
    }
    return {
        "transaction_details": {"order_id": attempt.id, "gross_amount": attempt.amount_idr},
        "item_details": [
            {
                "id": line.code[:_MOST_ID_CHARS],
                "price": line.unit_idr,
                "quantity": line.quantity,
                "name": line.name[:MAX_NAME_CHARS],
            }
            # Free shipping stands on the invoice; to Midtrans it is nothing.
            for line in lines
            if line.unit_idr
        ],
        "customer_details": buyer,
    }


def _minutes_left(attempt: Attempt, now: datetime) -> int:
    """Whole minutes until the attempt ends, rounded up: Midtrans is asked before an order is closed."""
    left_s = attempt.expires_ms / 1000 - now.timestamp()
    return max(1, min(_MOST_MIN, -int(-left_s // 60)))
