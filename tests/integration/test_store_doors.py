"""The store's contract on both databases, and what is particular to each."""

from __future__ import annotations

import asyncio
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import Connection, text

from store import meta, postgres, sqlite_writer
from store.doors import Store
from store.errors import StoreBusy, StoreError, StoreMisconfigured
from store.opening import open_store
from store.postgres import PostgresStore
from store.sqlite import SqliteStore
from tests.contract.store import WAIT_S, Gate, OpenAnother, StoreContract, all_keys, get, put, until
from tests.integration.processes import run_processes


@pytest.fixture
async def open_another(store: Store, request: pytest.FixtureRequest) -> AsyncIterator[OpenAnother]:
    """Opens further stores on the database of ``store``."""
    opened: list[Store] = []
    name = "sqlite_path" if store.dialect == "sqlite" else "postgres_url"
    address = request.getfixturevalue(name)

    async def another() -> Store:
        opened.append(
            await SqliteStore.open(address)
            if store.dialect == "sqlite"
            else await PostgresStore.open(address)
        )
        return opened[-1]

    yield another
    for one in opened:
        await one.close()


class TestStore(StoreContract):
    """Every test of the contract, once on SQLite and once on PostgreSQL."""


def test_two_processes_with_four_threads_each_lose_no_increment_on_sqlite(sqlite_path: Path) -> None:
    assert run_processes("increment", sqlite_path, count=2) == [1_000, 1_000]
    assert asyncio.run(_sum(SqliteStore.open(sqlite_path))) == "2000"


def test_two_processes_with_four_threads_each_lose_no_increment_on_postgresql(postgres_url: str) -> None:
    assert run_processes("increment", postgres_url, count=2) == [1_000, 1_000]
    assert asyncio.run(_sum(PostgresStore.open(postgres_url))) == "2000"


async def _sum(opening):
    store = await opening
    found = await store.read(get("jumlah"))
    await store.close()
    return found


