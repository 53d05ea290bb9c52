"""Changes to the shop's files that an admin sees before they are made; notes to who waits; limits told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("noted_ms", sa.BigInteger(), nullable=True))
    op.add_column("usage", sa.Column("told_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "edits",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("outbox_id", BIG_ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edits")),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_edits_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_edits_state", "edits", ["account", "state", "decided_ms"], unique=False)
