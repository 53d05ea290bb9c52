"""SQLite behind the store's doors: one writer thread that commits in groups, reads inline on the loop.

Why so (measured, see the README): SQLAlchemy's default SQLite transactions silently lose updates, so
every write transaction is ``BEGIN IMMEDIATE``; one fsync serves every job that waited for it; a thread
hop costs more than an indexed read. All SQLite goes through ``pysqlite3``, which carries a version
without the WAL-reset bug of 3.51.2 and older.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import pysqlite3
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy import exc as sa_exc
from sqlalchemy.pool import NullPool

from store.doors import Job
from store.errors import StoreError, StoreMisconfigured, StoreUnavailable, translate
from store.migrations import upgrade
from store.prepared import driver_of

T = TypeVar("T")

# The WAL-reset race was mended here; older versions can corrupt a database with several connections.
MINIMUM_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 10_000
# A group larger than this would keep its first waiter waiting for the last one's statements.
MAX_GROUP = 64
# SQLite's page caches, negative for KiB. Its default of 2 MB holds not even the indexes of a large past.
CACHE = -8_000
ONE_READ_CACHE = -500
# Moving the log's pages into the file takes milliseconds, and whoever commits would wait for it. The writer
# does it while it rests; only a log of 32 MB makes a commit do it.
MOST_WAL_PAGES = 8_000
COMMITS_BEFORE_CHECKPOINT = 100
REST_BEFORE_CHECKPOINT_S = 0.5
_SQLITE_BUSY = 5


class _Promise:
    """What a caller on an event loop waits for: a ``Future`` to the writer, which settles a group at once.

    A future of ``concurrent.futures`` would wake the loop for each of its waiters.
    """

    __slots__ = ("_error", "_is_set", "_result", "loop", "waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiter: asyncio.Future[Any] = loop.create_future()
        self._is_set = False
        self._result: Any = None
        self._error: BaseException | None = None

    def set_running_or_notify_cancel(self) -> bool:
        """Whether somebody still waits."""
        return not self.waiter.cancelled()

    def done(self) -> bool:
        return self._is_set

    def set_result(self, result: Any) -> None:
        self._result, self._is_set = result, True

    def set_exception(self, error: BaseException | None) -> None:
        self._error, self._is_set = error, True

    def keep(self) -> None:
        """Give the waiter what was set; on the loop's thread."""
        if self.waiter.done():
            # He left while his job was running.
            return
        if self._error is None:
            self.waiter.set_result(self._result)
        else:
            self.waiter.set_exception(self._error)


@dataclass(slots=True)
class _Waiting:
    """A job that waits for the writer, and who waits for it."""

    fn: Job[Any]
    done: Future[Any] | _Promise


class SqliteStore:
    """The doors over one SQLite file. See ``store.doors.Store``."""

    dialect = "sqlite"

    def __init__(self, engine: Engine, reading: Connection) -> None:
        self._engine = engine
        self._reading = reading
        self._jobs: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._accepting = True
        # Nothing may be put behind the end mark: nobody would ever work or refuse it.
        self._entering = threading.Lock()
        self._writer = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._writer.start()

    @classmethod
    async def open(cls, path: Path, *, allow_old_sqlite: bool = False) -> SqliteStore:
        """Open (or create) the database file; raises ``StoreMisconfigured`` with what to do."""
        check_sqlite_version(allow_old=allow_old_sqlite)
        _make_private(path)
        engine = sqlite_engine(path)
        with _translated():
            with engine.connect() as connection:
                upgrade(connection)
            reading = _connect_for_reading(engine)
        return cls(engine, reading)

    async def write(self, fn: Job[T]) -> T:
        promise = _Promise(asyncio.get_running_loop())
        self._submit(fn, promise)
        return cast("T", await promise.waiter)

    async def read(self, fn: Job[T], *, slow: bool = False) -> T:
        if not self._accepting:
            raise StoreUnavailable("the store is closed")
        if slow:
            return await asyncio.to_thread(self._read_on_own_connection, fn)
        return _read_snapshot(self._reading, fn)

    def record(self, fn: Job[T], *, timeout_s: float = 5.0) -> T:
        done: Future[Any] = Future()
        self._submit(fn, done)
        try:
            return cast("T", done.result(timeout_s))
        except TimeoutError as exc:
            # A job that the writer has not begun is withdrawn; one that it is working on may still land.
            done.cancel()
            raise StoreUnavailable(f"the database did not commit within {timeout_s:.0f} s") from exc

    async def close(self) -> None:
        with self._entering:
            self._accepting = False
            self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reading.close()
        self._engine.dispose()

    def _submit(self, fn: Job[Any], done: Future[Any] | _Promise) -> None:
        with self._entering:
            if not self._accepting:
                raise StoreUnavailable("the store is closed")
            self._jobs.put(_Waiting(fn, done))

    def _read_on_own_connection(self, fn: Job[T]) -> T:
        with _translated(), _connect_for_reading(self._engine) as connection:
            # It is closed after this one read; a large cache would only be 8 MB more for a moment.
            connection.exec_driver_sql(f"PRAGMA cache_size={ONE_READ_CACHE}")
            return _read_snapshot(connection, fn)

    # The writer's side. Everything below runs in the one writer thread.

    def _write_forever(self) -> None:
        connection: Connection | None = None
        commits = 0  # since the log was last moved into the file
        while True:
            try:
                first = self._jobs.get(timeout=_rest_s(commits))
            except queue.Empty:
                _checkpoint(connection)
                commits = 0
                continue
            if first is None:
                break
            # From here on a waiter can no longer withdraw its job, so its outcome can always be set.
            group = [
                waiting
                for waiting in (first, *self._more(MAX_GROUP - 1))
                if waiting.done.set_running_or_notify_cancel()
            ]
            try:
                if connection is None or connection.closed:
                    connection = self._engine.connect()
                _commit_group(connection, group)
                commits += 1
            except BaseException as exc:  # noqa: BLE001 - the waiters get it; the writer must survive.
                _fail(group, exc)
                if connection is not None:
                    with contextlib.suppress(sa_exc.SQLAlchemyError):
                        connection.close()
                    connection = None
            _wake(group)
        if connection is not None:
            connection.close()

    def _more(self, most: int) -> Iterator[_Waiting]:
        for _ in range(most):
            try:
                waiting = self._jobs.get_nowait()
            except queue.Empty:
                return
            if waiting is None:
                # The end mark must be seen by the loop above after this group.
                self._jobs.put(None)
                return
            yield waiting


