"""Finds customers as a person names them: by name, by number, or by ``#12``, the number in the list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from config.phone import normalise_phone
from store.schema import aliases, customers, now_ms, turns

# Fewer digits than this fit half of all numbers.
_LEAST_DIGITS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One customer as a list shows him. ``seen_ms`` is how long ago his last exchange was."""

    id: int
    name: str | None
    users: tuple[str, ...]
    exchanges: int
    seen_ms: int | None


def search(connection: Connection, account: str, query: str, *, limit: int = 50) -> list[Entry]:
    """Customers that the query may mean, the newest first; all of them for an empty query."""
    found = connection.execute(
        select(customers.c.id, customers.c.name)
        .where(customers.c.account == account, _meant(account, query.strip()))
        .order_by(customers.c.id.desc())
        .limit(limit)
    ).all()
    return [_entry(connection, row) for row in found]


def _meant(account: str, query: str) -> ColumnElement[bool]:
    if number := re.fullmatch(r"#(\d{1,18})", query):
        return customers.c.id == int(number.group(1))
    ways: list[ColumnElement[bool]] = [
        func.lower(func.coalesce(customers.c.name, "")).contains(query.lower(), autoescape=True)
    ]
    digits = normalise_phone(query) or re.sub(r"[\s().+-]", "", query)
    if digits.isdecimal() and len(digits) >= _LEAST_DIGITS:
        ways.append(_has_user(account, aliases.c.user.contains(digits.lstrip("0"), autoescape=True)))
    elif query:
        # The whole address, as the terminal's people have it.
        ways.append(_has_user(account, func.lower(aliases.c.user) == query.lower()))
    return or_(*ways)


def _has_user(account: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return customers.c.id.in_(select(aliases.c.customer_id).where(aliases.c.account == account, condition))


def _entry(connection: Connection, row: Sequence[Any]) -> Entry:
    users = connection.execute(select(aliases.c.user).where(aliases.c.customer_id == row[0])).scalars()
    exchanges, newest_ms = connection.execute(
        select(func.count(), now_ms() - func.max(turns.c.created_ms)).where(turns.c.customer_id == row[0])
    ).one()
    return Entry(id=row[0], name=row[1], users=tuple(users), exchanges=exchanges, seen_ms=newest_ms)
