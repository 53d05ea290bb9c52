"""Questions from before the pairing, each offered with a person's own answer as an FAQ entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from store.schema import now_ms, past_chats, past_questions

MOST = 20


class State(StrEnum):
    """Where the offer stands."""

    OFFERED = "offered"  # shown to the admins
    SAVED = "saved"  # written to the knowledge folder
    DECLINED = "declined"  # an admin said no


@dataclass(frozen=True, kw_only=True, slots=True)
class PastQuestion:
    """One of them, as it would be stored."""

    id: int
    question: str
    answer: str
    state: State

    @property
    def entry_id(self) -> str:
        """The id of its FAQ entry."""
        return f"riwayat-{self.id}"


_COLUMNS = select(
    past_questions.c.id, past_questions.c.question, past_questions.c.answer, past_questions.c.state
)


def customer_of(connection: Connection, account: str, chat: str) -> int | None:
    """Whose chat it was; None when he is not known (any more)."""
    its = (past_chats.c.account == account, past_chats.c.chat == chat)
    found: int | None = connection.execute(select(past_chats.c.customer_id).where(*its)).scalar()
    return found


def add(
    connection: Connection,
    account: str,
    *,
    customer_id: int,
    outbox_id: int,
    question: str,
    answer: str,
    chats: int,
) -> None:
    """It is shown by this notice."""
    connection.execute(
        insert(past_questions).values(
            account=account,
            customer_id=customer_id,
            outbox_id=outbox_id,
            question=question,
            answer=answer,
            chats=chats,
            state=State.OFFERED.value,
            created_ms=now_ms(),
        )
    )


def of_notice(connection: Connection, account: str, outbox_id: int) -> PastQuestion | None:
    """The question that the notice shows; None when it shows none."""
    its = (past_questions.c.account == account, past_questions.c.outbox_id == outbox_id)
    row = connection.execute(_COLUMNS.where(*its)).first()
    return None if row is None else _read(row)


def offered(connection: Connection, account: str) -> list[PastQuestion]:
    """Those that wait for a word, the most frequent first."""
    its = (past_questions.c.account == account, past_questions.c.state == State.OFFERED.value)
    return [_read(row) for row in connection.execute(_COLUMNS.where(*its).order_by(past_questions.c.id))]


def saved_of(connection: Connection, customer_id: int) -> list[str]:
    """The ids of the FAQ entries whose question was this customer's."""
    its = (past_questions.c.customer_id == customer_id, past_questions.c.state == State.SAVED.value)
    return [_read(row).entry_id for row in connection.execute(_COLUMNS.where(*its))]


def move(connection: Connection, question_id: int, *, to: State) -> bool:
    """Settle the offer; False when it was settled before."""
    its = (past_questions.c.id == question_id, past_questions.c.state == State.OFFERED.value)
    return connection.execute(update(past_questions).where(*its).values(state=to.value)).rowcount == 1


def _read(row: Sequence[Any]) -> PastQuestion:
    return PastQuestion(id=row[0], question=row[1], answer=row[2], state=State(row[3]))
