"""The one thread that writes a SQLite file: it commits the jobs of all callers in groups.

One fsync serves every job that waited for it, and no two write transactions ever meet within a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pysqlite3
from sqlalchemy import Connection, Engine
from sqlalchemy import exc as sa_exc

from store.doors import Job
from store.errors import StoreUnavailable
from store.prepared import driver_of
from store.sqlite_file import store_error

# A group larger than this would keep its first waiter waiting for the last one's statements.
MAX_GROUP = 64
COMMITS_BEFORE_CHECKPOINT = 100
REST_BEFORE_CHECKPOINT_S = 0.5


class Promise:
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
    done: Future[Any] | Promise


class GroupWriter:
    """Works jobs in the order of their arrival, until it is closed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self.accepting = True
        # Nothing may be put behind the end mark: nobody would ever work or refuse it.
        self._entering = threading.Lock()
        self._thread = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, fn: Job[Any], done: Future[Any] | Promise) -> None:
        """Hand a job in; ``done`` gets what became of it. ``StoreUnavailable`` once the writer is closed."""
        with self._entering:
            if not self.accepting:
                raise StoreUnavailable("the store is closed")
            self._jobs.put(_Waiting(fn, done))

    async def close(self) -> None:
        """Take nothing more in from now on, and return when what was accepted is committed."""
        with self._entering:
            self.accepting = False
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    # Everything below runs in the one writer thread.

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
    loops: dict[asyncio.AbstractEventLoop, list[Promise]] = {}
    for waiting in group:
        if isinstance(waiting.done, Promise):
            loops.setdefault(waiting.done.loop, []).append(waiting.done)
    for loop, promises in loops.items():
        # A loop that was closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_keep, promises)


def _keep(promises: list[Promise]) -> None:
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
        error = store_error(exc)
        error.__cause__ = exc
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(error)
