"""Messages that went out, found again by the network's id: on the phones they may be edited or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from store import attachments
from store.outbox import FILES, Kind
from store.schema import QueueState, outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One of them. ``answers`` are the ids of the messages that it answers, as the channel knows them.

    ``body`` is the caption of a file.
    """

    id: int
    chat: str
    kind: Kind
    body: str
    answers: tuple[str, ...]
    created_ms: int

    @property
    def is_file(self) -> bool:
        return self.kind in FILES


def find(connection: Connection, account: str, *, customer_id: int, provider_id: str) -> Sent | None:
    """What the customer got under the network's id, in whichever of his chats; None when it was not ours.

    The second part of a long answer stands behind the first, which alone says what they answer.
    """
    found = connection.execute(
        select(
            outbox.c.id, outbox.c.chat, outbox.c.kind, outbox.c.body, outbox.c.answers, outbox.c.created_ms
        ).where(
            outbox.c.account == account,
            outbox.c.customer_id == customer_id,
            outbox.c.provider_id == provider_id,
            outbox.c.state == QueueState.DONE.value,
            outbox.c.kind != Kind.REACTION.value,
        )
    ).first()
    if found is None:
        return None
    answers = found.answers
    if not answers:
        before = (
            select(outbox.c.answers)
            .where(outbox.c.account == account, outbox.c.chat == found.chat, outbox.c.id < found.id)
            .where(outbox.c.customer_id == customer_id)
            .order_by(outbox.c.id.desc())
            .limit(1)
        )
        answers = connection.execute(before).scalar() or ""
    return Sent(
        id=found.id,
        chat=found.chat,
        kind=Kind(found.kind),
        body=found.body,
        answers=tuple(answers.split()),
        created_ms=found.created_ms,
    )


def reword(connection: Connection, row_id: int, body: str) -> None:
    """It reads like this now; without words it was deleted, with its file, and goes out to nobody again."""
    values: dict[str, Any] = {"body": body}
    if not body:
        attachments.drop(connection, row_id)
        values |= {"state": QueueState.DROPPED.value, "error": "it was taken back on the shop's phone"}
    connection.execute(update(outbox).where(outbox.c.id == row_id).values(values))
