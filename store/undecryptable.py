"""Messages that could not be decrypted: noted when they come, forgotten when the real one follows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select, update

from store.schema import inbox, now_ms, undecryptable

# The sender's device answers a retry receipt within seconds, when it is on at all.
WAIT_MS = 30_000
# One request a chat and hour: a device that cannot be understood would be asked for each message.
ASK_EVERY_MS = 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A message whose real form stayed away."""

    chat: str
    message_id: str
    customer_id: int


def note(connection: Connection, account: str, *, chat: str, message_id: str, customer_id: int) -> None:
    """It came and could not be read. The same one again changes nothing."""
    its = _row(account, chat, message_id)
    if connection.execute(select(undecryptable.c.seen_ms).where(*its)).first() is None:
        connection.execute(
            insert(undecryptable).values(
                account=account, chat=chat, message_id=message_id, customer_id=customer_id, seen_ms=now_ms()
            )
        )


def any_due(connection: Connection, account: str) -> bool:
    """Whether something has waited long enough to be looked at; a cheap read."""
    due = select(undecryptable.c.chat).where(*_due(account)).limit(1)
    return connection.execute(due).first() is not None


def take_missing(connection: Connection, account: str) -> list[Missing]:
    """The chats to ask now, one message each; what has come meanwhile is forgotten.

    Whoever takes one asks in the same transaction, for it counts as asked.
    """
    came = exists().where(
        inbox.c.account == undecryptable.c.account,
        inbox.c.chat == undecryptable.c.chat,
        inbox.c.message_id == undecryptable.c.message_id,
    )
    connection.execute(delete(undecryptable).where(undecryptable.c.account == account, came))
    old = (undecryptable.c.account == account, undecryptable.c.asked_ms <= now_ms() - ASK_EVERY_MS)
    connection.execute(delete(undecryptable).where(*old))
    rows = connection.execute(
        select(undecryptable.c.chat, undecryptable.c.message_id, undecryptable.c.customer_id)
        .where(*_due(account))
        .order_by(undecryptable.c.seen_ms)
    ).all()
    missing: dict[str, Missing] = {}
    for chat, message_id, customer_id in rows:
        asked = (
            undecryptable.c.account == account,
            undecryptable.c.chat == chat,
            undecryptable.c.asked_ms.is_not(None),
        )
        if connection.execute(select(undecryptable.c.chat).where(*asked).limit(1)).first() is None:
            missing[chat] = Missing(chat=chat, message_id=message_id, customer_id=customer_id)
            values = {"asked_ms": now_ms()}
            connection.execute(update(undecryptable).where(*_row(account, chat, message_id)).values(values))
        else:
            # Asked within the hour: this one is part of the same trouble.
            connection.execute(delete(undecryptable).where(*_row(account, chat, message_id)))
    return list(missing.values())


def _row(account: str, chat: str, message_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        undecryptable.c.account == account,
        undecryptable.c.chat == chat,
        undecryptable.c.message_id == message_id,
    )


def _due(account: str) -> tuple[ColumnElement[bool], ...]:
    return (
        undecryptable.c.account == account,
        undecryptable.c.asked_ms.is_(None),
        undecryptable.c.seen_ms <= now_ms() - WAIT_MS,
    )
