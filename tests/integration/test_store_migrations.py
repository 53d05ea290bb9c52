"""The schema's migrations on both databases: complete, numbered, append-only, safe to run twice at once."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from store.errors import StoreMisconfigured
from store.migrations import FOLDER, known_revisions, upgrade
from store.postgres import PostgresStore, postgres_engine
from store.schema import metadata
from store.sqlite import SqliteStore
from store.sqlite_file import sqlite_engine
from tests.contract.store import all_keys, put
from tests.integration.processes import run_processes

VERSIONS = FOLDER / "versions"
LOCK = Path(__file__).with_name("migrations.lock")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: a path for SQLite."""
    name = {"sqlite": "sqlite_path", "postgresql": "empty_postgres_url"}[request.param]
    return str(request.getfixturevalue(name))


def _engine(address: str) -> Engine:
    if address.startswith("postgresql://"):
        return postgres_engine(address)
    Path(address).parent.mkdir(exist_ok=True)
    return sqlite_engine(Path(address))


async def _open(address: str) -> SqliteStore | PostgresStore:
    if address.startswith("postgresql://"):
        return await PostgresStore.open(address)
    return await SqliteStore.open(Path(address))


def _definitions(connection: Connection) -> set[tuple[str, ...]]:
    """Everything that the database itself says of its tables and indexes; Alembic compares less."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(
            text("SELECT tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        ).all()
        # In a table's text the order of its parts and the quoting are free, the parts are not.
        return {
            (table, name, *sorted(_parts(sql)))
            for table, name, sql in rows
            if table != "alembic_version" and not name.startswith("sqlite_")
        }
    indexes = connection.execute(
        text("SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    ).all()
    columns = connection.execute(
        text(
            "SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, '') "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        )
    ).all()
    keys = connection.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace"
        )
    ).all()
    found = {tuple(map(str, row)) for row in (*indexes, *columns, *keys)}
    return {row for row in found if row[0] != "alembic_version"}


def _parts(sql: str) -> list[str]:
    """The parts of a definition, wherever its lines break: an added column stands on the last one's line."""
    # What is in inner brackets belongs to its part: "UNIQUE (account, chat)".
    head, _, body = sql.partition("(")
    return [
        part.strip(' ()"\n\t') for part in (head, *re.split(r",(?![^(]*\))", body.rstrip().removesuffix(")")))
    ]


def test_migrating_from_empty_gives_the_schema_that_the_code_uses(empty: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    engine = _engine(empty)
    with engine.connect() as connection:
        upgrade(connection)
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_database_describes_both_schemas_in_the_same_words(empty: str) -> None:
    engine = _engine(empty)
    with engine.connect() as connection:
        upgrade(connection)
        migrated = _definitions(connection)
        connection.rollback()
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        from_code = _definitions(connection)
    engine.dispose()
    assert len(migrated) > 20
    assert migrated == from_code


def _upgrade_to(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_customers_of_an_older_version_stay_answered_or_are_judged_and_none_is_kept_who_asked_to_go(
    empty: str,
) -> None:
    engine = _engine(empty)
    with engine.begin() as connection:
        _upgrade_to(connection, "0009")
        insert = "INSERT INTO customers (id, account, created_ms, mode, silent_reason) VALUES "
        for row in (
            "(1, 'utama', 10, NULL, NULL)",  # the bot answered him
            "(2, 'utama', 20, NULL, NULL)",  # the owner wrote to him
            "(3, 'utama', 30, 'off', 'left_out')",
            "(4, 'utama', 40, NULL, NULL)",  # the phone told of his chat
        ):
            connection.execute(text(insert + row))
        turn = (
            "INSERT INTO turns (customer_id, asked, replied, author, search_text, created_ms) VALUES "
            "({}, 'cod?', '{}', '{}', '', 1)"
        )
        for found in ((1, "Bisa, Kak.", "bot"), (2, "Bu, aku telat.", "human"), (2, "", "none")):
            connection.execute(text(turn.format(*found)))
        connection.execute(text("INSERT INTO meta (key, value) VALUES ('erase:utama', '2 4 99')"))
        connection.execute(text("INSERT INTO meta (key, value) VALUES ('unerased:utama', '1')"))
    with engine.connect() as connection:
        upgrade(connection)
        found = connection.execute(text("SELECT id, judged_ms, erase_asked_ms FROM customers ORDER BY id"))
        rows = found.all()
        keys = all_keys(connection)
    engine.dispose()
    assert [row.judged_ms for row in rows] == [10, None, 30, None]
    assert [row.id for row in rows if row.erase_asked_ms is not None] == [2, 4]
    assert keys == {"unerased:utama"}


async def test_opening_again_changes_nothing(empty: str) -> None:
    store = await _open(empty)
    await store.write(put("n"))
    await store.close()
    store = await _open(empty)
    found = await store.read(all_keys)
    await store.close()
    assert found == {"n"}


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty: str) -> None:
    store = await _open(empty)
    await store.write(put("n"))
    await store.write(
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")).close()
    )
    await store.close()

    with pytest.raises(StoreMisconfigured, match=r"schema 9999, newer .* install the newer version again"):
        await _open(empty)

    engine = _engine(empty)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        connection.rollback()
        assert all_keys(connection) == {"n"}
    engine.dispose()


async def test_processes_that_open_an_empty_database_at_once_all_succeed(empty: str) -> None:
    assert run_processes("open_and_write", empty, count=3) == ["written"] * 3
    store = await _open(empty)
    found = await store.read(all_keys)
    await store.close()
    assert len(found) == 3


def test_a_migration_that_fails_leaves_nothing_behind(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    create_index = op.create_index

    def fails_late(name: str, *arguments: object, **options: object) -> None:
        create_index(name, *arguments, **options)
        if name == "ix_notices_message":
            raise RuntimeError("listrik padam")

    engine = _engine(empty)
    with monkeypatch.context() as patch, engine.connect() as connection:
        patch.setattr(op, "create_index", fails_late)
        with pytest.raises(RuntimeError, match="listrik padam"):
            upgrade(connection)
        assert _definitions(connection) == set()
        connection.rollback()
    with engine.connect() as connection:
        upgrade(connection)
        assert _definitions(connection) != set()
    engine.dispose()


def test_migrations_are_numbered_without_a_gap_and_each_follows_the_one_before() -> None:
    numbers = known_revisions()
    assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)]
    assert len(list(VERSIONS.glob("*.py"))) == len(numbers)
    follows = [None, *numbers]
    for number, before in zip(numbers, follows, strict=False):
        (path,) = VERSIONS.glob(f"{number}_*.py")
        source = path.read_text(encoding="utf-8")
        assert f'revision = "{number}"' in source
        assert f"down_revision = {_quoted(before)}" in source


def test_a_landed_migration_is_never_edited() -> None:
    locked = dict(reversed(line.split("  ", 1)) for line in LOCK.read_text(encoding="utf-8").splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VERSIONS.glob("*.py")}
    assert found == locked, (
        "A landed migration may not change: write a new one. For a new one, add its line: "
        f"(cd {VERSIONS} && sha256sum *.py) > {LOCK}"
    )


def _quoted(number: str | None) -> str:
    return "None" if number is None else f'"{number}"'
