"""Queues count the attempts that failed apart from those that a death of the process ended.

Both were one number, and a few deaths used up the attempts of a message that failed once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for queue in ("inbox", "outbox", "media", "payment_events"):
        failures = sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False)
        op.add_column(queue, failures)
        # Of what waits now nobody knows which it was; a failure is the likelier.
        op.execute(f"UPDATE {queue} SET failures = attempts WHERE finished_ms IS NULL AND error IS NOT NULL")
