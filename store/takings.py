"""Takings: what was ordered and paid in a stretch of time, counted by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from store.orders import LineKind, State
from store.payment_tables import order_lines, orders

# Whoever owes the shop something for these may still pay.
UNPAID = (State.CREATED, State.PENDING, State.WAITING_CONFIRMATION, State.REVIEW)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """How many orders, and their totals together in rupiah."""

    count: int = 0
    idr: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Takings:
    """The orders of a stretch of time. A payment counts when it came, whenever its order was made."""

    ordered: Sum
    paid: Sum
    unpaid: Sum  # those of ``ordered`` that may still be paid
    unchecked: Sum  # those of ``unpaid`` whose bank transfer a person has to look up


def between(connection: Connection, account: str, *, since_ms: int, until_ms: int) -> Takings:
    """What was ordered and paid from ``since_ms`` on, before ``until_ms``."""
    made = (orders.c.created_ms >= since_ms, orders.c.created_ms < until_ms)
    unpaid = orders.c.state.in_([state.value for state in UNPAID])
    unchecked = orders.c.state == State.WAITING_CONFIRMATION.value
    return Takings(
        ordered=_sum(connection, account, *made),
        paid=_sum(connection, account, orders.c.paid_ms >= since_ms, orders.c.paid_ms < until_ms),
        unpaid=_sum(connection, account, *made, unpaid),
        unchecked=_sum(connection, account, *made, unchecked),
    )


def at_other_prices(connection: Connection, account: str, prices: Mapping[str, int]) -> int:
    """How many unpaid orders hold one of these items, by its code in capitals, at another price."""
    held = (
        select(orders.c.id, func.upper(order_lines.c.code), order_lines.c.unit_idr)
        .select_from(orders.join(order_lines, order_lines.c.order_id == orders.c.id))
        .where(
            orders.c.account == account,
            orders.c.state.in_([state.value for state in UNPAID]),
            order_lines.c.kind == LineKind.ITEM.value,
        )
    )
    # What is unpaid are some dozens; a whole catalogue is more than a statement should carry.
    lines = connection.execute(held).all()
    return len({order_id for order_id, code, unit_idr in lines if prices.get(code, unit_idr) != unit_idr})


def _sum(connection: Connection, account: str, *where: ColumnElement[bool]) -> Sum:
    total = func.coalesce(func.sum(orders.c.total_idr), 0)
    found = connection.execute(select(func.count(), total).where(orders.c.account == account, *where)).one()
    # PostgreSQL adds up to a Decimal.
    return Sum(count=int(found[0]), idr=int(found[1]))
