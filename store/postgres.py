"""PostgreSQL (psycopg 3) behind the store's doors: a small pool of connection threads.

Write transactions are SERIALIZABLE and repeated on conflict, so that code which is right on SQLite's
single writer is right here too. The bridge's callback has a connection kept for it: it never waits for
the pool. Every connection is tried before it is used, so a restart of the server costs no message.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy import exc as sa_exc

from store.doors import Job
from store.errors import StoreBusy, StoreMisconfigured, StoreUnavailable, translate
from store.migrations import upgrade

T = TypeVar("T")

POOL_SIZE = 6
# Conflicts are repeated until this has passed; then the caller is told to try again later.
CONFLICT_DEADLINE_S = 30.0
CONNECT_TIMEOUT_S = 5
SILENCE_TIMEOUT_S = 20


class PostgresStore:
    """The doors over one PostgreSQL database. See ``store.doors.Store``."""

    dialect = "postgresql"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="store")
        self._recording = threading.Lock()
        self._accepting = True

    @classmethod
    async def open(cls, url: str) -> PostgresStore:
        """Connect and bring the schema up to date; raises ``StoreMisconfigured`` or ``StoreUnavailable``."""
        engine = postgres_engine(url)
        try:
            await asyncio.to_thread(_upgrade, engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    async def write(self, fn: Job[T]) -> T:
        return await self._in_thread(partial(self._write, fn))

    async def read(self, fn: Job[T], *, slow: bool = False) -> T:
        return await self._in_thread(partial(self._read, fn))

    def record(self, fn: Job[T], *, timeout_s: float = 5.0) -> T:
        deadline = time.monotonic() + timeout_s
        if not self._recording.acquire(timeout=timeout_s):
            raise StoreUnavailable(f"the database did not commit within {timeout_s:.0f} s")
        try:
            if not self._accepting:
                raise StoreUnavailable("the store is closed")
            with connected(self._engine) as connection:
                return repeat_on_conflict(connection, _bounded(fn, deadline), deadline)
        finally:
            self._recording.release()

    async def close(self) -> None:
        self._accepting = False
        await asyncio.to_thread(self._drain)
        self._engine.dispose()

    def _drain(self) -> None:
        self._threads.shutdown()
        # Whoever is recording finishes; whoever comes next sees that the store is closed.
        self._recording.acquire()
        self._recording.release()

    async def _in_thread(self, call: partial[T]) -> T:
        if not self._accepting:
            raise StoreUnavailable("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _write(self, fn: Job[T]) -> T:
        with connected(self._engine) as connection:
            return repeat_on_conflict(connection, fn, time.monotonic() + CONFLICT_DEADLINE_S)

    def _read(self, fn: Job[T]) -> T:
        try:
            with connected(self._engine) as connection:
                reading = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                with reading.begin():
                    return fn(reading)
        except sa_exc.SQLAlchemyError as exc:
            raise translate(exc) from exc


def postgres_engine(url: str) -> Engine:
    """An engine with SERIALIZABLE transactions over ``postgresql://user:password@host/database``."""
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator:
        raise StoreMisconfigured("DATABASE_URL must start with postgresql://")
    try:
        address = make_url(f"postgresql+psycopg://{rest}")
    except (sa_exc.ArgumentError, ValueError):
        # Without the cause: its text may hold the password.
        raise StoreMisconfigured(
            "DATABASE_URL is no address; write postgresql://user:password@host:5432/database"
        ) from None
    return create_engine(
        address,
        isolation_level="SERIALIZABLE",
        # One for each thread, and one for ``record``.
        pool_size=POOL_SIZE + 1,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            # A server that vanished without a word (cable, firewall) is noticed in seconds, not hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": SILENCE_TIMEOUT_S * 1000,
        },
    )


def _bounded(fn: Job[T], deadline: float) -> Job[T]:
    """``fn`` whose statements give up at the deadline."""

    def run(connection: Connection) -> T:
        left_ms = max(1, int((deadline - time.monotonic()) * 1000))
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {left_ms}")
        return fn(connection)

    return run


def repeat_on_conflict(connection: Connection, fn: Job[T], deadline: float) -> T:
    """``fn`` in a transaction, again with jitter while another transaction wins, until the deadline."""
    pause_s = 0.002
    while True:
        try:
            with connection.begin():
                return fn(connection)
        except sa_exc.SQLAlchemyError as exc:
            error = translate(exc)
            if not isinstance(error, StoreBusy) or time.monotonic() >= deadline:
                raise error from exc
        time.sleep(random.uniform(0, pause_s))
        pause_s = min(pause_s * 2, 0.1)


def connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except sa_exc.SQLAlchemyError as exc:
        raise translate(exc) from exc


def _upgrade(engine: Engine) -> None:
    try:
        with connected(engine) as connection:
            upgrade(connection)
    except sa_exc.SQLAlchemyError as exc:
        raise translate(exc) from exc
