"""Turns: one exchange each, what the customer asked and what he was answered. SQL is their truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from store import changes
from store.prepared import Prepared
from store.schema import at_most, now_ms, turns


class Author(StrEnum):
    """Who wrote the reply of a turn."""

    BOT = "bot"  # the model's checked answer, or a rule
    HUMAN = "human"  # the owner or an admin
    AUTO = "auto"  # WhatsApp Business' own greeting or away message, or an invoice
    NONE = "none"  # nobody answered


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One exchange as the prompt and the memory see it."""

    id: int
    asked: str
    replied: str
    author: Author
    created_ms: int
    source_ids: tuple[str, ...] = ()  # what the reply rests on, and what it was (bot.selling.marks)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTurn:
    """An exchange to be stored. ``vector`` is float16 bytes of ``dimensions`` from ``model``, or None."""

    customer_id: int
    asked: str
    replied: str
    author: Author
    search_text: str
    vector: bytes | None = None
    model: str | None = None
    dimensions: int | None = None
    source_ids: tuple[str, ...] = ()


_INSERT = Prepared(insert(turns).values(created_ms=now_ms()).returning(turns.c.id))

_RECENT = Prepared(
    select(turns.c.id, turns.c.asked, turns.c.replied, turns.c.author, turns.c.created_ms, turns.c.source_ids)
    .where(turns.c.customer_id == bindparam("customer"))
    .order_by(turns.c.id.desc())
    .limit(at_most("most"))
)


def append(connection: Connection, turn: NewTurn) -> int:
    """Store the exchange and tell the memories; the new turn's id."""
    turn_id = _INSERT.execute(
        connection,
        {
            "customer_id": turn.customer_id,
            "asked": turn.asked,
            "replied": turn.replied,
            "author": turn.author.value,
            "search_text": turn.search_text,
            "vector": turn.vector,
            "model": turn.model,
            "dimensions": turn.dimensions,
            "source_ids": " ".join(turn.source_ids),
        },
    ).scalar_one()
    changes.append(connection, entity="turn", ref=str(turn_id), customer_id=turn.customer_id)
    return int(turn_id)


def answer(
    connection: Connection,
    turn_id: int,
    *,
    replied: str,
    author: Author,
    make_search_text: Callable[[str], str],
) -> None:
    """Give an unanswered turn its reply (a released draft) and tell the memories."""
    found = connection.execute(
        select(turns.c.customer_id, turns.c.asked).where(turns.c.id == turn_id)
    ).first()
    if found is None:
        return
    connection.execute(
        update(turns)
        .where(turns.c.id == turn_id)
        .values(replied=replied, author=author.value, search_text=make_search_text(found.asked))
    )
    changes.append(connection, entity="turn", ref=str(turn_id), customer_id=found.customer_id)


def asked(connection: Connection, turn_id: int) -> str | None:
    """What the customer asked in this turn; None when there is no such turn."""
    found: str | None = connection.execute(select(turns.c.asked).where(turns.c.id == turn_id)).scalar()
    return found


def reword(
    connection: Connection,
    turn_id: int,
    *,
    asked: str | None = None,
    replied: str | None = None,
    author: Author | None = None,
    make_search_text: Callable[[str, str], str],
) -> None:
    """One side's words are others now, or gone (``None``: they stay); a turn without any is deleted.

    ``author`` is whose the reply is from now on, if that changes too. Tells the memories.
    """
    found = connection.execute(
        select(turns.c.customer_id, turns.c.asked, turns.c.replied, turns.c.author).where(
            turns.c.id == turn_id
        )
    ).first()
    if found is None:
        return
    asked = found.asked if asked is None else asked
    if replied == "":
        author = Author.NONE
    replied = found.replied if replied is None else replied
    gone = not asked and not replied
    if gone:
        connection.execute(delete(turns).where(turns.c.id == turn_id))
    else:
        # The old words' vector is not that of the new ones.
        connection.execute(
            update(turns)
            .where(turns.c.id == turn_id)
            .values(
                asked=asked,
                replied=replied,
                author=found.author if author is None else author.value,
                search_text=make_search_text(asked, replied),
                vector=None,
                model=None,
                dimensions=None,
            )
        )
    changes.append(
        connection, entity=changes.TURN, ref=str(turn_id), customer_id=found.customer_id, tombstone=gone
    )


def recent(connection: Connection, customer_id: int, *, limit: int) -> list[Turn]:
    """The customer's newest turns, oldest first."""
    rows = _RECENT.execute(connection, {"customer": customer_id, "most": limit}).all()
    return [
        Turn(
            id=row[0],
            asked=row[1],
            replied=row[2],
            author=Author(row[3]),
            created_ms=row[4],
            source_ids=tuple(row[5].split()),
        )
        for row in reversed(rows)
    ]


def sources(connection: Connection, turn_id: int) -> tuple[str, ...]:
    """The ids of what the reply rests on."""
    found = connection.execute(select(turns.c.source_ids).where(turns.c.id == turn_id)).scalar()
    return tuple(str(found or "").split())
