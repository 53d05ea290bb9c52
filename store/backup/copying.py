"""Backups of the SQL state, in one file that fits both databases, and a restore that undoes no deletion.

A backup is a SQLite file with every table, copied from one snapshot while the bot runs. Restoring puts its
rows in place of what is there, in SQLite or PostgreSQL alike. What was deleted since the backup stays
deleted, as far as it is known: from the database that is replaced and from newer backups beside the file.
Memories are no part of a backup: they are built from what was restored.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, insert, select, text

from config.settings import Settings
from store.backup import folder as folders
from store.backup import past as pasts
from store.backup.past import Past
from store.doors import Store
from store.errors import StoreDamaged, StoreError, StoreMisconfigured
from store.memory.weaviate import standing
from store.opening import open_store
from store.sqlite import SqliteStore
from store.sqlite_file import sqlite_engine, translated

_AT_ONCE = 500
_RESTORING = "restore-"
# A database and its helpers while it is in use, or after a crash.
_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore did."""

    rows: int
    forgotten_customers: int
    forgotten_turns: int
    is_past_known: bool  # False: what was deleted after the newest backup may be back
    kept: Path | None  # the database that was there before, moved aside


async def make(settings: Settings, target: Path, *, spare: Sequence[Path] = ()) -> int:
    """Write a backup; the number of rows. The bot may run meanwhile.

    Raises ``NoRoom`` when the disk would have less than ``DISK_FREE_MB`` left, also without the older backups
    ``spare``, of which as many as needed go, the first one first.
    """
    store = await open_store(settings)
    try:
        await store.write(standing.name_installation)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        needed = await store.read(_size, slow=True) + settings.operation.disk_free_mb * folders.MB
        await asyncio.to_thread(folders.make_room, target.parent, needed, spare=spare)
        return await _make(store, target)
    finally:
        await store.close()


async def _make(store: Store, target: Path) -> int:
    with tempfile.TemporaryDirectory(prefix=folders.UNFINISHED, dir=target.parent) as folder:
        file = Path(folder) / "balas.db"
        await (await SqliteStore.open(file)).close()
        rows = await store.read(lambda connection: _copy_into(connection, file), slow=True)
        os.chmod(file, 0o600)
        # In place at once or not at all; a half-written backup is none.
        file.rename(target)
    return rows


def _size(connection: Connection) -> int:
    """About what a copy takes, in bytes."""
    if connection.dialect.name != "sqlite":
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages, unused, page_bytes = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - unused) * page_bytes


async def restore(settings: Settings, source: Path) -> Restored:
    """Put the backup in place of the database. Nothing else may use it meanwhile.

    Raises ``StoreMisconfigured`` when the file is no backup or of another shop's database, ``AlreadyOwned``
    or ``StoreBusy`` when the database is in use after all.
    """
    if not source.is_file():
        raise StoreMisconfigured(f"there is no backup {source}")
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    folders.remove_unfinished(settings.state_dir, _RESTORING)
    # A copy, which may be brought up to the newest schema and changed.
    with tempfile.TemporaryDirectory(prefix=_RESTORING, dir=settings.state_dir) as folder:
        file = Path(folder) / "balas.db"
        copy = await _open_copy(source, file)
        try:
            past = await _what_is_gone(settings, source, await copy.read(standing.installation))
            turns, people = await copy.write(lambda connection: pasts.forget(connection, past))
            rows = await copy.read(_count, slow=True)
        finally:
            await copy.close()
        await asyncio.to_thread(_finish_file, file)
        kept = await _put_in_place(settings, file, past)
    return Restored(
        rows=rows,
        forgotten_customers=people,
        forgotten_turns=turns,
        is_past_known=past.is_whole,
        kept=kept,
    )


async def _open_copy(source: Path, file: Path) -> SqliteStore:
    # A database that was copied by hand may have its newest rows in the log.
    for helper in ("", "-wal"):
        if (part := source.with_name(source.name + helper)).exists():
            await asyncio.to_thread(shutil.copyfile, part, file.with_name(file.name + helper))
    try:
        copy = await SqliteStore.open(file)
        try:
            if (found := await copy.read(_check, slow=True)) != "ok":
                raise StoreDamaged(found)
        except BaseException:
            await copy.close()
            raise
    except StoreDamaged as exc:
        raise StoreDamaged(f"{source} is damaged or no backup; choose another one") from exc
    return copy


