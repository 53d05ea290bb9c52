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


def gate(shop_mode: Mode, customer: Customer, since_ms: int | None = None, *, right: bool = False) -> Pass:
    """The decision for one customer's chat now; the chat's own mode wins over the shop's.

    ``since_ms`` is when that came which is answered, or when its answer was made (database time): a person
    who wrote after it has answered it, however long ago that is. A ``right`` is the customer's by law, and no
    pause withholds it: not even whoever has the chat could give it to him. The mode counts for it as well.
    """
    paused = customer.silent_ms > 0 or (since_ms is not None and since_ms <= customer.human_ms)
    if paused and not right:
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
