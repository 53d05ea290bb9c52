"""Payment notifications as they came: a queue whose key is the attempt, so that its own keep their order."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store.queue import Queue
from store.schema import QueueState, now_ms, payment_events

TRANSPORT = "midtrans"
# Ours are far shorter; whatever else comes under our signature is not to fill an index.
MAX_KEY_CHARS = 64


def payment_queue(account: str) -> Queue:
    """Midtrans's notifications of one account; the key is the attempt's id."""
    return Queue(table=payment_events, account=account, transport=TRANSPORT)


_VALUES = {
    "transport": TRANSPORT,
    "state": QueueState.NEW.value,
    "due_ms": now_ms(),
    "received_ms": now_ms(),
}
# The new row is returned, since SQLAlchemy counts the rows of an INSERT on one of the two databases only.
_RECORD = {
    dialect.name: insert(payment_events)
    .values(_VALUES)
    .on_conflict_do_nothing(index_elements=("account", "hash"))
    .returning(payment_events.c.id)
    for dialect, insert in ((sqlite.dialect, sqlite.insert), (postgresql.dialect, postgresql.insert))
}


def digest(body: bytes) -> bytes:
    """What tells two notifications apart: Midtrans repeats one byte for byte."""
    return hashlib.sha256(body).digest()


@cache
def _bare_record() -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """The statement as SQLite's driver takes it: text, names of parameters, values of the fixed ones."""
    dialect = sqlite.dialect(paramstyle="qmark")
    compiled = _RECORD[dialect.name].compile(dialect=dialect, column_keys=["account", "key", "hash", "body"])
    return str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params)


def record(connection: Connection, account: str, *, key: str, body: bytes) -> bool:
    """Keep the notification; False when this very one is there already."""
    values = {"account": account, "key": key[:MAX_KEY_CHARS], "hash": digest(body), "body": body}
    if connection.dialect.name != sqlite.dialect.name:
        return connection.execute(_RECORD[connection.dialect.name], values).first() is not None
    # Midtrans waits for this one statement, and through SQLAlchemy it costs three times as much.
    text, names, fixed = _bare_record()
    given = fixed | values
    driver: Any = connection.connection.dbapi_connection
    return bool(driver.execute(text, [given[name] for name in names]).fetchall())


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


def blank(connection: Connection, attempt_ids: list[str]) -> None:
    """Keep that they came and no longer what they said: their customer was deleted."""
    connection.execute(update(payment_events).where(payment_events.c.key.in_(attempt_ids)).values(body=b""))
