"""The wording of a question for all customers; questions from before the pairing that may become entries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("faq_question", sa.Text(), nullable=True))
    op.create_table(
        "past_questions",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("customer_id", BIG_ID, nullable=False),
        sa.Column("outbox_id", BIG_ID, nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("chats", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_past_questions_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_questions")),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_past_questions_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_past_questions_customer_id"), "past_questions", ["customer_id"], unique=False)
