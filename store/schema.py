"""Tables of the store, one place for both databases.

Times are integer milliseconds since the epoch in *database* time (``now_ms()``); money is integer
rupiah; vectors are little-endian float16. A row that is finished has ``finished_ms`` set: the
partial indexes on it keep every queue's scan as small as its backlog. The migrations create these
tables; a test compares the two. The tables of orders and payments are in ``store.payment_tables``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store.columns import BigId as BigId
from store.columns import QueueState as QueueState
from store.columns import at_most as at_most
from store.columns import id_column, open_rows_index, partial_index, queue_columns
from store.columns import metadata as metadata
from store.columns import now_ms as now_ms
from store.payment_tables import attempts as attempts
from store.payment_tables import invoice_counters as invoice_counters
from store.payment_tables import invoices as invoices
from store.payment_tables import order_lines as order_lines
from store.payment_tables import orders as orders
from store.payment_tables import payment_events as payment_events
from store.payment_tables import proposals as proposals

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# One row per running process; shared queues take back what a silent owner had claimed.
owners = Table(
    "owners",
    metadata,
    Column("instance", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("heartbeat_ms", BigInteger, nullable=False),
)

# `silent_reason` of a chat that is off because of who is answered at all, not by a word about this one.
LEFT_OUT = "left_out"

customers = Table(
    "customers",
    metadata,
    id_column(),
    Column("account", Text, nullable=False),
    Column("name", Text),
    Column("created_ms", BigInteger, nullable=False),
    Column("introduced_ms", BigInteger),  # when the privacy notice rode on an answer
    Column("mode", Text),  # the gate's mode for this chat alone; null follows the shop's
    Column("silent_until_ms", BigInteger),  # the bot keeps quiet here until then (loop, pause)
    Column("silent_reason", Text),
    Column("human_ms", BigInteger),  # when a person last wrote here: nothing older is answered
    Column("judged_ms", BigInteger),  # when it was decided whether he is among those who are answered
    Column(
        "erase_asked_ms", BigInteger
    ),  # when he asked for his deletion, which follows the last word to him
    # Looked at every few seconds; hardly anybody is in it.
    partial_index("ix_customers_erase", "account", where="erase_asked_ms IS NOT NULL"),
    # An id must never come back: a deleted customer's answer would find another's chat.
    sqlite_autoincrement=True,
)

aliases = Table(
    "aliases",
    metadata,
    Column("account", Text, primary_key=True),
    Column("server", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("customer_id", BigId, ForeignKey("customers.id", ondelete="CASCADE"), nullable=False, index=True),
)

inbox = Table(
    "inbox",
    metadata,
    id_column(),
    *queue_columns(),
    Column("chat", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    Column("customer_id", BigId, ForeignKey("customers.id"), index=True),
    # The turn that keeps what it said, so that an edit or a deletion finds the words.
    Column("turn_id", BigId),
    UniqueConstraint("account", "chat", "sender", "message_id", "kind"),
    open_rows_index("inbox"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    *queue_columns(),
    Column("chat", Text, nullable=False),
    Column("customer_id", BigId, ForeignKey("customers.id"), index=True),
    Column("kind", Text, nullable=False),  # text, reaction, image, document, audio
    Column("purpose", Text, nullable=False),  # store.outbox.Purpose
    Column("body", Text, nullable=False),
    Column("quoted_id", Text),  # the message that this one answers or reacts to, in the channel's ids
    # The ids of the messages that this one answers, separated by spaces: they are marked read just before.
    Column("answers", Text, nullable=False, server_default=text("''")),
    Column("provider_id", Text),
    Column("created_ms", BigInteger, nullable=False),
    Column("document", Text),  # the number of the invoice that this is, or is about
    open_rows_index("outbox"),
    Index("ix_outbox_provider", "account", "chat", "provider_id"),
    sqlite_autoincrement=True,
)

# One exchange: what the customer asked and what he was answered; either side may be missing.
turns = Table(
    "turns",
    metadata,
    id_column(),
    Column("customer_id", BigId, ForeignKey("customers.id"), nullable=False),
    Column("asked", Text, nullable=False, server_default=text("''")),
    Column("replied", Text, nullable=False, server_default=text("''")),
    Column("author", Text, nullable=False),  # who replied: bot, human, auto, none
    Column("search_text", Text, nullable=False),
    Column("vector", LargeBinary),
    Column("model", Text),
    Column("dimensions", Integer),
    Column("source_ids", Text, nullable=False, server_default=text("''")),
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_turns_customer", "customer_id", "id"),
    sqlite_autoincrement=True,
)

knowledge = Table(
    "knowledge",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("embed_text", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("answer", Text),
    Column("metadata", Text, nullable=False),  # JSON object of strings
    Column("content_hash", Text, nullable=False),
    Column("vector", LargeBinary),
    Column("model", Text),
    Column("dimensions", Integer),
)

handoffs = Table(
    "handoffs",
    metadata,
    id_column(),
    Column("account", Text, nullable=False),
    Column("customer_id", BigId, ForeignKey("customers.id"), nullable=False, index=True),
    Column("chat", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("reason", Text, nullable=False),  # unknown, asked, trouble
    Column("state", Text, nullable=False),  # open, answered, closed
    Column("due_ms", BigInteger, nullable=False),  # when the owner is reminded next
    Column("reminders", Integer, nullable=False, server_default=text("0")),
    Column("answer", Text),
    Column("learned", Text),  # null: not offered; offered, saved, declined
    Column("faq_question", Text),  # as the entry asks it; null: in the customer's own words
    Column("noted_ms", BigInteger),  # when the customer was told that he still waits
    Column("created_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    partial_index(
        "ix_handoffs_open",
        "account",
        "due_ms",
        where="finished_ms IS NULL",
    ),
    sqlite_autoincrement=True,
)

# What a message to the owner was about, so that quoting it acts on it.
notices = Table(
    "notices",
    metadata,
    id_column(),
    Column("account", Text, nullable=False),
    Column("outbox_id", BigId, ForeignKey("outbox.id"), nullable=False, unique=True),
    Column("message_id", Text),  # the channel's id, known once it is sent
    Column("kind", Text, nullable=False),  # handoff, faq_offer
    Column("customer_id", BigId, ForeignKey("customers.id"), index=True),
    Column("turn_id", BigId),
    Column("handoff_id", BigId, ForeignKey("handoffs.id"), index=True),
    Column("draft_id", BigId),  # the held outbox row that waits for approval
    Column("order_id", Text),
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_notices_message", "account", "message_id"),
    sqlite_autoincrement=True,
)

alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("message", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("notified_ms", BigInteger),
    Column("recovered_ms", BigInteger),
    # When somebody was reached with it, and with its end; ``supervisor.notifier`` works by these.
    Column("told_ms", BigInteger),
    Column("recovery_told_ms", BigInteger),
)

# One-time addresses of the page that shows the pairing code. Neither token is stored, only its digest.
login_links = Table(
    "login_links",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("session", Text),  # digest of the cookie of the one browser that opened it
)

# Money that the model costs, summed per day: reserved at its upper bound before a call, settled after it.
usage = Table(
    "usage",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # YYYY-MM-DD in the shop's time zone
    Column("customer_id", BigId, primary_key=True, autoincrement=False),  # 0 is the whole shop
    Column("answers", Integer, nullable=False, server_default=text("0")),
    Column("input_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("output_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("embedding_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("reserved_idr", BigInteger, nullable=False, server_default=text("0")),
    Column("spent_idr", BigInteger, nullable=False, server_default=text("0")),
    Column("told_ms", BigInteger),  # when the owner was told that the day's limit is reached
)

# Every memory follows this log with a cursor of its own; a tombstone always wins over an upsert.
changes = Table(
    "changes",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=True),
    Column("entity", Text, nullable=False),  # turn, customer, knowledge
    Column("ref", Text, nullable=False),  # the entity's id
    Column("customer_id", BigId),
    Column("tombstone", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# Changes to the shop's files that were shown to an admin: applied on his word, and undone by another.
edits = Table(
    "edits",
    metadata,
    id_column(),
    Column("account", Text, nullable=False),
    Column("outbox_id", BigId, unique=True),  # the notice that shows it; its row may be gone
    Column("kind", Text, nullable=False),  # row, file, entry
    Column("state", Text, nullable=False),  # offered, applied, declined, undone
    Column("target", Text, nullable=False),  # the file in the knowledge folder
    Column("detail", Text, nullable=False),  # JSON, by kind
    Column("before", LargeBinary),  # of a file: what was there; null when there was none
    Column("after", LargeBinary),  # of a file: what is to be there
    Column("created_ms", BigInteger, nullable=False),
    Column("decided_ms", BigInteger),
    Index("ix_edits_state", "account", "state", "decided_ms"),
    sqlite_autoincrement=True,
)

# Files that people sent: a row is what is to be fetched, and then where it lies. The row is a queue's, too.
media = Table(
    "media",
    metadata,
    id_column(),
    *queue_columns(),
    Column("inbox_id", BigId, nullable=False, unique=True),
    Column("chat", Text, nullable=False),
    Column("customer_id", BigId, ForeignKey("customers.id"), index=True),
    Column("kind", Text, nullable=False),  # image, video, audio, document, sticker
    Column("mimetype", Text, nullable=False),
    Column("filename", Text, nullable=False),  # as the sender names it; empty for what has no name
    Column("announced_bytes", BigInteger, nullable=False),  # what the message says
    Column("stored_bytes", BigInteger),
    Column("path", Text, unique=True),  # the file's name in STATE_DIR/media; null until it is there
    Column("expires_ms", BigInteger, nullable=False, index=True),  # row and file are deleted then
    Column("created_ms", BigInteger, nullable=False),
    open_rows_index("media"),
    Index("ix_media_chat", "account", "chat", "id"),
    sqlite_autoincrement=True,
)

# A file that is to be shown in the owner's room once it is there, with what quoting it acts on.
forwards = Table(
    "forwards",
    metadata,
    id_column(),
    Column("media_id", BigId, ForeignKey("media.id"), nullable=False, index=True),
    Column("transport", Text, nullable=False),
    Column("chat", Text, nullable=False),
    Column("caption", Text, nullable=False),
    Column("notice_kind", Text, nullable=False),
    Column("handoff_id", BigId, ForeignKey("handoffs.id"), index=True),
    Column("order_id", Text),
    sqlite_autoincrement=True,
)

# The file of an outgoing message: its bytes, or one that somebody sent.
attachments = Table(
    "attachments",
    metadata,
    Column("outbox_id", BigId, ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    Column("filename", Text, nullable=False),
    Column("mimetype", Text, nullable=False),
    Column("data", LargeBinary),
    Column("media_id", BigId, ForeignKey("media.id"), index=True),
)

# Chats whose messages disappear: what the bot writes there must disappear as well.
chat_timers = Table(
    "chat_timers",
    metadata,
    Column("account", Text, primary_key=True),
    Column("chat", Text, primary_key=True),
    Column("timer_s", Integer, nullable=False),
    Column("customer_id", BigId, ForeignKey("customers.id"), index=True),
)

# Messages that came and could not be decrypted. The real one mostly follows within seconds; where it stays
# away the customer is asked to send it again, and the row remembers when.
undecryptable = Table(
    "undecryptable",
    metadata,
    Column("account", Text, primary_key=True),
    Column("chat", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("customer_id", BigId, ForeignKey("customers.id"), nullable=False, index=True),
    Column("seen_ms", BigInteger, nullable=False),
    Column("asked_ms", BigInteger),
)

# Chats that the shop had before the bot was linked, as its phone told once: nobody in them is greeted as
# somebody new, and who still waits is listed to the owner.
past_chats = Table(
    "past_chats",
    metadata,
    Column("account", Text, primary_key=True),
    Column("chat", Text, primary_key=True),
    Column("customer_id", BigId, ForeignKey("customers.id"), nullable=False, index=True),
    Column("last_ms", BigInteger, nullable=False),  # by the network's clock
    Column("waiting", Boolean, nullable=False),  # the customer had the last word
    Column("told_ms", BigInteger, nullable=False),
    Column("listed_ms", BigInteger),
)

# What customers asked often before the pairing, with a person's answer: each may become an FAQ entry.
past_questions = Table(
    "past_questions",
    metadata,
    id_column(),
    Column("account", Text, nullable=False),
    # Whose words they are: they go with him.
    Column("customer_id", BigId, ForeignKey("customers.id"), nullable=False, index=True),
    Column("outbox_id", BigId, unique=True),  # the notice that shows it
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("chats", Integer, nullable=False),  # in how many it was asked
    Column("state", Text, nullable=False),  # offered, saved, declined
    Column("created_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
