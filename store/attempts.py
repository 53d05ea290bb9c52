"""Attempts to be paid: one row a payment link. Its id is Midtrans's ``order_id`` and is never used twice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, case, func, insert, select, text, update

from store.orders import Order
from store.schema import at_most, attempts, now_ms, orders


class State(StrEnum):
    """Whether the link may still bring money."""

    UNKNOWN = (
        "unknown"  # being made, or its making was not answered: it may exist, and nobody has its address
    )
    OPEN = "open"  # the customer has it and may pay
    CLOSED = "closed"  # over: expired, cancelled, or never made
    PAID = "paid"  # money came by it


class Channel(StrEnum):
    """What the customer is given."""

    SNAP = "snap"  # the address of Midtrans's page, where he chooses how to pay
    QRIS = "qris"  # a picture that he scans


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One payment link of an order, with what Midtrans said of it last."""

    id: str
    order_id: str
    number: int
    amount_idr: int
    channel: Channel
    token: str | None
    url: str | None
    state: State
    created_ms: int
    expires_ms: int
    checked_ms: int | None
    transaction_id: str | None
    status: str | None
    payment_type: str | None
    refunded_idr: int


def create(connection: Connection, order: Order, *, channel: Channel) -> Attempt:
    """The order's next attempt, for its whole total and until its end; committed before Midtrans is asked."""
    highest = select(func.coalesce(func.max(attempts.c.number), 0)).where(attempts.c.order_id == order.id)
    number = int(connection.execute(highest).scalar_one()) + 1
    attempt_id = f"{order.id}-{number}"
    connection.execute(
        insert(attempts).values(
            id=attempt_id,
            order_id=order.id,
            number=number,
            amount_idr=order.total_idr,
            channel=channel.value,
            state=State.UNKNOWN.value,
            created_ms=now_ms(),
            expires_ms=order.expires_ms,
        )
    )
    created = get(connection, attempt_id)
    assert created is not None
    return created


_GET = select(attempts).where(attempts.c.id == bindparam("wanted"))
_OF_ORDER = select(attempts).where(attempts.c.order_id == bindparam("wanted")).order_by(attempts.c.number)


def get(connection: Connection, attempt_id: str) -> Attempt | None:
    """The attempt, or None for an id that is none of ours."""
    row = connection.execute(_GET, {"wanted": attempt_id}).first()
    return None if row is None else _attempt(row)


def of_order(connection: Connection, order_id: str) -> list[Attempt]:
    """All attempts of the order, the oldest first."""
    return [_attempt(row) for row in connection.execute(_OF_ORDER, {"wanted": order_id}).all()]


def opened(connection: Connection, attempt_id: str, *, token: str | None, url: str) -> bool:
    """Midtrans made the link; False when it is known already, or over (somebody may have paid by it)."""
    statement = (
        update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.state == State.UNKNOWN.value)
        .values(state=State.OPEN.value, token=token, url=url)
    )
    return connection.execute(statement).rowcount == 1


def checked(connection: Connection, attempt_id: str, *, asked_ms: int) -> None:
    """Midtrans was asked at ``asked_ms`` and had nothing new."""
    connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(checked_ms=asked_ms))


def reported(
    connection: Connection,
    attempt_id: str,
    *,
    state: State,
    status: str,
    transaction_id: str | None,
    payment_type: str | None,
    refunded_idr: int = 0,
    asked_ms: int | None = None,
) -> None:
    """What Midtrans said of it when it was asked at ``asked_ms`` (None: now)."""
    connection.execute(
        update(attempts)
        .where(attempts.c.id == attempt_id)
        .values(
            state=state.value,
            status=status,
            transaction_id=transaction_id,
            payment_type=payment_type,
            refunded_idr=refunded_idr,
            checked_ms=now_ms() if asked_ms is None else asked_ms,
        )
    )


def close(connection: Connection, attempt_id: str) -> bool:
    """Nobody can pay by it any more; False when it is over already."""
    statement = (
        update(attempts)
        .where(
            attempts.c.id == attempt_id,
            (attempts.c.state == State.UNKNOWN.value) | (attempts.c.state == State.OPEN.value),
        )
        .values(state=State.CLOSED.value)
    )
    return connection.execute(statement).rowcount == 1


_LAST_LOOK = func.coalesce(attempts.c.checked_ms, attempts.c.created_ms)
_INTERVAL = case(
    (
        attempts.c.created_ms > now_ms() - bindparam("young_ms", type_=BigInteger),
        bindparam("often_ms", type_=BigInteger),
    ),
    else_=bindparam("seldom_ms", type_=BigInteger),
)
_TO_CHECK = (
    select(attempts)
    .join(orders, orders.c.id == attempts.c.order_id)
    .where(
        orders.c.account == bindparam("in_account"),
        # In the words of the partial index, or neither database would use it.
        text("attempts.state IN ('unknown', 'open')"),
        now_ms() >= _LAST_LOOK + _INTERVAL,
    )
    .order_by(_LAST_LOOK)
    .limit(at_most("most"))
)


def to_check(
    connection: Connection, account: str, *, young_ms: int, often_ms: int, seldom_ms: int, most: int
) -> list[Attempt]:
    """Links that may still bring money and that Midtrans was not asked about lately, the longest ago first.

    Those younger than ``young_ms`` (whose customers are just paying) after ``often_ms``, others after
    ``seldom_ms``.
    """
    values = {
        "in_account": account,
        "young_ms": young_ms,
        "often_ms": often_ms,
        "seldom_ms": seldom_ms,
        "most": most,
    }
    return [_attempt(row) for row in connection.execute(_TO_CHECK, values).all()]


def _attempt(row: Row[Any]) -> Attempt:
    values = dict(row._mapping)
    values["channel"] = Channel(row.channel)
    values["state"] = State(row.state)
    return Attempt(**values)
