"""Handoffs: what a person was promised to answer. A promise is a row here, or it must not be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from store import outbox
from store.outbox import NewMessage
from store.prepared import Prepared
from store.schema import customers, handoffs, notices, now_ms


class About(TypedDict, total=False):
    """What a message to the owner is about, and quoting it acts on; by ids, each of which may be unknown."""

    customer_id: int | None
    handoff_id: int | None
    turn_id: int | None
    draft_id: int | None
    order_id: str | None


class Reason(StrEnum):
    """Why a person is needed."""

    UNKNOWN = "unknown"  # the shop's knowledge has no answer
    ASKED = "asked"  # the customer asked for a person
    TROUBLE = "trouble"  # a complaint, or the model is down and no FAQ fits
    MEDIA = "media"  # he sent something that only a person understands
    BASKET = "basket"  # he filled a basket on WhatsApp, whose goods only a person can look up
    WAITING = "waiting"  # he wrote while the bot was silent for a person, and no person has answered
    CORRECTED = "corrected"  # an admin sent other words than the draft; nothing was promised or waits
    ORDER = "order"  # his order waits for something that only a person can do
    LATE = "late"  # it came while the bot was away, too long ago to answer by itself; nothing was promised


# The customer was told that a person answers, by the bot itself.
PROMISED = (Reason.UNKNOWN, Reason.ASKED, Reason.TROUBLE, Reason.MEDIA, Reason.BASKET)


class State(StrEnum):
    """Where a handoff stands."""

    OPEN = "open"  # the customer waits for a person
    ANSWERED = "answered"  # a person's words are on their way to the customer
    CLOSED = "closed"  # a person decided that nothing is to be said


class Learning(StrEnum):
    """What became of a person's answer as a new FAQ entry."""

    OFFERED = "offered"  # shown to the admin, who has not said yes yet
    SAVED = "saved"  # written to the knowledge folder
    DECLINED = "declined"  # the admin said no


@dataclass(frozen=True, kw_only=True, slots=True)
class Handoff:
    """A promise to a customer, with what the owner needs to keep it."""

    id: int
    customer_id: int
    customer_name: str | None
    chat: str
    question: str
    reason: Reason
    state: State
    answer: str | None
    learned: Learning | None
    created_ms: int
    age_ms: int
    reminders: int = 0  # how often the owner was reminded of it
    faq_question: str | None = None  # how an entry asks it; None: in the customer's own words


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What a message to the owner was about."""

    kind: str
    customer_id: int | None
    turn_id: int | None
    handoff_id: int | None
    draft_id: int | None
    order_id: str | None = None
    outbox_id: int | None = None


HANDOFF_NOTICE = "handoff"
FAQ_OFFER = "faq_offer"
DRAFT = "draft"
ALERT = "alert"
TRUST = "trust"  # the offer to go on alone for a kind of answer
EDIT = "edit"  # a change to the shop's files that waits for *ya*
PAST_ASK = "past_ask"  # whether old chats may be read for frequent questions
PAST_FAQ = "past_faq"  # one of those questions, with a person's answer
ORDER_NOTICE = "order"  # something happened to an order
PAID_QUESTION = "paid_question"  # whether an order's money is in the bank: *ya* makes it paid
TRANSFER_NOTICE = "transfer"  # a bank transfer waits for *lunas* or *tolak*

_NOTICE = select(
    notices.c.kind,
    notices.c.customer_id,
    notices.c.turn_id,
    notices.c.handoff_id,
    notices.c.draft_id,
    notices.c.order_id,
    notices.c.outbox_id,
)
_OPEN = (
    insert(handoffs)
    .values(state=State.OPEN.value, created_ms=now_ms(), due_ms=now_ms() + bindparam("remind_after_ms"))
    .returning(handoffs.c.id)
)
_SELECT = select(
    handoffs.c.id,
    handoffs.c.customer_id,
    customers.c.name,
    handoffs.c.chat,
    handoffs.c.question,
    handoffs.c.reason,
    handoffs.c.state,
    handoffs.c.answer,
    handoffs.c.learned,
    handoffs.c.created_ms,
    now_ms() - handoffs.c.created_ms,
    handoffs.c.reminders,
    handoffs.c.faq_question,
).join(customers, customers.c.id == handoffs.c.customer_id)

_FIND_OPEN = Prepared(
    select(handoffs.c.id)
    .where(
        handoffs.c.account == bindparam("in_account"),
        handoffs.c.customer_id == bindparam("customer"),
        handoffs.c.question == bindparam("asked"),
        handoffs.c.finished_ms.is_(None),
    )
    .order_by(handoffs.c.id)
    .limit(1)
)


def open_handoff(
    connection: Connection,
    *,
    account: str,
    customer_id: int,
    chat: str,
    question: str,
    reason: Reason,
    remind_after_ms: int,
) -> int:
    """Write the promise down; the new handoff's id."""
    created = connection.execute(
        _OPEN,
        {
            "account": account,
            "customer_id": customer_id,
            "chat": chat,
            "question": question,
            "reason": reason.value,
            "remind_after_ms": remind_after_ms,
        },
    )
    return int(created.scalar_one())


