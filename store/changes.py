"""The append-only log that every memory follows with a cursor of its own.

An entry only says *that* something changed; what it is now is read from its table. So an entry may be
applied twice, or late: an upsert whose row is gone finds nothing, and a tombstone always wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select, text

from store.prepared import Prepared
from store.schema import at_most, changes, now_ms

TURN: Final = "turn"
CUSTOMER: Final = "customer"
KNOWLEDGE: Final = "knowledge"

# Any number will do, as long as nothing else in the database locks the same one.
_LOCK_KEY = 0x62616C6173  # "balas"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One entry: ``ref`` of ``entity`` was written, or (``tombstone``) removed for good."""

    seq: int
    entity: str
    ref: str
    customer_id: int | None
    tombstone: bool


_TAKE_TURN = text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=_LOCK_KEY)
# Inline: nobody needs the new number, so PostgreSQL is not asked to return it.
_INSERT = Prepared(insert(changes).values(created_ms=now_ms()).inline())
_AFTER = Prepared(
    select(changes.c.seq, changes.c.entity, changes.c.ref, changes.c.customer_id, changes.c.tombstone)
    .where(changes.c.seq > bindparam("seen"))
    .order_by(changes.c.seq)
    .limit(at_most("most"))
)
_LAST = select(func.coalesce(func.max(changes.c.seq), 0))


def append(
    connection: Connection, *, entity: str, ref: str, customer_id: int | None = None, tombstone: bool = False
) -> None:
    """Add one entry in the caller's transaction."""
    append_many(connection, [entry(entity=entity, ref=ref, customer_id=customer_id, tombstone=tombstone)])


def entry(
    *, entity: str, ref: str, customer_id: int | None = None, tombstone: bool = False
) -> dict[str, object]:
    """The values of one entry, for ``append_many``."""
    return {"entity": entity, "ref": ref, "customer_id": customer_id, "tombstone": tombstone}


def append_many(connection: Connection, entries: list[dict[str, object]]) -> None:
    """Add entries, in this order, in the caller's transaction."""
    if not entries:
        return
    if connection.dialect.name == "postgresql":
        # A sequence hands out numbers before the commit: without this lock number 8 could become visible
        # while 7 is still uncommitted, a cursor would move past 7, and its entry would never be applied.
        # The lock is held until after the commit, so numbers become visible in their order. SQLite has
        # one writer at a time and needs nothing.
        connection.execute(_TAKE_TURN)
    _INSERT.execute_many(connection, entries)


def after(connection: Connection, seq: int, *, limit: int) -> list[Change]:
    """The entries that follow ``seq``, oldest first, at most ``limit``."""
    rows = _AFTER.execute(connection, {"seen": seq, "most": limit})
    return [
        Change(seq=row[0], entity=row[1], ref=row[2], customer_id=row[3], tombstone=bool(row[4]))
        for row in rows
    ]


def last_seq(connection: Connection) -> int:
    """The newest entry's number; 0 when there is none."""
    return int(connection.execute(_LAST).scalar_one())
