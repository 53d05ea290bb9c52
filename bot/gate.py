"""The gate: every answer passes it, when it is committed and once more when it is sent. Pure."""

from __future__ import annotations

from enum import Enum

from config.settings import Mode
from store.customers import Customer


class Pass(Enum):
    """What the gate decides about an answer."""

    SEND = "send"  # it may go
    HOLD = "hold"  # it waits for the owner's approval
    SHOW = "show"  # only the owner sees it
    DROP = "drop"  # it must not go


def gate(shop_mode: Mode, customer: Customer) -> Pass:
    """The decision for one customer's chat now; the chat's own mode wins over the shop's."""
    if customer.silent_ms > 0:
        return Pass.DROP
    mode = Mode(customer.mode) if customer.mode is not None else shop_mode
    match mode:
        case Mode.ON:
            return Pass.SEND
        case Mode.APPROVE:
            return Pass.HOLD
        case Mode.PRACTICE:
            return Pass.SHOW
        case Mode.OFF | Mode.NEW:
            return Pass.DROP