def add_notice(connection: Connection, message: NewMessage, *, kind: str, **about: Unpack[About]) -> int:
    """Queue a message to the owner that he can act on by quoting it; the outbox row's id."""
    row_id = outbox.add(connection, message)
    connection.execute(
        insert(notices).values(
            account=message.account,
            outbox_id=row_id,
            kind=kind,
            created_ms=now_ms(),
            **about,
        )
    )
    return row_id


def quoted_notice(connection: Connection, account: str, message_id: str) -> Notice | None:
    """What the quoted message was about; the id decides, never the text."""
    return _notice(
        connection, _NOTICE.where(notices.c.account == account, notices.c.message_id == message_id)
    )


def newest_notice(connection: Connection, account: str, *, within_ms: int) -> Notice | None:
    """The last message to the owner that he can act on, when it was sent lately."""
    statement = _NOTICE.where(
        notices.c.account == account,
        notices.c.message_id.is_not(None),
        notices.c.created_ms >= now_ms() - within_ms,
    )
    return _notice(connection, statement.order_by(notices.c.id.desc()).limit(1))


def _notice(connection: Connection, statement: Select[Any]) -> Notice | None:
    row = connection.execute(statement).first()
    if row is None:
        return None
    return Notice(
        kind=row[0],
        customer_id=row[1],
        turn_id=row[2],
        handoff_id=row[3],
        draft_id=row[4],
        order_id=row[5],
        outbox_id=row[6],
    )


def get(connection: Connection, handoff_id: int) -> Handoff | None:
    """One handoff, or None when it (or its customer) was deleted."""
    row = connection.execute(_SELECT.where(handoffs.c.id == handoff_id)).first()
    return None if row is None else _from_row(row)


def of_notice(connection: Connection, notice: Notice | None) -> Handoff | None:
    """The handoff that a notice is about; None when it is about none, or about one that is gone."""
    return None if notice is None or notice.handoff_id is None else get(connection, notice.handoff_id)


def list_open(connection: Connection, account: str, *, limit: int = 50) -> list[Handoff]:
    """What customers still wait for, oldest first."""
    statement = (
        _SELECT.where(handoffs.c.account == account, handoffs.c.finished_ms.is_(None))
        .order_by(handoffs.c.id)
        .limit(limit)
    )
    return [_from_row(row) for row in connection.execute(statement).all()]


def find_open(connection: Connection, account: str, *, customer_id: int, question: str) -> int | None:
    """The id of the open handoff about this very question; None when there is none."""
    values = {"in_account": account, "customer": customer_id, "asked": question}
    found: int | None = _FIND_OPEN.execute(connection, values).scalar()
    return found


def unknown(connection: Connection, account: str, *, since_ms: int, until_ms: int) -> list[tuple[str, bool]]:
    """Questions of this time that knowledge had no answer to, and whether it has learnt one; oldest first."""
    asked = (
        select(handoffs.c.question, handoffs.c.learned)
        .where(
            handoffs.c.account == account,
            handoffs.c.reason == Reason.UNKNOWN.value,
            handoffs.c.created_ms >= since_ms,
            handoffs.c.created_ms < until_ms,
        )
        .order_by(handoffs.c.id)
    )
    return [(row[0], row[1] == Learning.SAVED.value) for row in connection.execute(asked).all()]


# Who waits for longer than this has been told, or is beyond being told.
_TOO_OLD_MS = 3 * 24 * 60 * 60 * 1000


def to_note(connection: Connection, account: str, *, after_ms: int) -> list[Handoff]:
    """Open promises of which the customer has heard nothing for so long, and was not told yet."""
    statement = _SELECT.where(
        handoffs.c.account == account,
        handoffs.c.finished_ms.is_(None),
        handoffs.c.noted_ms.is_(None),
        handoffs.c.reason.in_([reason.value for reason in PROMISED]),
        handoffs.c.created_ms <= now_ms() - after_ms,
        handoffs.c.created_ms >= now_ms() - after_ms - _TOO_OLD_MS,
    ).order_by(handoffs.c.id)
    return [_from_row(row) for row in connection.execute(statement).all()]


