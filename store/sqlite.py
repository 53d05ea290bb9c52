"""SQLite behind the store's doors: one writer thread that commits in groups, reads inline on the loop.

Why so (measured, see the README): SQLAlchemy's default SQLite transactions silently lose updates, so
every write transaction is ``BEGIN IMMEDIATE``; one fsync serves every job that waited for it; a thread
hop costs more than an indexed read. All SQLite goes through ``pysqlite3``, which carries a version
without the WAL-reset bug of 3.51.2 and older.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar, cast

import pysqlite3
from sqlalchemy import Connection, Engine
from sqlalchemy import exc as sa_exc

from store.doors import Job
from store.errors import StoreUnavailable
from store.migrations import upgrade
from store.prepared import driver_of
from store.sqlite_file import check_sqlite_version, make_private, sqlite_engine, store_error, translated
from store.sqlite_writer import GroupWriter, Promise

T = TypeVar("T")

# SQLite's page cache of a connection for one read, negative for KiB.
ONE_READ_CACHE = -500


class SqliteStore:
    """The doors over one SQLite file. See ``store.doors.Store``."""

    dialect = "sqlite"

    def __init__(self, engine: Engine, reading: Connection) -> None:
        self._engine = engine
        self._reading = reading
        self._writer = GroupWriter(engine)

    @classmethod
    async def open(cls, path: Path, *, allow_old_sqlite: bool = False) -> SqliteStore:
        """Open (or create) the database file; raises ``StoreMisconfigured`` with what to do."""
        check_sqlite_version(allow_old=allow_old_sqlite)
        make_private(path)
        engine = sqlite_engine(path)
        with translated():
            with engine.connect() as connection:
                upgrade(connection)
            reading = _connect_for_reading(engine)
        return cls(engine, reading)

    async def write(self, fn: Job[T]) -> T:
        promise = Promise(asyncio.get_running_loop())
        self._writer.submit(fn, promise)
        return cast("T", await promise.waiter)

    async def read(self, fn: Job[T], *, slow: bool = False) -> T:
        if not self._writer.accepting:
            raise StoreUnavailable("the store is closed")
        if slow:
            return await asyncio.to_thread(self._read_on_own_connection, fn)
        return _read_snapshot(self._reading, fn)

    def record(self, fn: Job[T], *, timeout_s: float = 5.0) -> T:
        done: Future[Any] = Future()
        self._writer.submit(fn, done)
        try:
            return cast("T", done.result(timeout_s))
        except TimeoutError as exc:
            # A job that the writer has not begun is withdrawn; one that it is working on may still land.
            done.cancel()
            raise StoreUnavailable(f"the database did not commit within {timeout_s:.0f} s") from exc

    async def close(self) -> None:
        await self._writer.close()
        self._reading.close()
        self._engine.dispose()

    def _read_on_own_connection(self, fn: Job[T]) -> T:
        with translated(), _connect_for_reading(self._engine) as connection:
            # It is closed after this one read; a large cache would only be 8 MB more for a moment.
            connection.exec_driver_sql(f"PRAGMA cache_size={ONE_READ_CACHE}")
            return _read_snapshot(connection, fn)


def _connect_for_reading(engine: Engine) -> Connection:
    connection = engine.connect()
    connection.exec_driver_sql("PRAGMA query_only=ON")
    return connection


def _read_snapshot(connection: Connection, fn: Job[T]) -> T:
    """The job's result; all its statements see the same committed state."""
    driver = driver_of(connection)
    try:
        driver.execute("BEGIN")
        try:
            return fn(connection)
        finally:
            driver.execute("COMMIT")
    except (sa_exc.SQLAlchemyError, pysqlite3.Error) as exc:
        raise store_error(exc) from exc
