"""How far the Weaviate index has followed the log, in SQL: one row that processes share.

It stands beside the data that it is about, so a restored database brings its own cursor back. Only one
process at a time writes into the index: two of them could bring back what the other has just deleted.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from store import meta
from store.schema import meta as meta_rows
from store.schema import now_ms

_KEY = "weaviate:"
_INSTALLATION = "installation"
LEASE_MS = 30_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where the index ``index`` stands."""

    index: str
    cursor: int = 0  # the change log is contained up to here
    generation: int = 0  # the knowledge generation that is contained whole; 0 before the first
    rebuilding: bool = False  # a rebuild by command was begun and is not verified yet
    holder: str = ""  # who may write
    until_ms: int = 0  # until when, in database time


class LeaseLost(Exception):
    """Another process writes into the index now; whoever sees this stops."""


def read(connection: Connection, prefix: str) -> Standing | None:
    """The standing; None before the first fill."""
    found = meta.get(connection, _KEY + prefix)
    return None if found is None else Standing(**json.loads(found))


def take(connection: Connection, prefix: str, holder: str, *, by_force: bool = False) -> Standing | None:
    """The right to write for the next 30 s, with the standing; None when somebody else has it.

    ``by_force`` takes it from whoever has it: he finds out when he saves.
    """
    now = connection.execute(select(now_ms())).scalar_one()
    found = read(connection, prefix) or Standing(index="")
    if found.holder not in ("", holder) and found.until_ms > now and not by_force:
        return None
    taken = dataclasses.replace(found, holder=holder, until_ms=now + LEASE_MS)
    _put(connection, prefix, taken)
    return taken


def save(connection: Connection, prefix: str, holder: str, standing: Standing) -> Standing:
    """Write the standing down and keep the right to write; raises ``LeaseLost`` when it was lost."""
    now = connection.execute(select(now_ms())).scalar_one()
    found = read(connection, prefix)
    if found is None or found.holder != holder:
        raise LeaseLost
    saved = dataclasses.replace(standing, holder=holder, until_ms=now + LEASE_MS)
    _put(connection, prefix, saved)
    return saved


def release(connection: Connection, prefix: str, holder: str) -> None:
    """Let others write, when it is ours to let."""
    found = read(connection, prefix)
    if found is not None and found.holder == holder:
        _put(connection, prefix, dataclasses.replace(found, holder="", until_ms=0))


def forget_all(connection: Connection) -> None:
    """The indexes are of another past than this database (it was restored): they are to be filled anew."""
    connection.execute(delete(meta_rows).where(meta_rows.c.key.startswith(_KEY, autoescape=True)))


def installation(connection: Connection) -> str | None:
    """What tells this database from others; None before it was named."""
    return meta.get(connection, _INSTALLATION)


def name_installation(connection: Connection) -> str:
    """What tells this database from others, named now if it was not."""
    found = installation(connection)
    if found is None:
        found = secrets.token_hex(8)
        meta.put(connection, _INSTALLATION, found)
    return found


def new_index() -> str:
    """A name for a new index."""
    return secrets.token_hex(8)


def _put(connection: Connection, prefix: str, standing: Standing) -> None:
    meta.put(connection, _KEY + prefix, json.dumps(dataclasses.asdict(standing)))
