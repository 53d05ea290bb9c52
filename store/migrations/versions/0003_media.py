"""Files that people send and get, messages that change afterwards, chats whose messages disappear."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# SQLite gives AUTOINCREMENT only to INTEGER; 64 bits either way.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("inbox", sa.Column("turn_id", BIG_ID, nullable=True))
    op.create_table(
        "media",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("claimed_ms", sa.BigInteger(), nullable=True),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("inbox_id", BIG_ID, nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("customer_id", BIG_ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mimetype", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("announced_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_media_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("inbox_id", name=op.f("uq_media_inbox_id")),
        sa.UniqueConstraint("path", name=op.f("uq_media_path")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_media_chat", "media", ["account", "chat", "id"], unique=False)
    op.create_index(op.f("ix_media_customer_id"), "media", ["customer_id"], unique=False)
    op.create_index(op.f("ix_media_expires_ms"), "media", ["expires_ms"], unique=False)
    op.create_index(
        "ix_media_open",
        "media",
        ["account", "transport", "key", "id"],
        unique=False,
        sqlite_where=sa.text("finished_ms IS NULL"),
        postgresql_where=sa.text("finished_ms IS NULL"),
    )
    op.create_table(
        "forwards",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("media_id", BIG_ID, nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("notice_kind", sa.Text(), nullable=False),
        sa.Column("handoff_id", BIG_ID, nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoffs.id"], name=op.f("fk_forwards_handoff_id")),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_forwards_media_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forwards")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_forwards_handoff_id"), "forwards", ["handoff_id"], unique=False)
    op.create_index(op.f("ix_forwards_media_id"), "forwards", ["media_id"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("outbox_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("mimetype", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("media_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_attachments_media_id")),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_attachments_outbox_id")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_media_id"), "attachments", ["media_id"], unique=False)
    op.create_table(
        "chat_timers",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("timer_s", sa.Integer(), nullable=False),
        sa.Column("customer_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_chat_timers_customer_id")),
        sa.PrimaryKeyConstraint("account", "chat", name=op.f("pk_chat_timers")),
    )
    op.create_index(op.f("ix_chat_timers_customer_id"), "chat_timers", ["customer_id"], unique=False)