def _check(connection: Connection) -> str:
    return str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())


async def _what_is_gone(settings: Settings, source: Path, installation: str | None) -> Past:
    past = Past()
    if settings.store.database_url is not None:
        store = await open_store(settings)
        try:
            await store.read(lambda c: past.learn_from_replaced(c, installation), slow=True)
        finally:
            await store.close()
    elif settings.sqlite_path.exists():
        # As it is, also when it is of a newer Balas than this one. A damaged one is what backups are for.
        with contextlib.suppress(StoreDamaged), translated(), _connected(settings.sqlite_path) as connection:
            past.learn_from_replaced(connection, installation)
    for file in sorted(source.parent.glob("*.db")):
        if file.stat().st_mtime > source.stat().st_mtime:
            await asyncio.to_thread(_learn_from_file, past, file, installation)
    return past


def _learn_from_file(past: Past, file: Path, installation: str | None) -> None:
    """A newer backup beside the one that is restored; anything else that lies there is passed over."""
    with contextlib.suppress(StoreError), translated(), _connected(file) as connection:
        if standing.installation(connection) == installation:
            past.learn(connection)


async def _put_in_place(settings: Settings, file: Path, past: Past) -> Path | None:
    if settings.store.database_url is None:
        return await asyncio.to_thread(_replace_file, settings.sqlite_path, file)
    store = await open_store(settings)
    try:
        await store.write(lambda connection: _replace_rows(connection, file, past))
    finally:
        await store.close()
    return None


def _replace_file(target: Path, file: Path) -> Path | None:
    os.chmod(file, 0o600)
    there = target.exists()
    if there:
        # Fails while another process has it open. A damaged one stays as it is, its log beside it.
        with contextlib.suppress(StoreDamaged):
            _finish_file(target)
    kept = _kept_name(target)
    for helper in _FILES:
        # The new one must find no log of another.
        if (part := target.with_name(target.name + helper)).exists():
            part.rename(kept.with_name(kept.name + helper))
    file.rename(target)
    return kept if there else None


def _kept_name(target: Path) -> Path:
    """A name that is free: what an earlier restore kept may be the last of its kind."""
    for number in itertools.count(1):
        ending = "" if number == 1 else f"-{number}"
        kept = target.with_name(f"{target.stem}-before-restore{ending}{target.suffix}")
        if not kept.exists():
            return kept
    raise AssertionError("counting has no end")


def _replace_rows(connection: Connection, file: Path, past: Past) -> None:
    # Once more, within the transaction: a process on another machine may have been started meanwhile.
    pasts.refuse_while_used(connection)
    for table in reversed(pasts.TABLES):
        connection.execute(delete(table))
    with _connected(file) as source:
        _copy(source, connection, pasts.TABLES)
        numbers = pasts.numbers(source)
    pasts.raise_numbers(connection, {**past.numbers, **numbers})


def _copy_into(source: Connection, file: Path) -> int:
    with _connected(file) as target:
        # Straight into the file: all in one transaction, a log would need the same room again.
        target.exec_driver_sql("PRAGMA journal_mode=DELETE")
        target.exec_driver_sql("BEGIN IMMEDIATE")
        for table in reversed(pasts.TABLES):
            target.execute(delete(table))
        rows = _copy(source, target, pasts.TABLES)
        pasts.raise_numbers(target, pasts.numbers(source))
        target.exec_driver_sql("COMMIT")
    _finish_file(file)
    return rows


def _copy(source: Connection, target: Connection, tables: Iterable[Table]) -> int:
    rows = 0
    for table in tables:
        for portion in source.execute(select(table)).partitions(_AT_ONCE):
            target.execute(insert(table), [dict(row._mapping) for row in portion])
            rows += len(portion)
    return rows


def _finish_file(file: Path) -> None:
    """Everything in one file: the log is written back and its helpers vanish."""
    with translated(), _connected(file) as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")


@contextlib.contextmanager
def _connected(file: Path) -> Iterator[Connection]:
    engine = sqlite_engine(file)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _count(connection: Connection) -> int:
    counts = [select(func.count()).select_from(table) for table in pasts.TABLES]
    return sum(int(connection.execute(count).scalar_one()) for count in counts)
