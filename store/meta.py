"""Single facts about the database itself, each under its key in table ``meta``."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select

from store.prepared import Prepared
from store.schema import meta

_GET = Prepared(select(meta.c.value).where(meta.c.key == bindparam("wanted")))
_DELETE = delete(meta).where(meta.c.key == bindparam("wanted"))
_INSERT = insert(meta)


def get(connection: Connection, key: str) -> str | None:
    """The value under the key; None when it was never written."""
    value: str | None = _GET.execute(connection, {"wanted": key}).scalar()
    return value


def put(connection: Connection, key: str, value: str) -> None:
    """Write the value, in the caller's transaction. Nothing is written when it is there already."""
    if get(connection, key) == value:
        return
    # Two statements instead of each dialect's own upsert; the transaction makes them one.
    connection.execute(_DELETE, {"wanted": key})
    connection.execute(_INSERT, {"key": key, "value": value})
