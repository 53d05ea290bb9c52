"""The inbox: every message that a channel brought, committed raw before anything else happens to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from store.prepared import Prepared
from store.queue import INBOX_TRANSPORT
from store.schema import QueueState, at_most, inbox, now_ms
from store.upsert import ByDialect


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
_RECORD = ByDialect(
    lambda insert: Prepared(
        insert(inbox).values(_VALUES).on_conflict_do_nothing(index_elements=_IDENTITY).returning(inbox.c.id)
    )
)


def record(connection: Connection, event: RawEvent) -> bool:
    """Store the event; False when this very event is stored already."""
    result = _RECORD[connection.dialect.name].execute(
        connection,
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


_SET_CUSTOMER = Prepared(
    update(inbox)
    .where(inbox.c.id == bindparam("row"))
    .values(customer_id=bindparam("customer"), turn_id=bindparam("turn"))
)
_NEWEST_BEFORE = (
    select(inbox)
    .where(
        inbox.c.account == bindparam("in_account"),
        inbox.c.chat == bindparam("in_chat"),
        inbox.c.id < bindparam("before"),
    )
    .order_by(inbox.c.id.desc())
    .limit(1)
)


_BY_MESSAGE = (
    select(inbox)
    .where(
        inbox.c.account == bindparam("in_account"),
        inbox.c.chat == bindparam("in_chat"),
        inbox.c.message_id == bindparam("message"),
    )
    .order_by(inbox.c.id)
)


def by_message(connection: Connection, account: str, *, chat: str, message_id: str) -> list[Row[Any]]:
    """The rows of the chat that came under the message's id, oldest first; nearly always one or none."""
    values = {"in_account": account, "in_chat": chat, "message": message_id}
    return list(connection.execute(_BY_MESSAGE, values).all())


def claim_for(
    connection: Connection, row_ids: Sequence[int], customer_id: int, *, turn_id: int | None = None
) -> None:
    """From now on these rows are the customer's: deleting him takes them along.

    ``turn_id`` is the turn that keeps what they said.
    """
    if row_ids:
        values = {"customer": customer_id, "turn": turn_id}
        _SET_CUSTOMER.execute_many(connection, [{"row": row_id, **values} for row_id in row_ids])


def get(connection: Connection, row_id: int) -> Row[Any] | None:
    """The row with this id; None when it was deleted."""
    return connection.execute(select(inbox).where(inbox.c.id == row_id)).first()


_CHANGED = Prepared(
    select(inbox.c.id)
    .where(
        inbox.c.account == bindparam("in_account"),
        inbox.c.transport == INBOX_TRANSPORT,
        inbox.c.key == bindparam("in_key"),
        inbox.c.finished_ms.is_(None),
        inbox.c.id > bindparam("after"),
        # Not IN, whose list SQLAlchemy writes anew at every execution.
        or_(inbox.c.kind == "edit", inbox.c.kind == "revoke"),
    )
    .limit(at_most("most"))
)


def is_changed_behind(connection: Connection, account: str, *, key: str, after: int) -> bool:
    """Whether somebody edited or took back a message of the lane in a row that nobody has read yet."""
    values = {"in_account": account, "in_key": key, "after": after, "most": 1}
    return _CHANGED.execute(connection, values).first() is not None


def of_turn(connection: Connection, customer_id: int, turn_id: int) -> list[Row[Any]]:
    """The rows whose words the turn keeps, oldest first."""
    found = (
        select(inbox)
        .where(inbox.c.customer_id == customer_id, inbox.c.turn_id == turn_id)
        .order_by(inbox.c.id)
    )
    return list(connection.execute(found).all())


def forget_words(connection: Connection, row_ids: Sequence[int]) -> None:
    """Keep the rows, so that their messages are still known, without what they said."""
    connection.execute(update(inbox).where(inbox.c.id.in_(row_ids)).values(raw=b""))


def newest_before(connection: Connection, account: str, *, chat: str, before: int) -> Row[Any] | None:
    """The newest row of the chat that was recorded before the row with this id; None when there is none."""
    values = {"in_account": account, "in_chat": chat, "before": before}
    return connection.execute(_NEWEST_BEFORE, values).first()


def find(connection: Connection, account: str, *, chat: str, message_id: str, kind: str) -> Row[Any] | None:
    """The row of this message, whoever sent it; None when there is none."""
    its = (
        inbox.c.account == account,
        inbox.c.chat == chat,
        inbox.c.message_id == message_id,
        inbox.c.kind == kind,
    )
    return connection.execute(select(inbox).where(*its).limit(1)).first()


def remove_old(connection: Connection, account: str, *, chat: str, kind: str, older_than_ms: int) -> int:
    """Delete the finished rows of this kind that are older than that; how many."""
    old = (
        inbox.c.account == account,
        inbox.c.chat == chat,
        inbox.c.kind == kind,
        inbox.c.finished_ms.is_not(None),
        inbox.c.recorded_ms <= now_ms() - older_than_ms,
    )
    return int(connection.execute(delete(inbox).where(*old)).rowcount)
