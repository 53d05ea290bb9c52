"""Which of Midtrans's requests can be made to fail, and in which words. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

_BROKEN = {"error_messages": ["Sorry, we encountered internal server error. We will fix this soon."]}


class Target(StrEnum):
    """Which requests."""

    SNAP = "snap"  # creating a page
    STATUS = "status"  # asking how a transaction stands
    CHARGE = "charge"  # a direct charge
    CHANGE = "change"  # expire, cancel, refund
    ALL = "all"


def words(status: int) -> tuple[int, dict[str, Any]]:
    """How it says that something is wrong."""
    if status == 500:
        return 500, _BROKEN
    return status, {"error_messages": ["Too many requests" if status == 429 else "Bad request"]}
