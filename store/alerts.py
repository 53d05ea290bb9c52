"""Alerts: one row a fingerprint, told at most every 15 minutes, and told once more when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, case, insert, select, update

from store.alert_kinds import is_of, without_account
from store.schema import alerts, now_ms

REPEAT_AFTER_MS = 15 * 60 * 1000
# What goes on for so long is told less often: (it has lasted, then it is repeated after).
_SELDOM_MS = ((12 * 60 * 60 * 1000, 6 * 60 * 60 * 1000), (60 * 60 * 1000, 60 * 60 * 1000))


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
    alerts.c.fingerprint.in_([bindparam("wanted"), bindparam("older")]), alerts.c.recovered_ms.is_(None)
)


def is_on(connection: Connection, fingerprint: str) -> bool:
    """Whether this is wrong now."""
    wanted = {"wanted": fingerprint, "older": without_account(fingerprint)}
    return connection.execute(_IS_ON, wanted).first() is not None


def raise_once(connection: Connection, fingerprint: str, message: str) -> bool:
    """Note that something is wrong; True when it was not before: told once, however long it lasts."""
    was_on = is_on(connection, fingerprint)
    raise_alert(connection, fingerprint, message)
    return not was_on


def recover(connection: Connection, fingerprint: str) -> bool:
    """Note that it is over; True when it was on, so that the owner is told once."""
    statement = _ending(fingerprint).values(recovered_ms=now_ms())
    return connection.execute(statement).rowcount > 0


def recover_quiet(connection: Connection, fingerprint: str, *, quiet_ms: int) -> bool:
    """The same for what nobody can ask about: it is over when it was not noted for so long."""
    statement = _ending(fingerprint).where(alerts.c.last_ms < now_ms() - quiet_ms)
    return connection.execute(statement.values(recovered_ms=now_ms())).rowcount > 0


def _ending(fingerprint: str) -> Update:
    return update(alerts).where(
        alerts.c.fingerprint.in_([fingerprint, without_account(fingerprint)]), alerts.c.recovered_ms.is_(None)
    )


def active(connection: Connection, account: str) -> list[tuple[str, str]]:
    """(fingerprint, message) of everything that is wrong now with the account."""
    rows = connection.execute(
        select(alerts.c.fingerprint, alerts.c.message).where(alerts.c.recovered_ms.is_(None))
    ).all()
    return [(row[0], row[1]) for row in rows if is_of(row[0], account)]


class News(StrEnum):
    """What there is to tell about an alert."""

    WRONG = "wrong"  # it is on
    OVER = "over"  # it was told, and is over
    PASSED = "passed"  # it is over, and nobody was told while it was on


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """An alert that somebody is to be told of now. ``mark_told`` it once somebody was reached."""

    fingerprint: str
    message: str
    news: News
    lasted_ms: int  # until now, or until it was over
    notified_ms: int
    recovered_ms: int | None


def to_tell(connection: Connection, account: str) -> list[Telling]:
    """What the account's owner is to be told now: each at most once in ``REPEAT_AFTER_MS``, however often it
    comes and goes."""
    rows = connection.execute(select(alerts, now_ms().label("now")).order_by(alerts.c.first_ms)).all()
    found = [(row, _news(row)) for row in rows if is_of(row.fingerprint, account)]
    return [
        Telling(
            fingerprint=row.fingerprint,
            message=row.message,
            news=news,
            lasted_ms=(row.now if row.recovered_ms is None else row.recovered_ms) - row.first_ms,
            notified_ms=row.notified_ms,
            recovered_ms=row.recovered_ms,
        )
        for row, news in found
        if news is not None
    ]


def _news(row: Row[Any]) -> News | None:
    is_new = row.notified_ms is not None and (row.told_ms is None or row.notified_ms > row.told_ms)
    if is_new:
        if row.told_ms is not None and row.now - row.told_ms < _pause_ms(row):
            return None
        return News.WRONG if row.recovered_ms is None else News.PASSED
    if row.recovered_ms is None or row.told_ms is None:
        return None
    ended_untold = row.recovery_told_ms is None or row.recovery_told_ms < row.recovered_ms
    return News.OVER if ended_untold else None


def _pause_ms(row: Row[Any]) -> int:
    """What began anew since it was told last is told as if for the first time, but for the shortest pause."""
    return pause_ms(row.now - row.first_ms) if row.first_ms <= row.told_ms else REPEAT_AFTER_MS


def pause_ms(lasted_ms: float) -> int:
    """How long after it was told it is told again, when it goes on for so long. Pure."""
    for at_least_ms, pause in _SELDOM_MS:
        if lasted_ms >= at_least_ms:
            return pause
    return REPEAT_AFTER_MS


def mark_told(connection: Connection, telling: Telling) -> None:
    """Somebody was reached with it. What happened to the alert meanwhile is told another time."""
    # Never before what was told of: a clock that was set back must not tell it again and again.
    told = {"told_ms": _later(telling.notified_ms)} if telling.news is not News.OVER else {}
    if telling.recovered_ms is not None:
        told["recovery_told_ms"] = _later(telling.recovered_ms)
    connection.execute(
        update(alerts)
        .where(alerts.c.fingerprint == telling.fingerprint, alerts.c.notified_ms == telling.notified_ms)
        .values(**told)
    )


def _later(than_ms: int) -> Any:
    return case((now_ms() > than_ms, now_ms()), else_=than_ms)
