"""Backups of the SQL state, in one file that fits both databases, and a restore that undoes no deletion.

A backup is a SQLite file with every table, copied from one snapshot while the bot runs. Restoring puts its
rows in place of what is there, in SQLite or PostgreSQL alike. What was deleted since the backup stays
deleted, as far as it is known: from the database that is replaced and from newer backups beside the file.
Memories are no part of a backup: they are built from what was restored.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text
from sqlalchemy import exc as sa_exc

from config.settings import Settings
from store import changes, customers, schema
from store.doors import Store
from store.errors import StoreMisconfigured
from store.memory.weaviate import standing
from store.opening import open_store
from store.sqlite import SqliteStore
from store.sqlite_file import sqlite_engine

# Rows of running processes mean nothing in another life.
_NOT_COPIED = {"owners"}
_AT_ONCE = 500
_SEQUENCES = "sqlite_sequence"


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore did."""

    rows: int
    forgotten_customers: int
    forgotten_turns: int
    kept: Path | None  # the database that was there before, moved aside


@dataclass(kw_only=True, slots=True)
class _Past:
    """What another database of the same shop tells: what is gone for good, and which numbers are taken."""

    customers: set[int] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)

    def learn(self, connection: Connection) -> None:
        """Add what this database knows."""
        log = schema.changes
        gone = select(log.c.entity, log.c.ref).where(log.c.tombstone.is_(True))
        for entity, ref in connection.execute(gone):
            if entity == changes.CUSTOMER:
                self.customers.add(int(ref))
            elif entity == changes.TURN:
                self.turns.add(int(ref))
        for name, number in _numbers(connection).items():
            self.numbers[name] = max(number, self.numbers.get(name, 0))


async def make(settings: Settings, target: Path) -> int:
    """Write a backup; the number of rows. The bot may run meanwhile."""
    store = await open_store(settings)
    try:
        await store.write(standing.name_installation)
        return await _make(store, target)
    finally:
        await store.close()


async def _make(store: Store, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="backup-", dir=target.parent) as folder:
        file = Path(folder) / "balas.db"
        await (await SqliteStore.open(file)).close()
        rows = await store.read(lambda connection: _copy_into(connection, file), slow=True)
        os.chmod(file, 0o600)
        # In place at once or not at all; a half-written backup is none.
        file.rename(target)
    return rows


async def restore(settings: Settings, source: Path) -> Restored:
    """Put the backup in place of the database. Nothing else may use it meanwhile.

    Raises ``StoreMisconfigured`` when the file is no backup or of another shop's database.
    """
    if not source.is_file():
        raise StoreMisconfigured(f"there is no backup {source}")
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A copy, which may be brought up to the newest schema and changed.
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.state_dir) as folder:
        file = Path(folder) / "balas.db"
        await asyncio.to_thread(shutil.copyfile, source, file)
        copy = await SqliteStore.open(file)
        try:
            past = await _what_is_gone(settings, source, await copy.read(standing.installation))
            turns, people = await copy.write(lambda connection: _forget(connection, past))
            rows = await copy.read(_count, slow=True)
        finally:
            await copy.close()
        await asyncio.to_thread(_finish_file, file)
        kept = await _put_in_place(settings, file, past)
    return Restored(rows=rows, forgotten_customers=people, forgotten_turns=turns, kept=kept)


async def _what_is_gone(settings: Settings, source: Path, installation: str | None) -> _Past:
    past = _Past()
    if settings.store.database_url is not None or settings.sqlite_path.exists():
        store = await open_store(settings)
        try:
            other = await store.read(standing.installation)
            if other == installation or other is None:
                await store.read(past.learn, slow=True)
            elif await store.read(_count, slow=True):
                raise StoreMisconfigured(
                    "the backup is of another shop's database than the one it would replace; to restore it "
                    "nevertheless, name an empty STATE_DIR or DATABASE_URL"
                )
        finally:
            await store.close()
    for file in sorted(source.parent.glob("*.db")):
        if file.stat().st_mtime > source.stat().st_mtime:
            await asyncio.to_thread(_learn_from_file, past, file, installation)
    return past


def _learn_from_file(past: _Past, file: Path, installation: str | None) -> None:
    """A newer backup beside the one that is restored; anything else that lies there is passed over."""
    engine = _read_only(file)
    try:
        with engine.connect() as connection:
            if standing.installation(connection) == installation:
                past.learn(connection)
    except sa_exc.SQLAlchemyError:
        return
    finally:
        engine.dispose()