class TestSqlite:
    """What only SQLite has: one writer, groups, pragmas, a file."""

    async def test_jobs_run_in_the_order_in_which_they_came(self, sqlite_store: SqliteStore) -> None:
        order: list[int] = []
        await asyncio.gather(
            *(sqlite_store.write(lambda connection, n=n: order.append(n)) for n in range(300))
        )
        assert order == list(range(300))

    async def test_jobs_that_wait_together_share_a_commit(self, sqlite_store: SqliteStore) -> None:
        gate = Gate()
        first = asyncio.create_task(sqlite_store.write(gate))
        await until(gate.entered)
        transactions: list[str] = []

        def note(connection: Connection) -> None:
            # The schema has no use for this number; it differs from one transaction to the next.
            meta.put(connection, "n", str(len(transactions)))
            transactions.append(meta.get(connection, "n") or "")

        waiting = [asyncio.create_task(sqlite_store.write(note)) for _ in range(10)]
        await asyncio.sleep(0)
        before = await sqlite_store.read(_data_version)
        gate.open()
        await asyncio.gather(first, *waiting)

        assert len(transactions) == 10
        # A reader's data_version counts other connections' commits that it came to see: two at most.
        assert await sqlite_store.read(_data_version) - before <= 2

    async def test_jobs_that_waited_with_a_failing_one_count_once_and_in_their_order(
        self, sqlite_store: SqliteStore
    ) -> None:
        gate = Gate()
        first = asyncio.create_task(sqlite_store.write(gate))
        await until(gate.entered)

        def follow(name: str) -> Callable[[Connection], None]:
            def job(connection: Connection) -> None:
                meta.put(connection, "urutan", f"{meta.get(connection, 'urutan') or ''}{name}")
                if name == "c":
                    raise ValueError("keliru")

            return job

        group = [asyncio.create_task(sqlite_store.write(follow(name))) for name in "abcde"]
        await asyncio.sleep(0)
        gate.open()

        results = await asyncio.gather(first, *group, return_exceptions=True)

        assert [type(result) for result in results] == [type(None)] * 3 + [ValueError] + [type(None)] * 2
        assert await sqlite_store.read(get("urutan")) == "abde"

    async def test_a_failed_commit_fails_everyone_who_waited_for_it(self, sqlite_store: SqliteStore) -> None:
        gate = Gate()
        first = asyncio.create_task(sqlite_store.write(gate))
        await until(gate.entered)
        group = [
            asyncio.create_task(sqlite_store.write(job))
            for job in (put("satu"), _break_the_commit, put("dua"))
        ]
        await asyncio.sleep(0)
        gate.open()

        results = await asyncio.gather(first, *group, return_exceptions=True)

        assert results[0] is None
        assert [type(result) for result in results[1:]] == [StoreError] * 3
        assert await sqlite_store.read(all_keys) == set()
        await sqlite_store.write(put("sesudah"))
        assert await sqlite_store.read(all_keys) == {"sesudah"}

    @pytest.mark.parametrize(
        ("pragma", "wanted"),
        [
            ("journal_mode", "wal"),
            # FULL: a committed message survives a power cut.
            ("synchronous", 2),
            ("secure_delete", 1),
            ("foreign_keys", 1),
        ],
    )
    async def test_every_connection_is_prepared(
        self, sqlite_store: SqliteStore, pragma: str, wanted: object
    ) -> None:
        def ask(connection: Connection) -> object:
            return connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()

        assert await sqlite_store.write(ask) == wanted
        assert await sqlite_store.read(ask) == wanted
        assert await sqlite_store.read(ask, slow=True) == wanted
        assert await asyncio.to_thread(sqlite_store.record, ask) == wanted

    async def test_only_the_writer_may_write(self, sqlite_store: SqliteStore) -> None:
        def ask(connection: Connection) -> object:
            return connection.exec_driver_sql("PRAGMA query_only").scalar()

        assert await sqlite_store.write(ask) == 0
        assert await sqlite_store.read(ask) == 1
        assert await sqlite_store.read(ask, slow=True) == 1

    async def test_nobody_else_can_read_the_files(self, sqlite_store: SqliteStore, sqlite_path: Path) -> None:
        await sqlite_store.write(put("n"))
        modes = {path.name: _mode(path) for path in sqlite_path.parent.iterdir()}
        assert modes == {"balas.db": 0o600, "balas.db-wal": 0o600, "balas.db-shm": 0o600}
        assert _mode(sqlite_path.parent) == 0o700

    async def test_files_that_others_could_read_are_closed_to_them(self, sqlite_path: Path) -> None:
        await (await SqliteStore.open(sqlite_path)).close()
        sqlite_path.chmod(0o644)
        store = await SqliteStore.open(sqlite_path)
        await store.write(put("n"))
        modes = {_mode(path) for path in sqlite_path.parent.iterdir()}
        await store.close()
        assert modes == {0o600}

    async def test_a_folder_may_have_any_name(self, tmp_path: Path) -> None:
        path = tmp_path / "toko?mode=ro&%20 #1" / "balas.db"
        store = await SqliteStore.open(path)
        await store.write(put("n"))
        await store.close()
        assert path.stat().st_size > 0

    async def test_a_sqlite_that_can_damage_the_file_is_refused(
        self, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pysqlite3, "sqlite_version", "3.51.2")

        with pytest.raises(StoreMisconfigured, match=r"3\.51\.2 .*3\.51\.3 or newer.*ALLOW_OLD_SQLITE=true"):
            await SqliteStore.open(sqlite_path)
        assert not sqlite_path.exists()

        store = await SqliteStore.open(sqlite_path, allow_old_sqlite=True)
        await store.close()
        assert sqlite_path.exists()

    async def test_the_first_good_sqlite_is_taken(
        self, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pysqlite3, "sqlite_version", "3.51.3")
        store = await SqliteStore.open(sqlite_path)
        await store.close()

    async def test_the_settings_choose_sqlite(self, make_settings, tmp_path: Path) -> None:
        store = await open_store(make_settings())
        await store.close()
        assert store.dialect == "sqlite"
        assert (tmp_path / "var" / "balas.db").exists()


def _two_that_meet() -> tuple[list[int], Callable[[Connection], None]]:
    """Counts one up, at first only once two of it have read; and what each of its attempts read."""
    both_have_read = threading.Barrier(2, timeout=10)
    attempts: list[int] = []

    def one_more(connection: Connection) -> None:
        found = int(meta.get(connection, "jumlah") or 0)
        attempts.append(found)
        if len(attempts) <= 2:
            both_have_read.wait()
        meta.put(connection, "jumlah", str(found + 1))

    return attempts, one_more


