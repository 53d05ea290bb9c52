"""The file of a SQLite store: private, in WAL mode, opened by a version that does not corrupt it.

All SQLite goes through ``pysqlite3``, which carries a version without the WAL-reset bug of 3.51.2 and older.
"""

from __future__ import annotations

import contextlib
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy import exc as sa_exc
from sqlalchemy.pool import NullPool

from store.errors import StoreError, StoreMisconfigured, translate

# The WAL-reset race was mended here; older versions can corrupt a database with several connections.
MINIMUM_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 10_000
# SQLite's page caches, negative for KiB. Its default of 2 MB holds not even the indexes of a large past.
CACHE = -8_000
# Moving the log's pages into the file takes milliseconds, and whoever commits would wait for it. The writer
# does it while it rests; only a log of 32 MB makes a commit do it.
MOST_WAL_PAGES = 8_000
_SQLITE_BUSY = 5


def check_sqlite_version(*, allow_old: bool) -> None:
    """Refuse a SQLite with the WAL-reset bug unless a setting says otherwise."""
    found = tuple(int(part) for part in pysqlite3.sqlite_version.split("."))
    if found < MINIMUM_SQLITE and not allow_old:
        wanted = ".".join(map(str, MINIMUM_SQLITE))
        raise StoreMisconfigured(
            f"SQLite {pysqlite3.sqlite_version} can corrupt a database (WAL reset); install pysqlite3 with "
            f"{wanted} or newer (pip install -r requirements.txt), "
            "or set ALLOW_OLD_SQLITE=true at your own risk"
        )


def sqlite_engine(path: Path) -> Engine:
    """An engine over the file whose transactions are ours alone (the driver begins none by itself)."""
    engine = create_engine(
        # Not a text: a folder's name may contain what means something else in an address.
        URL.create("sqlite", database=str(path)),
        module=pysqlite3,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        # One connection may be opened in one thread and closed in another; never used by two at once.
        connect_args={
            "check_same_thread": False,
            "timeout": BUSY_TIMEOUT_MS / 1000,
            "cached_statements": 512,
        },
    )
    event.listen(engine, "connect", _prepare_connection)
    return engine


def _prepare_connection(dbapi_connection: Any, _record: Any) -> None:
    cursor = dbapi_connection.cursor()
    _switch_to_wal(cursor)
    # FULL: a committed message survives a power cut. secure_delete: what was deleted leaves no bytes.
    for pragma in (
        *("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"),
        *(f"cache_size={CACHE}", f"wal_autocheckpoint={MOST_WAL_PAGES}"),
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Processes that create the file together must wait here themselves: SQLite's time-out does not."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except pysqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != _SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise StoreMisconfigured(
                "SQLite cannot use WAL there; set STATE_DIR to a folder on a disk of this computer"
            )
        return


def store_error(exc: sa_exc.SQLAlchemyError | pysqlite3.Error) -> StoreError:
    """The store's own error, also for what the driver raised without SQLAlchemy in between."""
    if not isinstance(exc, sa_exc.SQLAlchemyError):
        exc = sa_exc.DBAPIError.instance("transaction", None, exc, pysqlite3.Error)
    return translate(exc)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """What the driver or SQLAlchemy raises in the block becomes the store's own error."""
    try:
        yield
    except (sa_exc.SQLAlchemyError, pysqlite3.Error) as exc:
        raise store_error(exc) from exc


def make_private(path: Path) -> None:
    """See to the folder and to a file that nobody else can read, before the first byte is in it.

    SQLite gives its -wal and -shm files the mode of the database file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
        for file in (path, *path.parent.glob(f"{path.name}-*")):
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & 0o077:
                file.chmod(mode & 0o700)
    except OSError as exc:
        raise StoreMisconfigured(
            f"cannot use {exc.filename}: {exc.strerror}; set STATE_DIR to a folder that the bot may write to"
        ) from exc
