"""The outbox: what is to be sent, committed together with the state that makes it true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    insert,
    null,
    select,
    update,
)

from store import attachments
from store.attachments import Document
from store.errors import ClaimLost
from store.prepared import Prepared
from store.queue import Queue, has_unfinished, outbox_queue
from store.schema import QueueState, notices, now_ms, outbox


class Kind(StrEnum):
    """What is sent."""

    TEXT = "text"  # a bubble of text
    REACTION = "reaction"  # an emoji on the message ``quoted_id``
    IMAGE = "image"  # a picture; the body is its caption
    DOCUMENT = "document"  # a file to save, or the PDF of an invoice; the body is its caption
    AUDIO = "audio"  # a voice note, which has no caption


# Kinds of a message that is a file.
FILES = frozenset((Kind.IMAGE, Kind.DOCUMENT, Kind.AUDIO))


class Purpose(StrEnum):
    """Why it is sent; the gate and the quiet hours go by it."""

    ANSWER = "answer"  # the bot's answer to a customer
    RELAY = "relay"  # a person's words, sent for him
    RIGHT = "right"  # to a customer about his own data, which no pause withholds from him
    RECEIPT = "receipt"  # to a customer about his order: paid, reminded, over; the gate is not asked
    NOTICE = "notice"  # to the owner, because something happened
    REMINDER = "reminder"  # to the owner, because nothing happened
    COMMAND = "command"  # to the owner, the outcome of what he asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMessage:
    """A message for one chat, or a reaction to ``quoted_id`` there. ``held`` waits for approval.

    A text or a file with ``quoted_id`` is a reply that quotes this message. A kind that is a file has a
    ``document``, stored with the row; ``body`` is its caption and may be empty.
    ``invoice`` is the number of the invoice that a document is, or that a text is about.
    """

    account: str
    transport: str
    chat: str
    body: str
    purpose: Purpose
    kind: Kind = Kind.TEXT
    customer_id: int | None = None
    quoted_id: str | None = None
    document: Document | None = None
    answers: tuple[str, ...] = ()
    held: bool = False
    delay_ms: int = 0
    invoice: str | None = None


_INSERT = Prepared(
    insert(outbox)
    .values(
        due_ms=now_ms() + bindparam("delay_ms"),
        created_ms=now_ms(),
    )
    .returning(outbox.c.id)
)
_INSERT_CLAIMED = Prepared(
    insert(outbox)
    .values(
        due_ms=now_ms() + bindparam("delay_ms"),
        created_ms=now_ms(),
        owner=bindparam("owner"),
        claimed_ms=now_ms(),
        attempts=1,
    )
    .returning(*outbox.c)
)

_MARK_SENT = Prepared(
    update(outbox)
    .where(
        outbox.c.id == bindparam("row"),
        outbox.c.finished_ms.is_(None),
        outbox.c.state == QueueState.CLAIMED.value,
        outbox.c.owner == bindparam("in_owner"),
    )
    .values(state=QueueState.DONE.value, finished_ms=now_ms(), error=None, provider_id=bindparam("provider"))
)
_SET_NOTICE_ID = (
    update(notices).where(notices.c.outbox_id == bindparam("row")).values(message_id=bindparam("provider"))
)


def add(connection: Connection, message: NewMessage) -> int:
    """Queue the message; the new row's id."""
    state = QueueState.HELD if message.held else QueueState.NEW
    row_id = int(_INSERT.execute(connection, _values(message, state)).scalar_one())
    if message.document is not None:
        attachments.attach(connection, row_id, message.document)
    return row_id


def add_claimed(connection: Connection, message: NewMessage, *, owner: str) -> Row[Any] | None:
    """Queue the message, claimed for ``owner`` at once when nothing of its chat is before it: then the row.

    None when it waits its turn like any other. What the owner would claim next anyway needs no transaction
    of its own for that.
    """
    queue = outbox_queue(message.account, message.transport)
    if message.held or message.delay_ms or has_unfinished(connection, queue, key=message.chat):
        add(connection, message)
        return None
    values = _values(message, QueueState.CLAIMED) | {"owner": owner}
    row = _INSERT_CLAIMED.execute(connection, values).one()
    if message.document is not None:
        attachments.attach(connection, row.id, message.document)
    return row


