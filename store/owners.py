"""Who is running: one row a process with a heartbeat in database time, never a process id."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, delete, insert, select, update

from store.queue import OWNER_TIMEOUT_MS
from store.schema import now_ms, owners

# An instance that was silent for this many time-outs is forgotten altogether.
_FORGET_AFTER_MS = OWNER_TIMEOUT_MS * 20


def new_instance_id(process: str) -> str:
    """An id that no other process has or ever had, readable in the tables: ``bot-3f9a…``."""
    return f"{process}-{secrets.token_hex(8)}"


def register(connection: Connection, instance: str, account: str) -> None:
    """Announce a process at its start, and forget those that were gone long ago."""
    connection.execute(delete(owners).where(owners.c.heartbeat_ms < now_ms() - _FORGET_AFTER_MS))
    connection.execute(
        insert(owners).values(instance=instance, account=account, started_ms=now_ms(), heartbeat_ms=now_ms())
    )


def beat(connection: Connection, instance: str) -> bool:
    """A sign of life, three times within ``OWNER_TIMEOUT_MS``; False: forgotten, so register again."""
    statement = update(owners).where(owners.c.instance == instance).values(heartbeat_ms=now_ms())
    return connection.execute(statement).rowcount == 1


def unregister(connection: Connection, instance: str) -> None:
    """Leave in good order: rows that are still claimed may be taken back at once."""
    connection.execute(delete(owners).where(owners.c.instance == instance))


def alive(connection: Connection) -> list[str]:
    """The processes of any account that gave a sign of life lately."""
    recent = owners.c.heartbeat_ms >= now_ms() - OWNER_TIMEOUT_MS
    return list(connection.execute(select(owners.c.instance).where(recent)).scalars())
