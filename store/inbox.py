"""The inbox: every message that a channel brought, committed raw before anything else happens to it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from store.queue import INBOX_TRANSPORT
from store.schema import QueueState, inbox, now_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class RawEvent:
    """A channel's event as it came. ``codec`` names how ``raw`` is read, with its version ("jsonl/1")."""

    account: str
    chat: str
    sender: str
    message_id: str
    kind: str
    codec: str
    raw: bytes
    lane: str | None = None  # what is handled in order; None: the chat


_IDENTITY = ("account", "chat", "sender", "message_id", "kind")
_VALUES = {
    "transport": INBOX_TRANSPORT,
    "state": QueueState.NEW.value,
    "due_ms": now_ms(),
    "recorded_ms": now_ms(),
}
# The same message id comes again after reconnects and restarts; it must be processed once.
# The new row is returned, since SQLAlchemy counts the rows of an INSERT on one of the two databases only.
_RECORD = {
    dialect.name: insert(inbox)
    .values(_VALUES)
    .on_conflict_do_nothing(index_elements=_IDENTITY)
    .returning(inbox.c.id)
    for dialect, insert in ((sqlite.dialect, sqlite.insert), (postgresql.dialect, postgresql.insert))
}


def record(connection: Connection, event: RawEvent) -> bool:
    """Store the event; False when this very event is stored already."""
    result = connection.execute(
        _RECORD[connection.dialect.name],
        {
            "account": event.account,
            "chat": event.chat,
            # What one chat brings is answered in order.
            "key": event.lane or event.chat,
            "sender": event.sender,
            "message_id": event.message_id,
            "kind": event.kind,
            "codec": event.codec,
            "raw": event.raw,
        },
    )
    return result.first() is not None
