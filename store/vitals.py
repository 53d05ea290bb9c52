"""How an account is doing, read from the database alone: what `/metrics` and the status page show.

No figure names a customer. Everything is read on one snapshot; the reads look at the ends of the tables, so
that a large past costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, case, exists, func, select

from store import alerts, usage
from store.orders import UNPAID, State
from store.payment_tables import invoices, orders, payment_events
from store.schema import QueueState, inbox, now_ms, outbox
from store.usage import Spent

# Quantiles and dead letters are those of the newest rows, of the last day at most.
_NEWEST = 500
_DAY_MS = 24 * 60 * 60 * 1000
# Money came in, whatever became of it later: each of these has an invoice.
_PAID = (State.PAID, State.OVERPAID, State.PART_REFUNDED, State.REFUNDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """What waits in one queue."""

    waiting: int
    held: int  # waits for a person's approval
    oldest_s: float  # age of the oldest that waits; 0 when none does


@dataclass(frozen=True, kw_only=True, slots=True)
class Seconds:
    """How long the newest rows took; None where there were none in a day."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """One account's figures."""

    inbox: Depth
    outbox: dict[str, Depth]  # by transport
    payment_events: Depth
    last_message_s: float | None  # since the newest message was recorded; None: never
    to_answer: Seconds  # from a message's commit until its answer's, waiting for the end of a burst included
    to_send: Seconds  # from an answer's commit until it was sent
    dead_letters: dict[str, int]  # given up in the last day, by table
    paid_without_invoice: int
    undelivered_invoices: int
    unpaid_orders: int
    today: Spent
    alerts: Sequence[tuple[str, str]]  # fingerprint and message of what is wrong now


def read(connection: Connection, account: str, *, day: str) -> Vitals:
    """The account's figures; ``day`` is today in the shop's time zone (YYYY-MM-DD)."""
    transports = connection.execute(_TRANSPORTS, {"in_account": account}).scalars().all()
    return Vitals(
        inbox=_depth(connection, inbox, account),
        outbox={
            name: _depth(connection, outbox, account, name) for name in sorted({*transports, "whatsapp"})
        },
        payment_events=_depth(connection, payment_events, account),
        last_message_s=_last_message_s(connection, account),
        to_answer=_seconds(connection, _TO_ANSWER, account),
        to_send=_seconds(connection, _TO_SEND, account),
        dead_letters={
            table.name: _count(connection, _DEAD[table.name], account)
            for table in (inbox, outbox, payment_events)
        },
        paid_without_invoice=_count(connection, _PAID_WITHOUT_INVOICE, account),
        undelivered_invoices=_count(connection, _UNDELIVERED, account),
        unpaid_orders=_count(connection, _UNPAID_ORDERS, account),
        today=usage.spent_on(connection, account, day),
        alerts=alerts.active(connection, account),
    )


_ARRIVED = {
    "inbox": inbox.c.recorded_ms,
    "outbox": outbox.c.created_ms,
    "payment_events": payment_events.c.received_ms,
}
_TRANSPORTS = (
    select(outbox.c.transport)
    .where(outbox.c.account == bindparam("in_account"), outbox.c.finished_ms.is_(None))
    .distinct()
)


def _depth(connection: Connection, table: Table, account: str, transport: str | None = None) -> Depth:
    held = table.c.state == QueueState.HELD.value
    arrived = _ARRIVED[table.name]
    statement = select(
        func.count(),
        func.sum(case((held, 1), else_=0)),
        func.min(case((held, None), else_=arrived)),
        now_ms(),
    ).where(table.c.account == account, table.c.finished_ms.is_(None))
    if transport is not None:
        statement = statement.where(table.c.transport == transport)
    count, held_count, oldest_ms, now = connection.execute(statement).one()
    held_count = int(held_count or 0)
    oldest_s = 0.0 if oldest_ms is None else max(0, now - oldest_ms) / 1000
    return Depth(waiting=count - held_count, held=held_count, oldest_s=oldest_s)


def _last_message_s(connection: Connection, account: str) -> float | None:
    newest = select(inbox.c.recorded_ms, now_ms()).where(inbox.c.account == account)
    row = connection.execute(newest.order_by(inbox.c.id.desc()).limit(1)).first()
    return None if row is None else max(0, row[1] - row[0]) / 1000


def _newest(table: Table) -> Select[Any]:
    return (
        select(table)
        .where(table.c.account == bindparam("in_account"))
        .order_by(table.c.id.desc())
        .limit(_NEWEST)
    )


_answered = _newest(inbox).subquery()
_TO_ANSWER = select(_answered.c.finished_ms - _answered.c.recorded_ms).where(
    _answered.c.state == QueueState.DONE.value, _answered.c.finished_ms >= now_ms() - _DAY_MS
)
_sent = _newest(outbox).subquery()
_TO_SEND = select(_sent.c.finished_ms - _sent.c.created_ms).where(
    _sent.c.state == QueueState.DONE.value,
    _sent.c.purpose == "answer",
    _sent.c.finished_ms >= now_ms() - _DAY_MS,
)


def _seconds(connection: Connection, statement: Select[Any], account: str) -> Seconds:
    took = sorted(row[0] / 1000 for row in connection.execute(statement, {"in_account": account}))
    if not took:
        return Seconds(p50=None, p95=None)
    return Seconds(p50=took[len(took) // 2], p95=took[min(len(took) - 1, int(len(took) * 0.95))])


def _dead(table: Table) -> Select[Any]:
    newest = _newest(table).subquery()
    return (
        select(func.count())
        .select_from(newest)
        .where(newest.c.state == QueueState.DEAD.value, newest.c.finished_ms >= now_ms() - _DAY_MS)
    )


_DEAD = {table.name: _dead(table) for table in (inbox, outbox, payment_events)}
_ours = orders.c.account == bindparam("in_account")
_PAID_WITHOUT_INVOICE = (
    select(func.count())
    .select_from(orders)
    .where(
        _ours,
        orders.c.state.in_([state.value for state in _PAID]),
        ~exists().where(invoices.c.order_id == orders.c.id),
    )
)
_UNPAID_ORDERS = (
    select(func.count())
    .select_from(orders)
    .where(_ours, orders.c.state.in_([state.value for state in UNPAID]))
)
_UNDELIVERED = (
    select(func.count())
    .select_from(invoices)
    .where(invoices.c.account == bindparam("in_account"), invoices.c.delivered_ms.is_(None))
)


def _count(connection: Connection, statement: Select[Any], account: str) -> int:
    return int(connection.execute(statement, {"in_account": account}).scalar_one())
