"""Moves the vectors of stored turns to another embedding model, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, not_, or_, select, update

from store import changes
from store.embedding_space import Space
from store.schema import turns

# Nothing a customer may write is longer; invoices and relayed texts are cut for the vector alone.
_MOST_CHARACTERS = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnText:
    """A turn that needs a vector, and the text that it is computed from."""

    id: int
    customer_id: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVector:
    """A turn's vector in the new space, as float16 bytes."""

    turn_id: int
    customer_id: int
    vector: bytes


_SET = (
    update(turns)
    .where(turns.c.id == bindparam("turn_id"))
    .values(vector=bindparam("new_vector"), model=bindparam("new_model"), dimensions=bindparam("new_size"))
)


def _needs_vector(space: Space) -> ColumnElement[bool]:
    inside = and_(
        turns.c.vector.is_not(None), turns.c.model == space.model, turns.c.dimensions == space.dimensions
    )
    # `model` may be null, and NOT (null) is null: such a turn has no vector and needs one.
    return and_(
        or_(turns.c.vector.is_(None), turns.c.model.is_(None), not_(inside)),
        or_(turns.c.asked != "", turns.c.replied != ""),
    )


def count_outside(connection: Connection, space: Space) -> int:
    """How many turns have no vector of this space."""
    wanted = select(func.count()).select_from(turns).where(_needs_vector(space))
    return int(connection.execute(wanted).scalar_one())


def outside(connection: Connection, space: Space, *, after: int, limit: int) -> list[TurnText]:
    """The next turns behind id ``after`` that have no vector of this space. Their text is the question."""
    wanted = (
        select(turns.c.id, turns.c.customer_id, turns.c.asked, turns.c.replied)
        .where(turns.c.id > after, _needs_vector(space))
        .order_by(turns.c.id)
        .limit(limit)
    )
    return [
        TurnText(id=row[0], customer_id=row[1], text=(row[2] or row[3])[:_MOST_CHARACTERS])
        for row in connection.execute(wanted)
    ]


def replace(connection: Connection, vectors: Sequence[NewVector], space: Space) -> None:
    """Store the vectors and tell the memories; a turn that was deleted meanwhile stays deleted."""
    if not vectors:
        return
    connection.execute(
        _SET,
        [
            {
                "turn_id": one.turn_id,
                "new_vector": one.vector,
                "new_model": space.model,
                "new_size": space.dimensions,
            }
            for one in vectors
        ],
    )
    changes.append_many(
        connection,
        [
            changes.entry(entity=changes.TURN, ref=str(one.turn_id), customer_id=one.customer_id)
            for one in vectors
        ],
    )