def _values(message: NewMessage, state: QueueState) -> dict[str, object]:
    return {
        "account": message.account,
        "transport": message.transport,
        "chat": message.chat,
        "key": message.chat,
        "state": state.value,
        "customer_id": message.customer_id,
        "kind": message.kind.value,
        "purpose": message.purpose.value,
        "body": message.body,
        "quoted_id": message.quoted_id,
        "answers": " ".join(message.answers),
        "delay_ms": message.delay_ms,
        "document": message.invoice,
    }


def mark_sent(
    connection: Connection, queue: Queue, row_id: int, *, owner: str, provider_id: str, is_notice: bool
) -> None:
    """The transport accepted it under ``provider_id``; a notice can be quoted by that id from now on.

    Raises ``ClaimLost`` when the row is no longer ours, as ``queue.finish`` does.
    """
    values = {"row": row_id, "provider": provider_id}
    if _MARK_SENT.execute(connection, {**values, "in_owner": owner}).rowcount != 1:
        raise ClaimLost(f"row {row_id} of {queue.table.name} is no longer claimed by this process")
    if is_notice:
        connection.execute(_SET_NOTICE_ID, values)


# Which message of ours the network knows under an id.
_UNDER_ITS_ID = (
    outbox.c.account == bindparam("in_account"),
    outbox.c.chat == bindparam("in_chat"),
    outbox.c.provider_id == bindparam("provider"),
)
_IS_OURS = select(outbox.c.id).where(*_UNDER_ITS_ID).limit(1)


def is_ours(connection: Connection, account: str, chat: str, provider_id: str) -> bool:
    """Whether the network's id is that of a message which this outbox sent to the chat."""
    values = {"in_account": account, "in_chat": chat, "provider": provider_id}
    return connection.execute(_IS_OURS, values).first() is not None


# What was parked waits so long; then one attempt shows whether the network takes it again.
PARKED_MS = 6 * 60 * 60 * 1000


def park(connection: Connection, queue: Queue, row_id: int, *, owner: str, reason: str) -> None:
    """The network takes nothing for this chat now: the row waits, and so does what follows it there.

    Raises ``ClaimLost`` when the row is no longer ours.
    """
    parked = (
        update(outbox)
        .where(
            outbox.c.id == row_id,
            outbox.c.state == QueueState.CLAIMED.value,
            outbox.c.owner == owner,
        )
        .values(
            state=QueueState.PARKED.value,
            owner=None,
            claimed_ms=None,
            # What was never tried did not count as an attempt; what was, gets all of them again.
            attempts=0,
            due_ms=now_ms() + PARKED_MS,
            error=reason,
        )
    )
    if connection.execute(parked).rowcount != 1:
        raise ClaimLost(f"row {row_id} of {queue.table.name} is no longer claimed by this process")


def _parked_of(queue: Queue, chat: str | None, *, due_only: bool = False) -> list[ColumnElement[bool]]:
    found = [
        outbox.c.account == queue.account,
        outbox.c.transport == queue.transport,
        outbox.c.finished_ms.is_(None),
        outbox.c.state == QueueState.PARKED.value,
    ]
    if chat is not None:
        found.append(outbox.c.chat == chat)
    if due_only:
        found.append(outbox.c.due_ms <= now_ms())
    return found


def parked(connection: Connection, queue: Queue, *, chat: str | None = None, due_only: bool = False) -> int:
    """How many rows are parked, in one chat or in all of the account."""
    where = _parked_of(queue, chat, due_only=due_only)
    count = select(func.count()).select_from(outbox).where(*where)
    return int(connection.execute(count).scalar_one())


def parked_chats(connection: Connection, queue: Queue, *, customer_id: int) -> list[str]:
    """The customer's chats in which something is parked."""
    chats = select(outbox.c.chat).where(*_parked_of(queue, None), outbox.c.customer_id == customer_id)
    return list(connection.execute(chats.distinct()).scalars())


def release_parked(
    connection: Connection, queue: Queue, *, chat: str | None = None, due_only: bool = False
) -> int:
    """Let parked rows try again, those of a chat or all (``due_only``: whose time has come); how many."""
    where = _parked_of(queue, chat, due_only=due_only)
    values = {"state": QueueState.NEW.value, "due_ms": now_ms(), "error": None}
    return int(connection.execute(update(outbox).where(*where).values(values)).rowcount)


