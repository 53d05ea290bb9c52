"""Payment notifications as they came: a queue whose key is the attempt, so that its own keep their order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from sqlalchemy import Connection, bindparam, func, literal_column, select, update
from sqlalchemy.dialects import sqlite

from store.prepared import driver_of
from store.queue import Queue
from store.schema import QueueState, now_ms, payment_events
from store.upsert import ByDialect

TRANSPORT = "midtrans"
# Ours are far shorter; whatever else comes under our signature is not to fill an index.
MAX_KEY_CHARS = 64


def payment_queue(account: str) -> Queue:
    """Midtrans's notifications of one account; the key is the attempt's id."""
    return Queue(table=payment_events, account=account, transport=TRANSPORT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """What came: the attempt that it is about, and the bytes of its body."""

    key: str
    body: bytes


# Written into the statement, so that only what differs is handed over for each row.
_VALUES = {
    "transport": literal_column(f"'{TRANSPORT}'"),
    "state": literal_column(f"'{QueueState.NEW.value}'"),
    "due_ms": now_ms(),
    "received_ms": now_ms(),
}
_GIVEN = ("account", "key", "hash", "body")
# Two processes may bring PostgreSQL the same one at once; the new row is returned, and nothing for the other.
_RECORD = ByDialect(
    lambda insert: (
        insert(payment_events)
        .values(_VALUES)
        .on_conflict_do_nothing(index_elements=("account", "hash"))
        .returning(payment_events.c.id)
    )
)


def digest(body: bytes) -> bytes:
    """What tells two notifications apart: Midtrans repeats one byte for byte."""
    return hashlib.sha256(body).digest()


def record(connection: Connection, account: str, *, key: str, body: bytes) -> bool:
    """Keep the notification; False when this very one is there already."""
    return record_all(connection, account, [Notification(key=key, body=body)])[0]


def record_all(connection: Connection, account: str, given: Sequence[Notification]) -> list[bool]:
    """Keep the notifications in their order; for each whether it is new, False for one that is there."""
    rows = [(account, one.key[:MAX_KEY_CHARS], digest(one.body), one.body) for one in given]
    if connection.dialect.name != sqlite.dialect.name:
        statement = _RECORD[connection.dialect.name]
        return [
            connection.execute(statement, dict(zip(_GIVEN, row, strict=True))).first() is not None
            for row in rows
        ]
    # Midtrans waits for this. The driver gives up Python's lock at every step of a statement and then has to
    # get it back from a busy loop, so that two statements for all cost a tenth of one for each. This
    # transaction is the only one that writes, and nothing comes between looking and keeping.
    driver = driver_of(connection)
    known = {
        row[0]
        for row in driver.execute(_known_among(len(rows)), [account, *(row[2] for row in rows)]).fetchall()
    }
    new: list[tuple[str, str, bytes, bytes]] = []
    is_new: list[bool] = []
    for row in rows:
        is_new.append(row[2] not in known)
        if is_new[-1]:
            known.add(row[2])
            new.append(row)
    if new:
        driver.execute(_insert_of(len(new)), list(chain.from_iterable(new)))
    return is_new


@cache
def _known_among(count: int) -> str:
    """Which of so many hashes are there already, as SQLite's driver takes it."""
    marks = ", ".join("?" * count)
    return f"SELECT hash FROM payment_events WHERE account = ? AND hash IN ({marks})"


@cache
def _insert_of(count: int) -> str:
    """So many rows at once, as SQLite's driver takes it."""
    compiled = (
        sqlite.insert(payment_events)
        .values(_VALUES)
        .compile(dialect=sqlite.dialect(paramstyle="qmark"), column_keys=list(_GIVEN))
    )
    # The values are handed over in this order.
    assert tuple(compiled.positiontup or ()) == _GIVEN
    head, row = str(compiled).split(" VALUES ")
    return f"{head} VALUES {', '.join([row] * count)}"


_OLDEST = select(func.min(payment_events.c.received_ms)).where(
    payment_events.c.account == bindparam("in_account"), payment_events.c.finished_ms.is_(None)
)


def oldest_age_ms(connection: Connection, account: str) -> int:
    """How long the oldest unfinished notification has waited; 0 when there is none."""
    oldest = connection.execute(_OLDEST, {"in_account": account}).scalar()
    if oldest is None:
        return 0
    now = connection.execute(select(now_ms())).scalar_one()
    return max(0, int(now) - int(oldest))


def blank(connection: Connection, account: str, attempt_ids: list[str]) -> None:
    """Keep that they came and no longer what they said: their customer was deleted."""
    mine = payment_events.c.key.in_(attempt_ids)
    waiting = (
        payment_events.c.account == account,
        payment_events.c.transport == TRANSPORT,
        payment_events.c.finished_ms.is_(None),
    )
    # One statement for each of the two indexes.
    for which in ((payment_events.c.finished_ms.is_not(None),), waiting):
        connection.execute(update(payment_events).where(mine, *which).values(body=b""))