def _rest_s(commits: int) -> float | None:
    """How long nothing has to come before the log is moved; None: there is not enough to move."""
    return REST_BEFORE_CHECKPOINT_S if commits >= COMMITS_BEFORE_CHECKPOINT else None


def _checkpoint(connection: Connection | None) -> None:
    """Move the log's pages into the file, as far as readers allow; what stays is moved another time."""
    if connection is not None:
        # A disk that is full is told to whoever writes next.
        with contextlib.suppress(pysqlite3.Error):
            driver_of(connection).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _wake(group: list[_Waiting]) -> None:
    """Wake each loop once for all of its callers."""
    loops: dict[asyncio.AbstractEventLoop, list[_Promise]] = {}
    for waiting in group:
        if isinstance(waiting.done, _Promise):
            loops.setdefault(waiting.done.loop, []).append(waiting.done)
    for loop, promises in loops.items():
        # A loop that was closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_keep, promises)


def _keep(promises: list[_Promise]) -> None:
    for promise in promises:
        promise.keep()


class _JobFailed(Exception):
    """A job of a group raised; its error is the cause."""


def _commit_group(connection: Connection, group: list[_Waiting]) -> None:
    """Run the jobs in one transaction and wake the waiters after the commit; a failing job fails alone.

    When one fails, all are undone and each runs again in a transaction of its own: jobs are repeatable, and
    hardly one in a thousand fails, while a savepoint around each would cost every one of them.
    """
    try:
        results = _run_in_transaction(connection, group)
    except _JobFailed as failed:
        if len(group) > 1:
            for waiting in group:
                _commit_group(connection, [waiting])
        else:
            _fail(group, failed.__cause__ or failed)
    else:
        for waiting, result in zip(group, results, strict=True):
            waiting.done.set_result(result)


def _run_in_transaction(connection: Connection, group: list[_Waiting]) -> list[Any]:
    driver = driver_of(connection)
    driver.execute("BEGIN IMMEDIATE")
    try:
        results = [_run(connection, waiting.fn) for waiting in group]
        driver.execute("COMMIT")
    except BaseException:
        # Already undone when SQLite did so by itself, as it does on a full disk.
        with contextlib.suppress(pysqlite3.Error):
            driver.execute("ROLLBACK")
        raise
    return results


def _run(connection: Connection, fn: Job[Any]) -> Any:
    try:
        return fn(connection)
    except Exception as exc:
        raise _JobFailed from exc


def _fail(group: list[_Waiting], exc: BaseException) -> None:
    error: BaseException = exc
    if isinstance(exc, sa_exc.SQLAlchemyError | pysqlite3.Error):
        error = _store_error(exc)
        error.__cause__ = exc
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(error)


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
        raise _store_error(exc) from exc


def _store_error(exc: sa_exc.SQLAlchemyError | pysqlite3.Error) -> StoreError:
    """The store's own error, also for what the driver raised without SQLAlchemy in between."""
    if not isinstance(exc, sa_exc.SQLAlchemyError):
        exc = sa_exc.DBAPIError.instance("transaction", None, exc, pysqlite3.Error)
    return translate(exc)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa_exc.SQLAlchemyError, pysqlite3.Error) as exc:
        raise _store_error(exc) from exc


def _make_private(path: Path) -> None:
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