class TestPostgres:
    """What only PostgreSQL has: transactions at the same time, conflicts, an address."""

    async def test_a_write_that_lost_a_conflict_is_repeated(self, postgres_store: PostgresStore) -> None:
        await postgres_store.write(put("jumlah", "0"))
        attempts, one_more = _two_that_meet()
        await asyncio.gather(postgres_store.write(one_more), postgres_store.write(one_more))

        assert attempts == [0, 0, 1]
        assert await postgres_store.read(get("jumlah")) == "2"

    async def test_record_repeats_a_lost_conflict_too(self, postgres_store: PostgresStore) -> None:
        await postgres_store.write(put("jumlah", "0"))
        attempts, one_more = _two_that_meet()
        await asyncio.gather(
            postgres_store.write(one_more), asyncio.to_thread(postgres_store.record, one_more)
        )

        assert attempts == [0, 0, 1]
        assert await postgres_store.read(get("jumlah")) == "2"

    async def test_a_conflict_without_end_is_given_up(
        self, postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "CONFLICT_DEADLINE_S", 0.2)
        attempts: list[int] = []

        def losing(connection: Connection) -> None:
            attempts.append(1)
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))

        with pytest.raises(StoreBusy, match="try again"):
            await postgres_store.write(losing)
        assert len(attempts) > 2

    async def test_a_failed_commit_fails_its_waiter_and_nobody_else(
        self, postgres_store: PostgresStore
    ) -> None:
        await postgres_store.write(
            lambda connection: connection.execute(
                text("CREATE TABLE janji (key text REFERENCES meta (key) DEFERRABLE INITIALLY DEFERRED)")
            ).close()
        )

        def breaking(connection: Connection) -> None:
            meta.put(connection, "salah", "ada")
            connection.execute(text("INSERT INTO janji VALUES ('tidak ada')"))

        results = await asyncio.gather(
            postgres_store.write(put("satu")),
            postgres_store.write(breaking),
            postgres_store.write(put("dua")),
            return_exceptions=True,
        )

        assert [type(result) for result in results] == [type(None), StoreError, type(None)]
        assert await postgres_store.read(all_keys) == {"satu", "dua"}

    async def test_record_ends_a_statement_that_takes_too_long(self, postgres_store: PostgresStore) -> None:
        def slow(connection: Connection) -> None:
            meta.put(connection, "n", "ada")
            connection.execute(text("SELECT pg_sleep(30)"))

        began = time.monotonic()
        with pytest.raises(StoreError):
            await asyncio.to_thread(lambda: postgres_store.record(slow, timeout_s=0.3))
        assert time.monotonic() - began < 5
        assert await postgres_store.read(all_keys) == set()

        # The limit is one message's own: no later transaction of any connection inherits it.
        await asyncio.to_thread(postgres_store.record, put("n"))

        def limit(connection: Connection) -> object:
            return connection.execute(text("SHOW statement_timeout")).scalar()

        limits = await asyncio.gather(*(postgres_store.write(limit) for _ in range(20)))
        assert set(limits) == {"0"}

    async def test_record_does_not_wait_for_the_pool(self, postgres_store: PostgresStore) -> None:
        gates = [Gate() for _ in range(postgres.POOL_SIZE)]
        holding = [asyncio.create_task(postgres_store.write(gate)) for gate in gates]
        for gate in gates:
            await until(gate.entered)
        await asyncio.to_thread(lambda: postgres_store.record(put("n"), timeout_s=2))
        for gate in gates:
            gate.open()
        await asyncio.gather(*holding)
        assert await postgres_store.read(all_keys) == {"n"}

    async def test_a_committed_row_is_on_disk(self, postgres_store: PostgresStore) -> None:
        def ask(connection: Connection) -> list[object]:
            return [
                connection.execute(text(f"SHOW {name}")).scalar() for name in ("fsync", "synchronous_commit")
            ]

        assert await postgres_store.write(ask) == ["on", "on"]

    async def test_the_settings_choose_postgresql(self, make_settings, postgres_url: str) -> None:
        store = await open_store(make_settings(DATABASE_URL=postgres_url))
        await store.close()
        assert store.dialect == "postgresql"


def _data_version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def _break_the_commit(connection: Connection) -> None:
    """A reference to nothing, which SQLite checks at the commit only."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    connection.exec_driver_sql(
        "INSERT INTO aliases (account, server, user, customer_id) VALUES ('utama', 's', 'u', 999)"
    )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_log_is_moved_into_the_file_when_nobody_writes(
    sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "COMMITS_BEFORE_CHECKPOINT", 3)
    monkeypatch.setattr(sqlite_writer, "REST_BEFORE_CHECKPOINT_S", 0.05)
    store = await SqliteStore.open(sqlite_path)
    try:
        for key in ("marker-0", "marker-1"):
            await store.write(partial(meta.put, key=key, value="x"))
        assert b"marker-1" not in sqlite_path.read_bytes()
        await store.write(lambda c: meta.put(c, "marker-2", "x"))
        async with asyncio.timeout(WAIT_S):
            # The writer tells nobody that it rested.
            while b"marker-2" not in sqlite_path.read_bytes():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await store.write(lambda c: meta.put(c, "marker-3", "x"))
        assert await store.read(lambda c: meta.get(c, "marker-3")) == "x"
    finally:
        await store.close()