def noted(connection: Connection, handoff_id: int) -> None:
    """The customer was told that he still waits, or is not to be told."""
    connection.execute(update(handoffs).where(handoffs.c.id == handoff_id).values(noted_ms=now_ms()))


_OPEN_OF = select(handoffs.c.id).where(
    handoffs.c.customer_id == bindparam("customer"),
    handoffs.c.account == bindparam("in_account"),
    handoffs.c.finished_ms.is_(None),
)


def reword(connection: Connection, handoff_id: int, *, question: str) -> None:
    """The customer asks something else now."""
    connection.execute(update(handoffs).where(handoffs.c.id == handoff_id).values(question=question))


def open_of(connection: Connection, account: str, *, customer_id: int) -> list[int]:
    """The ids of what one customer waits for."""
    values = {"in_account": account, "customer": customer_id}
    return [int(row[0]) for row in connection.execute(_OPEN_OF, values).all()]


def order_of(connection: Connection, handoff_id: int) -> tuple[str, str] | None:
    """The order that the handoff is about, and the kind of its notice; None when it is about none."""
    found = (
        select(notices.c.order_id, notices.c.kind)
        .where(notices.c.handoff_id == handoff_id, notices.c.order_id.is_not(None))
        .order_by(notices.c.id)
        .limit(1)
    )
    row = connection.execute(found).first()
    return None if row is None else (row[0], row[1])


def open_of_order(connection: Connection, order_id: str) -> list[int]:
    """The ids of the open handoffs that are about this order."""
    about = select(notices.c.handoff_id).where(notices.c.order_id == order_id)
    found = select(handoffs.c.id).where(handoffs.c.id.in_(about), handoffs.c.finished_ms.is_(None))
    return [int(row[0]) for row in connection.execute(found).all()]


def due(connection: Connection, account: str) -> list[Handoff]:
    """Open handoffs of which the owner must be reminded now."""
    statement = _SELECT.where(
        handoffs.c.account == account,
        handoffs.c.finished_ms.is_(None),
        handoffs.c.due_ms <= now_ms(),
    ).order_by(handoffs.c.id)
    return [_from_row(row) for row in connection.execute(statement).all()]


def reminded(connection: Connection, handoff_id: int, *, next_after_ms: int) -> None:
    """The owner was reminded; once more after ``next_after_ms``."""
    connection.execute(
        update(handoffs)
        .where(handoffs.c.id == handoff_id)
        .values(reminders=handoffs.c.reminders + 1, due_ms=now_ms() + next_after_ms)
    )


def finish(connection: Connection, handoff_id: int, *, state: State, answer: str | None = None) -> bool:
    """Close an open handoff; False when somebody else already did."""
    statement = (
        update(handoffs)
        .where(handoffs.c.id == handoff_id, handoffs.c.finished_ms.is_(None))
        .values(state=state.value, answer=answer, finished_ms=now_ms())
    )
    return connection.execute(statement).rowcount == 1


def set_learned(connection: Connection, handoff_id: int, *, learned: Learning, was: Learning | None) -> bool:
    """Move the FAQ offer on; False when it does not stand where the caller believes."""
    current = handoffs.c.learned.is_(None) if was is None else handoffs.c.learned == was.value
    statement = update(handoffs).where(handoffs.c.id == handoff_id, current).values(learned=learned.value)
    return connection.execute(statement).rowcount == 1


def offer_entry(connection: Connection, handoff_id: int, *, question: str | None) -> bool:
    """The answer is offered as an FAQ entry that asks it so; False when it was offered before."""
    if not set_learned(connection, handoff_id, learned=Learning.OFFERED, was=None):
        return False
    asks = update(handoffs).where(handoffs.c.id == handoff_id).values(faq_question=question)
    connection.execute(asks)
    return True


def _from_row(row: Sequence[Any]) -> Handoff:
    return Handoff(
        id=row[0],
        customer_id=row[1],
        customer_name=row[2],
        chat=row[3],
        question=row[4],
        reason=Reason(row[5]),
        state=State(row[6]),
        answer=row[7],
        learned=None if row[8] is None else Learning(row[8]),
        created_ms=row[9],
        age_ms=row[10],
        reminders=row[11],
        faq_question=row[12],
    )
