"""The signature of Midtrans's notifications. Pure.

``signature_key`` is SHA-512 over order id, status code, gross amount and the server key, as the strings
stand in the body. It covers nothing else, so that a body with a true signature may still lie about the rest.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

_SIGNED = ("signature_key", "order_id", "status_code", "gross_amount")
# Ours are 12 characters, those of the dashboard's test button 70. Nobody makes us hash a novel.
_MOST_CHARS = 256


def signature_of(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """The signature in hex."""
    return hashlib.sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode()).hexdigest()


def is_signed(fields: Mapping[str, Any], server_key: str) -> bool:
    """Whether somebody who has the key signed these fields; the comparison takes the same time for any."""
    parts: list[str] = []
    for name in _SIGNED:
        part = fields.get(name)
        if not isinstance(part, str) or len(part) > _MOST_CHARS:
            return False
        parts.append(part)
    given, order_id, status_code, gross_amount = parts
    try:
        expected = signature_of(order_id, status_code, gross_amount, server_key)
        return hmac.compare_digest(expected.encode(), given.lower().encode())
    except UnicodeEncodeError:
        # JSON may carry half a surrogate pair, which is no text and nobody signed.
        return False
