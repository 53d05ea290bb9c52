"""Messages that could not be decrypted, chats from before the bot was linked, and people's own words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("customers", sa.Column("human_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "past_chats",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("customer_id", BIG_ID, nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        sa.Column("listed_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_past_chats_customer_id")),
        sa.PrimaryKeyConstraint("account", "chat", name=op.f("pk_past_chats")),
    )
    op.create_index(op.f("ix_past_chats_customer_id"), "past_chats", ["customer_id"], unique=False)
    op.create_table(
        "undecryptable",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("customer_id", BIG_ID, nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_undecryptable_customer_id")),
        sa.PrimaryKeyConstraint("account", "chat", "message_id", name=op.f("pk_undecryptable")),
    )
    op.create_index(op.f("ix_undecryptable_customer_id"), "undecryptable", ["customer_id"], unique=False)
