"""Alerts: one row a fingerprint, told at most every 15 minutes, and told once more when it is over."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from store.schema import alerts, now_ms

REPEAT_AFTER_MS = 15 * 60 * 1000


def raise_alert(connection: Connection, fingerprint: str, message: str) -> bool:
    """Note that something is wrong; True when the owner is to be told (now and not already lately)."""
    row = connection.execute(
        select(alerts.c.notified_ms, alerts.c.recovered_ms, now_ms()).where(
            alerts.c.fingerprint == fingerprint
        )
    ).first()
    if row is None:
        connection.execute(
            insert(alerts).values(
                fingerprint=fingerprint,
                message=message,
                count=1,
                first_ms=now_ms(),
                last_ms=now_ms(),
                notified_ms=now_ms(),
            )
        )
        return True
    notified_ms, recovered_ms, now = row
    tell = notified_ms is None or recovered_ms is not None or now - notified_ms >= REPEAT_AFTER_MS
    values: dict[str, Any] = {
        "message": message,
        "count": alerts.c.count + 1,
        "last_ms": now_ms(),
        "recovered_ms": None,
    }
    if recovered_ms is not None:
        values |= {"first_ms": now_ms(), "count": 1}
    if tell:
        values |= {"notified_ms": now_ms()}
    connection.execute(update(alerts).where(alerts.c.fingerprint == fingerprint).values(**values))
    return tell


_IS_ON = select(alerts.c.fingerprint).where(
    alerts.c.fingerprint == bindparam("wanted"), alerts.c.recovered_ms.is_(None)
)


def is_on(connection: Connection, fingerprint: str) -> bool:
    """Whether this is wrong now."""
    return connection.execute(_IS_ON, {"wanted": fingerprint}).first() is not None


def raise_once(connection: Connection, fingerprint: str, message: str) -> bool:
    """Note that something is wrong; True when it was not before: told once, however long it lasts."""
    was_on = is_on(connection, fingerprint)
    raise_alert(connection, fingerprint, message)
    return not was_on


def recover(connection: Connection, fingerprint: str) -> bool:
    """Note that it is over; True when it was on, so that the owner is told once."""
    statement = (
        update(alerts)
        .where(alerts.c.fingerprint == fingerprint, alerts.c.recovered_ms.is_(None))
        .values(recovered_ms=now_ms())
    )
    return connection.execute(statement).rowcount == 1


def active(connection: Connection) -> list[tuple[str, str]]:
    """(fingerprint, message) of everything that is wrong now."""
    rows = connection.execute(
        select(alerts.c.fingerprint, alerts.c.message).where(alerts.c.recovered_ms.is_(None))
    ).all()
    return [(row[0], row[1]) for row in rows]
