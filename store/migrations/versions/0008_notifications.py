"""The index by which a deleted customer's notifications are found holds finished ones only.

Those that wait are found by the index of the queue. So the door, which Midtrans waits for, has one index
less to keep, and the worker behind it keeps this one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FINISHED = sa.text("finished_ms IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_payment_events_key", table_name="payment_events")
    op.create_index(
        "ix_payment_events_finished",
        "payment_events",
        ["key"],
        unique=False,
        sqlite_where=FINISHED,
        postgresql_where=FINISHED,
    )
