"""What a customer has in hand: what he was read back, and his orders. Read where he is looked up anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from billing.transfer import can_be_confirmed
from store import orders, proposals
from store.customers import Customer
from store.orders import Line, Order, State
from store.proposals import Proposal

# Older orders are not what anybody means by "pesanan saya".
_MOST_ORDERS = 5
_LATE_MS = 24 * 60 * 60 * 1000


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

    def transfer(self, *, at_ms: int) -> Order | None:
        """The newest order whose transfer a person would look up; one that is over, for a day."""
        newest = next(iter(self.orders), None)
        is_late = newest is not None and can_be_confirmed(newest) and newest.expires_ms > at_ms - _LATE_MS
        return self._newest(State.WAITING_CONFIRMATION) or (newest if is_late else None)

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


def with_named(
    connection: Connection, account: str, customer: Customer, shopping: Shopping, order_id: str
) -> Shopping:
    """The same with his order of this number behind the others; anybody else's is not added."""
    order = orders.get(connection, order_id)
    if order is None or (order.account, order.customer_id) != (account, customer.id):
        return shopping
    lines = {**(shopping.lines or {}), order_id: orders.lines_of(connection, order_id)}
    return replace(shopping, orders=(*shopping.orders, order), lines=lines)
