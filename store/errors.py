"""Errors of the store, translated once from SQLAlchemy and the database drivers.

StoreError
├── StoreUnavailable     retry later: locked, disk full, read-only, connection lost
│   ├── StoreBusy        another process holds the write lock too long
│   └── NoRoom           a backup would leave too little room on its disk
├── StoreMisconfigured   a person must act: newer schema, old SQLite, wrong address
│   └── StoreDamaged     the file is damaged, or no database at all
└── ClaimLost            give up: the row is no longer ours (taken back, or its customer was deleted)
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import exc as sa_exc


class StoreError(Exception):
    """Something is wrong with the database; the subclass says what the caller should do."""


class StoreUnavailable(StoreError):
    """The database cannot take this now; the same call may work later and nothing was written."""


class StoreBusy(StoreUnavailable):
    """Another process held the write lock for longer than the busy time-out."""


class NoRoom(StoreUnavailable):
    """A backup would leave less room on its disk than must stay free; the figures are in megabytes."""

    def __init__(self, folder: Path, *, free_mb: int, needed_mb: int) -> None:
        super().__init__(f"{free_mb} MB are free at {folder}, a backup needs {needed_mb}")
        self.free_mb, self.needed_mb = free_mb, needed_mb


class StoreMisconfigured(StoreError):
    """The database cannot be used until a person changes something; the text says what."""


class StoreDamaged(StoreMisconfigured):
    """The file is damaged, or no database at all: nothing that it held can be relied on."""


class ClaimLost(StoreError):
    """The claimed row is no longer ours, so the work on it must not be committed."""


# SQLite reports these primary result codes in ``sqlite_errorcode & 0xff`` (sqlite.org/rescode.html).
_SQLITE_TEXTS: dict[int, tuple[type[StoreError], str]] = {
    5: (StoreBusy, "the database is locked by another process; stop the other one or wait"),
    6: (StoreBusy, "a table of the database is locked; try again"),
    8: (StoreUnavailable, "the database is read-only; give the bot's user write access to its folder"),
    10: (StoreUnavailable, "the disk reported an error; look at the system's log and free space"),
    11: (StoreDamaged, "the database file is damaged; restore the last backup"),
    13: (StoreUnavailable, "the disk is full; free some space, the bot goes on by itself"),
    14: (
        StoreMisconfigured,
        "the database file cannot be opened; check that its folder exists and is writable",
    ),
    26: (StoreDamaged, "the file is not a database; check STATE_DIR or restore a backup"),
}

# What PostgreSQL says when it is there but the address is wrong; anything else may pass by itself.
_CONNECTION_REFUSED = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "permission denied for database",
    '" does not exist',  # role "…" or database "…"
)


def translate(error: sa_exc.SQLAlchemyError) -> StoreError:
    """The store's own error for a driver's error; raise it ``from`` the original."""
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int) and (code & 0xFF) in _SQLITE_TEXTS:
        kind, text = _SQLITE_TEXTS[code & 0xFF]
        return kind(text)
    sqlstate = getattr(original, "sqlstate", None)
    if isinstance(sqlstate, str):
        return _from_sqlstate(sqlstate, original)
    if isinstance(error, sa_exc.OperationalError | sa_exc.InterfaceError | sa_exc.TimeoutError):
        # psycopg knows no state before a connection is established, only the server's words.
        if any(words in str(original) for words in _CONNECTION_REFUSED):
            return StoreMisconfigured(f"PostgreSQL refuses the connection; check DATABASE_URL: {original}")
        return StoreUnavailable(f"the database cannot be reached: {original or error}")
    return StoreError(f"the database refused a statement: {original or error}")


def _from_sqlstate(sqlstate: str, original: object) -> StoreError:
    """Map a PostgreSQL SQLSTATE (appendix A of its manual) to what the caller should do."""
    if sqlstate in {"40001", "40P01", "55P03"}:
        return StoreBusy("another transaction kept winning; try again")
    if sqlstate == "42501":
        return StoreMisconfigured(f"PostgreSQL lacks a permission; grant it to the bot's role: {original}")
    if sqlstate in {"28P01", "28000", "3D000"}:
        return StoreMisconfigured(f"PostgreSQL refuses the connection; check DATABASE_URL: {original}")
    if sqlstate[:2] in {"08", "53", "57", "58"} or sqlstate == "25006":
        return StoreUnavailable(f"PostgreSQL cannot take this now: {original}")
    return StoreError(f"PostgreSQL refused a statement: {original}")
