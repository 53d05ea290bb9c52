"""Proposals: what was read back to a customer and waits for his *ya*. One a customer, used once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from store.orders import Line, lines_from_json, lines_to_json, total_of
from store.schema import now_ms, proposals

VALID_MS = 15 * 60 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """Lines with the prices that the customer was told."""

    id: int
    customer_id: int
    lines: tuple[Line, ...]
    total_idr: int
    created_ms: int
    expires_ms: int


def put(
    connection: Connection,
    *,
    account: str,
    customer_id: int,
    lines: Sequence[Line],
    valid_ms: int = VALID_MS,
) -> int:
    """The customer was read these lines; whatever he was read before no longer counts. The new id."""
    withdraw(connection, customer_id)
    created = connection.execute(
        insert(proposals)
        .values(
            account=account,
            customer_id=customer_id,
            lines=lines_to_json(lines),
            total_idr=total_of(lines),
            created_ms=now_ms(),
            expires_ms=now_ms() + valid_ms,
        )
        .returning(proposals.c.id)
    )
    return int(created.scalar_one())


_PENDING = select(proposals).where(
    proposals.c.customer_id == bindparam("customer"),
    proposals.c.consumed_ms.is_(None),
    proposals.c.expires_ms > now_ms(),
)


def pending(connection: Connection, customer_id: int) -> Proposal | None:
    """What the customer may say *ya* to now; None when there is nothing, or it is too old."""
    row = connection.execute(_PENDING, {"customer": customer_id}).first()
    if row is None:
        return None
    return Proposal(
        id=row.id,
        customer_id=row.customer_id,
        lines=lines_from_json(row.lines),
        total_idr=row.total_idr,
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
    )


def consume(connection: Connection, proposal_id: int) -> bool:
    """Use the proposal up, in the transaction that makes its order; False when that was done before.

    One that ran out meanwhile is refused, too: its prices may be old.
    """
    statement = (
        update(proposals)
        .where(
            proposals.c.id == proposal_id,
            proposals.c.consumed_ms.is_(None),
            proposals.c.expires_ms > now_ms(),
        )
        .values(consumed_ms=now_ms())
    )
    return connection.execute(statement).rowcount == 1


def withdraw(connection: Connection, customer_id: int) -> None:
    """Whatever the customer was read no longer counts."""
    connection.execute(delete(proposals).where(proposals.c.customer_id == customer_id))