_SAID = select(outbox.c.body).where(*_UNDER_ITS_ID).limit(1)
_ABOUT = select(outbox.c.customer_id).where(*_UNDER_ITS_ID).limit(1)


def customer_of(connection: Connection, account: str, chat: str, provider_id: str) -> int | None:
    """Whom a message that went to this chat is about; None when it is about nobody, or was not ours."""
    values = {"in_account": account, "in_chat": chat, "provider": provider_id}
    found: int | None = connection.execute(_ABOUT, values).scalar()
    return found


def customer_of_row(connection: Connection, row_id: int) -> int | None:
    """Whose message it is now: a merge moves rows that are on their way as well."""
    owner = connection.execute(select(outbox.c.customer_id).where(outbox.c.id == row_id)).scalar()
    return None if owner is None else int(owner)


def sent_body(connection: Connection, account: str, chat: str, provider_id: str) -> str | None:
    """What this outbox sent to the chat under the network's id; None when it was not ours."""
    values = {"in_account": account, "in_chat": chat, "provider": provider_id}
    body: str | None = connection.execute(_SAID, values).scalar()
    return body


def drop_unsent_answers(connection: Connection, account: str, *, chat: str, message_id: str) -> list[int]:
    """Drop the answer to this message alone, as long as nobody began to send it; the ids of its bubbles.

    An answer that is one to other messages as well goes out.
    """
    waiting = connection.execute(
        select(outbox.c.id, outbox.c.answers, outbox.c.state)
        .where(
            outbox.c.account == account,
            outbox.c.chat == chat,
            outbox.c.finished_ms.is_(None),
            outbox.c.purpose == Purpose.ANSWER.value,
        )
        .order_by(outbox.c.id)
    ).all()
    dropped: list[int] = []
    for row in waiting:
        # Only the first bubble of an answer names what it answers.
        follows = bool(dropped) and not row.answers
        if row.state in (QueueState.NEW.value, QueueState.HELD.value) and (
            follows or row.answers == message_id
        ):
            dropped.append(row.id)
        elif dropped:
            break
    if dropped:
        connection.execute(
            update(outbox)
            .where(outbox.c.id.in_(dropped))
            .values(state=QueueState.DROPPED.value, finished_ms=now_ms(), error="the message was taken back")
        )
    return dropped


def held_body(connection: Connection, row_id: int) -> str | None:
    """The body of a message that still waits for approval; None when it does not (any more)."""
    found = select(outbox.c.body).where(outbox.c.id == row_id, outbox.c.state == QueueState.HELD.value)
    body: str | None = connection.execute(found).scalar()
    return body


def chat_of(connection: Connection, row_id: int | None) -> str | None:
    """Where a message goes; None when it is gone."""
    chat: str | None = connection.execute(select(outbox.c.chat).where(outbox.c.id == row_id)).scalar()
    return chat


def release_draft(connection: Connection, row_id: int, *, send: bool, body: str | None = None) -> str | None:
    """Let a held message go (with another body if given) or drop it; its final body.

    None when it is not held any more: somebody else decided, or its customer was deleted.
    """
    held = (outbox.c.id == row_id, outbox.c.state == QueueState.HELD.value)
    # A person decided about it, so the gate is no longer asked.
    values: dict[str, object] = {
        "state": QueueState.NEW.value,
        "due_ms": now_ms(),
        "purpose": Purpose.RELAY.value,
    }
    if not send:
        values = {"state": QueueState.DROPPED.value, "finished_ms": now_ms()}
    elif body is not None:
        # Words in the place of an emoji are a message of their own, not one on somebody else's.
        worded = and_(outbox.c.kind == Kind.REACTION.value, outbox.c.body != body)
        values |= {
            "body": body,
            "kind": case((worded, Kind.TEXT.value), else_=outbox.c.kind),
            "quoted_id": case((worded, null()), else_=outbox.c.quoted_id),
        }
    released = connection.execute(update(outbox).where(*held).values(**values).returning(outbox.c.body))
    row = released.first()
    return None if row is None else str(row[0])
