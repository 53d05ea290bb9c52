"""Whether an alert reached somebody, and one-time addresses of the pairing page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("told_ms", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("recovery_told_ms", sa.BigInteger(), nullable=True))
    # What was over before anybody could be told is nobody's news any more.
    op.execute(
        "UPDATE alerts SET told_ms = notified_ms, recovery_told_ms = recovered_ms "
        "WHERE recovered_ms IS NOT NULL"
    )
    op.create_table(
        "login_links",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_login_links")),
    )
