"""What selling wants of the payment provider: a link, the truth about a payment, and to call one off."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from bot.selling.sayings import Link


class Money(Enum):
    """What the provider says about an order when it is asked now."""

    PAID = auto()  # it was paid; everything that follows from it is committed
    NOT_YET = auto()  # nothing came, and something may still come
    REVIEW = auto()  # a card is charged, and a person must say whether that is good
    OVER = auto()  # nothing came, and by these links nothing can come any more
    NOBODY_KNOWS = auto()  # the provider cannot be asked now


class Cashier(Protocol):
    """The provider's desk. Never raises for the provider's sake."""

    async def link(self, order_id: str) -> Link | None:
        """A way to pay the order: one that it has, or a new one; None when none can be made now."""
        ...

    async def look(self, order_id: str) -> Money:
        """Ask now whether the order was paid, and commit what follows from the answer."""
        ...

    async def call_off(self, order_id: str) -> Money:
        """Close the order's links and cancel it, unless it was paid; OVER is the good end."""
        ...
