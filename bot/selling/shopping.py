"""What a customer has in hand: what he was read back, and his orders. Read where he is looked up anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from store import orders, proposals
from store.customers import Customer
from store.orders import Line, Order, State
from store.proposals import Proposal

# Older orders are not what anybody means by "pesanan saya".
_MOST_ORDERS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Shopping:
    """Nothing at all for most people who write."""

    proposal: Proposal | None = None
    orders: Sequence[Order] = ()  # the newest first
    lines: Mapping[str, tuple[Line, ...]] | None = None  # of those orders, by their id

    @property
    def draft(self) -> Order | None:
        """The newest order that is confirmed but has no way to be paid yet."""
        return self._newest(State.CREATED)

    @property
    def unpaid(self) -> Order | None:
        """The newest order that he may still pay."""
        return self._newest(*orders.UNPAID)

    @property
    def transfer(self) -> Order | None:
        """The newest order for which a person waits to see the money come."""
        return self._newest(State.WAITING_CONFIRMATION)

    def lines_of(self, order: Order) -> tuple[Line, ...]:
        return (self.lines or {}).get(order.id, ())

    def named(self, order_id: str) -> Order | None:
        """His order with this number; anybody else's is unknown here."""
        return next((order for order in self.orders if order.id == order_id), None)

    def _newest(self, *states: State) -> Order | None:
        return next((order for order in self.orders if order.state in states), None)


_NOTHING = Shopping()


def look_up(connection: Connection, account: str, customer: Customer) -> Shopping:
    """Nothing to read for who never bought anything, which is nearly everybody."""
    if not customer.trades:
        return _NOTHING
    found = orders.of_customer(connection, account, customer.id, most=_MOST_ORDERS)
    return Shopping(
        proposal=proposals.pending(connection, customer.id),
        orders=found,
        lines={order.id: orders.lines_of(connection, order.id) for order in found},
    )
