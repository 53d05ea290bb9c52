"""What happens to a customer's orders when he is deleted, or turns out to be two addresses of one person."""

from __future__ import annotations

import json

from sqlalchemy import Connection, delete, select, update

from store import payment_events
from store.schema import attempts, invoices, orders, proposals

# What an invoice must still say of its buyer (UU KUP, PMK-131/2024): his name. Number and address go.
_KEPT_OF_BUYER = ("name",)


def forget(connection: Connection, customer_id: int) -> None:
    """Take the customer out of his orders; orders and invoices stay, as the law wants them kept."""
    connection.execute(delete(proposals).where(proposals.c.customer_id == customer_id))
    his = select(orders.c.account, orders.c.id).where(orders.c.customer_id == customer_id)
    rows = connection.execute(his).all()
    if not rows:
        return
    # A customer belongs to one account, and so does all that he ordered.
    account, ids = rows[0].account, [row.id for row in rows]
    links = connection.execute(select(attempts.c.id).where(attempts.c.order_id.in_(ids))).scalars().all()
    payment_events.blank(connection, account, list(links))
    for account, number, body in connection.execute(
        select(invoices.c.account, invoices.c.number, invoices.c.body).where(invoices.c.order_id.in_(ids))
    ).all():
        content = json.loads(body)
        buyer = content.get("customer", {})
        content["customer"] = {key: buyer[key] for key in _KEPT_OF_BUYER if key in buyer}
        content.pop("details", None)
        connection.execute(
            update(invoices)
            .where(invoices.c.account == account, invoices.c.number == number)
            .values(body=json.dumps(content, ensure_ascii=False))
        )
    connection.execute(
        update(orders)
        .where(orders.c.customer_id == customer_id)
        .values(customer_id=None, chat=None, details="{}", note=None)
    )


def merge(connection: Connection, *, kept: int, other: int) -> None:
    """The orders of ``other`` are those of ``kept``; what either was read back must be read back again."""
    # Which of two proposals he would mean by *ya* is anybody's guess.
    connection.execute(delete(proposals).where(proposals.c.customer_id.in_([kept, other])))
    connection.execute(update(orders).where(orders.c.customer_id == other).values(customer_id=kept))
