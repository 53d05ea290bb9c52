"""The limits of one shop's day, lifted: load is put on a bot for its work, not for what it says beyond."""

from __future__ import annotations

_NEVER_REACHED = str(10**12)
UNLIMITED = {
    "MODEL_DAILY_BUDGET_IDR": _NEVER_REACHED,
    "CUSTOMER_DAILY_BUDGET_IDR": _NEVER_REACHED,
    "CUSTOMER_DAILY_ANSWERS": _NEVER_REACHED,
}
