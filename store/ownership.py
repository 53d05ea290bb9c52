"""Who owns an account: exactly one process, so that its lanes may live in memory.

SQLite: a lock on a file beside the database, released by the kernel however the process ends.
PostgreSQL: a session advisory lock on a connection of its own, released when that connection ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from config.settings import Settings
from store.errors import StoreMisconfigured

# The server may notice only now that the session of a crashed process is gone.
CRASHED_SESSION_S = 10.0

# Processes besides the bot, which show on their host that they run.
WEBHOOKS, WATCHER = "webhooks", "watch"
# No account's name begins with a dot.
_BACKUP = ".backup"


class AlreadyOwned(StoreMisconfigured):
    """Another process runs this account; starting a second one would answer customers twice."""


@contextlib.contextmanager
def owning(settings: Settings) -> Iterator[None]:
    """Hold the account for as long as the block runs; raises ``AlreadyOwned`` when another process does."""
    with _file_lock(settings.state_dir, settings.account):
        if settings.store.database_url is None:
            yield
        else:
            with _advisory_lock(settings.store.database_url, settings.account):
                yield


@contextlib.contextmanager
def alone_on_this_host(settings: Settings, process: str) -> Iterator[bool]:
    """Whether no other process of this kind runs for the account here; held for as long as the block runs.

    Several may run. Whoever is alone on a database of this host knows that claimed rows are nobody's.
    """
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(_file_lock(settings.state_dir, f"{settings.account}-{process}"))
            held = stack.pop_all()
    except AlreadyOwned:
        yield False
        return
    with held:
        yield settings.store.database_url is None


@contextlib.contextmanager
def all_stopped(settings: Settings) -> Iterator[None]:
    """Hold whatever shows a process on this ``STATE_DIR``; raises ``AlreadyOwned`` when one runs."""
    others = {path.stem for path in settings.state_dir.glob("*.lock")}
    others |= {f"{settings.account}-{process}" for process in (WEBHOOKS, WATCHER)}
    with owning(settings), contextlib.ExitStack() as stack:
        for name in sorted(others - {settings.account}):
            stack.enter_context(_file_lock(settings.state_dir, name))
        yield


@contextlib.contextmanager
def backing_up(settings: Settings) -> Iterator[None]:
    """Be the only one that makes backups of this ``STATE_DIR``; raises ``AlreadyOwned`` when another does."""
    with _file_lock(settings.state_dir, _BACKUP):
        yield


@contextlib.contextmanager
def _file_lock(state_dir: Path, account: str) -> Iterator[None]:
    path = state_dir / f"{account}.lock"
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise StoreMisconfigured(
            f"cannot write to {state_dir}: {exc.strerror}; "
            "set STATE_DIR to a folder that the bot may write to"
        ) from exc
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(handle)
        raise AlreadyOwned(
            f"another Balas already runs the account {account!r} in {state_dir}; stop that one first"
        ) from exc
    try:
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _advisory_lock(database_url: str, account: str) -> Iterator[None]:
    from store.postgres import connected, postgres_engine

    key = int.from_bytes(hashlib.sha256(f"balas:{account}".encode()).digest()[:8], "big", signed=True)
    engine = postgres_engine(database_url).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with connected(engine) as connection:
            deadline = time.monotonic() + CRASHED_SESSION_S
            while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
                if time.monotonic() < deadline:
                    time.sleep(0.5)
                    continue
                raise AlreadyOwned(
                    f"another Balas already runs the account {account!r} on this database; "
                    "stop that one first"
                )
            yield
    finally:
        engine.dispose()
