"""Tables of orders, payments and invoices.

Money is integer rupiah, times are milliseconds in database time. An order lives for ten years, its customer
perhaps not: what is his (chat, answers) is cleared when he is deleted, what the law wants kept stays.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store.columns import BigId, id_column, metadata, open_rows_index, partial_index, queue_columns

orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),  # "B" and nine characters nobody can guess
    Column("account", Text, nullable=False),
    Column("customer_id", BigId, ForeignKey("customers.id"), index=True),  # null: he was deleted
    Column("transport", Text, nullable=False),  # the channel that the customer is reached by
    Column("chat", Text),  # null: he was deleted
    Column("state", Text, nullable=False),  # store.orders.State
    Column("method", Text),  # midtrans, transfer; null until he has chosen
    Column("total_idr", BigInteger, nullable=False),
    Column("details", Text, nullable=False, server_default=text("'{}'")),  # JSON: his answers to `perlu`
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("reminded_ms", BigInteger),
    Column("paid_ms", BigInteger),
    Column("paid_by", Text),  # Midtrans's transaction id, or who confirmed the transfer
    Column("refunded_idr", BigInteger, nullable=False, server_default=text("0")),  # in all, so far
    Column("note", Text),  # who refused its transfer, or that its customer must be told of its end
    # What the poller looks through: the orders that may still be paid.
    partial_index(
        "ix_orders_unpaid",
        "account",
        "expires_ms",
        where="state IN ('created', 'pending', 'waiting_confirmation', 'review')",
    ),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # item, shipping, discount
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),  # 50 characters at most: Midtrans takes no more
    Column("quantity", Integer, nullable=False),
    Column("unit_idr", BigInteger, nullable=False),  # negative for a discount
    # What the buyer gets once he has paid (`setelah_bayar`), as the catalogue said when he ordered.
    Column("after_payment", Text, nullable=False, server_default=text("''")),
)

# Every payment link, for a creation that timed out may have made one that nobody can read back.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),  # "{order_id}-{number}": Midtrans's order_id
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("amount_idr", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),  # snap, qris
    Column("token", Text),
    Column("url", Text),
    Column("state", Text, nullable=False),  # store.attempts.State
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("checked_ms", BigInteger),  # when Midtrans was last asked about it
    Column("transaction_id", Text),
    Column("status", Text),  # what Midtrans said last: a billing.report.Meaning
    Column("payment_type", Text),
    Column("refunded_idr", BigInteger, nullable=False, server_default=text("0")),  # in all, so far
    UniqueConstraint("order_id", "number"),
    partial_index(
        "ix_attempts_open",
        "expires_ms",
        where="state IN ('unknown', 'open')",
    ),
)

proposals = Table(
    "proposals",
    metadata,
    id_column(),
    Column("account", Text, nullable=False),
    # One a customer: a new read-back replaces the one before it.
    Column("customer_id", BigId, ForeignKey("customers.id"), nullable=False, unique=True),
    Column("lines", Text, nullable=False),  # JSON, as store.orders writes lines
    Column("total_idr", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("consumed_ms", BigInteger),
    sqlite_autoincrement=True,
)

# A queue: notifications as they came, answered 200 once they are here and not before.
payment_events = Table(
    "payment_events",
    metadata,
    id_column(),
    *queue_columns(),
    Column("hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("account", "hash"),
    open_rows_index("payment_events"),
    # By which a deleted customer's are found; those not finished are found by the index above.
    partial_index(
        "ix_payment_events_finished",
        "key",
        where="finished_ms IS NOT NULL",
    ),
    sqlite_autoincrement=True,
)

invoices = Table(
    "invoices",
    metadata,
    Column("account", Text, primary_key=True),
    Column("number", Text, primary_key=True),  # "INV/2026/10/0001"
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False, unique=True),
    Column("period", Text, nullable=False),  # "2026-10" in the shop's time zone
    Column("sequence", Integer, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # JSON: all that the document shows
    Column("token", Text, nullable=False, unique=True),  # what its address is made of
    Column("token_expires_ms", BigInteger, nullable=False),
    Column("delivered_ms", BigInteger),
    Column("delivered_by", Text),  # starsender, bot
    UniqueConstraint("account", "period", "sequence"),
)

# The last number given in a month: one row to lock, so that no number is given twice and none is left out.
invoice_counters = Table(
    "invoice_counters",
    metadata,
    Column("account", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)
