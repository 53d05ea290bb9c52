"""Customers know whether it was decided that they are answered, and whether they asked for their deletion.

The first was read off a customer's being new, but he is there as soon as the shop's phone tells of his chat.
The second was a list of ids in ``meta``, where a merged customer was not found any more.
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHATS_MODE = "mode IS NOT NULL"
ANSWERED = (
    "EXISTS (SELECT 1 FROM turns WHERE customer_id = customers.id AND author = 'bot' AND replied <> '')"
)
ORDERED = "EXISTS (SELECT 1 FROM orders WHERE customer_id = customers.id)"


def upgrade() -> None:
    op.add_column("customers", sa.Column("judged_ms", sa.BigInteger(), nullable=True))
    op.add_column("customers", sa.Column("erase_asked_ms", sa.BigInteger(), nullable=True))
    where = sa.text("erase_asked_ms IS NOT NULL")
    op.create_index(
        "ix_customers_erase", "customers", ["account"], sqlite_where=where, postgresql_where=where
    )
    # Whom the bot has dealt with, and whose chat has a mode of its own, stays as he is. Of all others nobody
    # knows whether they are customers; it is decided when they write.
    op.execute(f"UPDATE customers SET judged_ms = created_ms WHERE {CHATS_MODE} OR {ANSWERED} OR {ORDERED}")
    _carry_erasures_over()


def _carry_erasures_over() -> None:
    connection = op.get_bind()
    lists = connection.execute(sa.text("SELECT value FROM meta WHERE key LIKE 'erase:%'")).scalars().all()
    marked = sa.text("UPDATE customers SET erase_asked_ms = :now WHERE id = :id")
    for customer_id in " ".join(lists).split():
        connection.execute(marked, {"now": int(time.time() * 1000), "id": int(customer_id)})
    connection.execute(sa.text("DELETE FROM meta WHERE key LIKE 'erase:%'"))
