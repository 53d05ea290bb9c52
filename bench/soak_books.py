"""What a soak's database must say at its end: the orders that are paid, and what is not at its end yet."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from store.orders import State
from store.schema import QueueState, inbox, invoices, outbox
from store.schema import orders as orders_table


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the database says."""

    paid: set[str]
    invoices: dict[str, str]  # by order
    dead: int


def books(connection: Connection) -> Books:
    """What is there now."""
    paid = select(orders_table.c.id).where(orders_table.c.state == State.PAID.value)
    dead = [
        connection.execute(
            select(func.count()).select_from(table).where(table.c.state == QueueState.DEAD.value)
        ).scalar_one()
        for table in (inbox, outbox)
    ]
    rows = connection.execute(select(invoices.c.order_id, invoices.c.number)).all()
    return Books(
        paid=set(connection.execute(paid).scalars()),
        invoices={row[0]: row[1] for row in rows},
        dead=sum(dead),
    )


def unfinished(connection: Connection) -> int:
    """How many rows of the queues and invoices are not at their end."""
    waiting = sum(
        connection.execute(
            select(func.count()).select_from(table).where(table.c.finished_ms.is_(None))
        ).scalar_one()
        for table in (inbox, outbox)
    )
    undelivered = select(func.count()).select_from(invoices).where(invoices.c.delivered_ms.is_(None))
    return waiting + int(connection.execute(undelivered).scalar_one())


def chats_of_buyers(connection: Connection, most: int) -> list[tuple[int, str]]:
    """The customers who wrote last, each with his chat."""
    newest = select(inbox.c.customer_id, inbox.c.chat).order_by(inbox.c.id.desc()).limit(1_000)
    found: dict[int, str] = {}
    for customer_id, chat in connection.execute(newest):
        if customer_id is not None and len(found) < most:
            found.setdefault(customer_id, chat)
    return list(found.items())


def newest_rows(connection: Connection, chat: str) -> list[str]:
    """The newest rows of a chat in both queues, without what was said."""
    found = []
    for table in (inbox, outbox):
        shown = [column for column in table.c if column.name not in ("raw", "body", "chat", "sender")]
        newest = select(*shown).where(table.c.chat == chat).order_by(table.c.id.desc()).limit(2)
        for row in connection.execute(newest).mappings():
            facts = " ".join(f"{name}={value}" for name, value in row.items() if value not in (None, ""))
            found.append(f"{table.name} {facts}")
    return found