def _forget(connection: Connection, past: _Past) -> tuple[int, int]:
    """Delete again what was deleted since the backup; how many exchanges and customers."""
    people = sum(customers.forget(connection, customer_id) for customer_id in sorted(past.customers))
    turns = 0
    for turn_id in sorted(past.turns):
        table = schema.turns
        owner = connection.execute(select(table.c.customer_id).where(table.c.id == turn_id)).scalar()
        if owner is not None:
            connection.execute(delete(table).where(table.c.id == turn_id))
            changes.append(
                connection, entity=changes.TURN, ref=str(turn_id), customer_id=owner, tombstone=True
            )
            turns += 1
    # No number comes back: a later deletion of the lost past would hit somebody else.
    _raise_numbers(connection, past.numbers)
    # Whatever a server holds is of another past than this.
    standing.forget_all(connection)
    return turns, people


async def _put_in_place(settings: Settings, file: Path, past: _Past) -> Path | None:
    if settings.store.database_url is None:
        return await asyncio.to_thread(_replace_file, settings.sqlite_path, file)
    store = await open_store(settings)
    try:
        await store.write(lambda connection: _replace_rows(connection, file, past))
    finally:
        await store.close()
    return None


def _replace_file(target: Path, file: Path) -> Path | None:
    kept = None
    if target.exists():
        _finish_file(target)
        kept = target.with_name(f"{target.stem}-before-restore{target.suffix}")
        target.rename(kept)
    os.chmod(file, 0o600)
    file.rename(target)
    return kept


def _replace_rows(connection: Connection, file: Path, past: _Past) -> None:
    tables = _tables()
    for table in reversed(tables):
        connection.execute(delete(table))
    engine = _read_only(file)
    try:
        with engine.connect() as source:
            _copy(source, connection, tables)
            numbers = _numbers(source)
    finally:
        engine.dispose()
    _raise_numbers(connection, {**past.numbers, **numbers})


def _copy_into(source: Connection, file: Path) -> int:
    engine = sqlite_engine(file)
    try:
        with engine.connect() as target:
            target.exec_driver_sql("BEGIN IMMEDIATE")
            for table in reversed(_tables()):
                target.execute(delete(table))
            rows = _copy(source, target, _tables())
            _raise_numbers(target, _numbers(source))
            target.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()
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
    engine = sqlite_engine(file)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    finally:
        engine.dispose()


def _read_only(file: Path) -> Engine:
    return sqlite_engine(file).execution_options(isolation_level="AUTOCOMMIT")


def _tables() -> Sequence[Table]:
    """Every table that is copied, each behind those that it refers to."""
    return [table for table in schema.metadata.sorted_tables if table.name not in _NOT_COPIED]


def _count(connection: Connection) -> int:
    counts = [select(func.count()).select_from(table) for table in _tables()]
    return sum(int(connection.execute(count).scalar_one()) for count in counts)


def _numbered() -> dict[str, str]:
    """Tables whose numbers are handed out by the database, and the column that has them."""
    return {
        table.name: column.name
        for table in _tables()
        if (column := table.autoincrement_column) is not None
        and table.dialect_options["sqlite"]["autoincrement"]
    }


def _numbers(connection: Connection) -> dict[str, int]:
    """The highest number that each table ever handed out."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text(f"SELECT name, seq FROM {_SEQUENCES}"))
        return {name: int(number) for name, number in rows if name in _numbered()}
    found = {}
    for name, column in _numbered().items():
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:name, :column)"), {"name": name, "column": column}
        ).scalar_one()
        last, used = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
        found[name] = int(last) if used else 0
    return found


def _raise_numbers(connection: Connection, numbers: dict[str, int]) -> None:
    """Go on behind these numbers, and never back."""
    now = _numbers(connection)
    for name, column in _numbered().items():
        number = max(numbers.get(name, 0), now.get(name, 0))
        if number == 0:
            continue
        if connection.dialect.name == "sqlite":
            connection.execute(text(f"DELETE FROM {_SEQUENCES} WHERE name = :name"), {"name": name})
            connection.execute(
                text(f"INSERT INTO {_SEQUENCES} (name, seq) VALUES (:name, :number)"),
                {"name": name, "number": number},
            )
        else:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, :column), :number)"),
                {"name": name, "column": column, "number": number},
            )
