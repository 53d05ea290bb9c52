"""What goes wrong around a database: locks, rights, full disks, strange files, a server that goes away."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pysqlite3
import pytest
from sqlalchemy import Connection, text

from store import sqlite_file
from store.errors import StoreBusy, StoreMisconfigured, StoreUnavailable
from store.postgres import PostgresStore
from store.sqlite import SqliteStore
from tests.contract.store import Gate, all_keys, get, put, until
from tests.integration.processes import run_processes
from tests.integration.store_process import NOBODY
from tests.postgres import PASSWORD, PostgresServer


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the rightless user of ``use_without_rights`` owns; pytest's own are closed to him."""
    with tempfile.TemporaryDirectory(prefix="balas-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder
        # Whoever we are, the folder must be removable again.
        folder.chmod(0o700)


@pytest.fixture
def server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """A server of the test's own, that it may stop. The shared one says whether there can be one."""
    own = PostgresServer()
    own.start()
    yield own
    own.remove()


class TestSqlite:
    """The file and what is around it."""

    async def test_a_lock_that_another_process_holds_is_named_and_passes(
        self, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_MS", 100)
        store = await SqliteStore.open(sqlite_path)
        other = pysqlite3.connect(sqlite_path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreBusy, match="locked by another process; stop the other one or wait"):
            await store.write(put("n"))
        with pytest.raises(StoreBusy, match="locked"):
            await asyncio.to_thread(store.record, put("n"))
        # Readers do not mind.
        assert await store.read(get("n")) is None
        assert await store.read(get("n"), slow=True) is None

        other.execute("ROLLBACK")
        other.close()
        await store.write(put("sesudah"))
        assert await store.read(all_keys) == {"sesudah"}
        await store.close()

    async def test_an_open_waits_for_a_process_that_is_creating_the_file(self, sqlite_path: Path) -> None:
        sqlite_path.parent.mkdir()
        other = pysqlite3.connect(sqlite_path, isolation_level=None)
        other.execute("CREATE TABLE sementara (n)")
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(SqliteStore.open(sqlite_path))))
        await asyncio.sleep(0.2)
        assert not opening.done()
        other.execute("ROLLBACK")
        other.close()
        store = await opening
        await store.write(put("n"))
        assert await store.read(all_keys) == {"n"}
        await store.close()

    async def test_a_full_disk_fails_the_writes_and_passes(self, sqlite_store: SqliteStore) -> None:
        def pages(connection: Connection, most: int = 4_294_967_294) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

        await sqlite_store.write(put("sebelum"))
        # SQLite reports its own limit of pages just as it reports a disk without space (SQLITE_FULL).
        await sqlite_store.write(lambda connection: pages(connection, 1))
        gate = Gate()
        first = asyncio.create_task(sqlite_store.write(gate))
        await until(gate.entered)
        group = [
            asyncio.create_task(sqlite_store.write(put(f"n{n}", "x" * size)))
            for n, size in enumerate((1, 200_000, 1))
        ]
        await asyncio.sleep(0)
        gate.open()

        results = await asyncio.gather(first, *group, return_exceptions=True)

        assert results[0] is None
        failed = [result for result in results if result is not None]
        assert failed
        for error in failed:
            assert isinstance(error, StoreUnavailable)
            assert "the disk is full; free some space" in str(error)
        landed = {f"n{n}" for n, result in enumerate(results[1:]) if result is None}
        assert await sqlite_store.read(all_keys) == {"sebelum"} | landed

        await sqlite_store.write(pages)
        await sqlite_store.write(put("besar", "x" * 200_000))
        assert await sqlite_store.read(_integrity) == "ok"

    async def test_a_file_that_may_not_grow_loses_nothing_that_was_accepted(self, sqlite_path: Path) -> None:
        (answer,) = run_processes("write_on_a_full_disk", sqlite_path)

        assert answer["written"] > 10
        assert answer["error"].startswith("StoreUnavailable: the disk ")
        assert answer["after"] == "ada"
        store = await SqliteStore.open(sqlite_path)
        found = await store.read(all_keys)
        integrity = await store.read(_integrity)
        await store.close()
        assert found == {f"n{n}" for n in range(answer["written"])} | {"sesudah"}
        assert integrity == "ok"

    async def test_a_file_that_is_no_database_is_named(self, sqlite_path: Path) -> None:
        sqlite_path.parent.mkdir()
        sqlite_path.write_bytes(b"bukan basis data\n" * 500)
        with pytest.raises(StoreMisconfigured, match="not a database; check STATE_DIR or restore a backup"):
            await SqliteStore.open(sqlite_path)
        assert sqlite_path.read_bytes() == b"bukan basis data\n" * 500

    async def test_a_damaged_file_is_named(self, sqlite_path: Path) -> None:
        await (await SqliteStore.open(sqlite_path)).close()
        content = bytearray(sqlite_path.read_bytes())
        # The header stays; everything behind the first kilobyte is gone.
        content[1024:] = os.urandom(len(content) - 1024)
        sqlite_path.write_bytes(content)
        with pytest.raises(StoreMisconfigured, match="damaged; restore the last backup"):
            await SqliteStore.open(sqlite_path)

    async def test_a_missing_folder_is_made(self, tmp_path: Path) -> None:
        path = tmp_path / "baru" / "sekali" / "balas.db"
        store = await SqliteStore.open(path)
        await store.close()
        assert path.exists()

    async def test_a_file_where_the_folder_should_be_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "var").write_text("bukan folder")
        with pytest.raises(StoreMisconfigured, match=r"var.*set STATE_DIR"):
            await SqliteStore.open(tmp_path / "var" / "balas.db")

    async def test_a_folder_where_the_file_should_be_is_named(self, sqlite_path: Path) -> None:
        sqlite_path.mkdir(parents=True)
        with pytest.raises(StoreMisconfigured, match="cannot be opened"):
            await SqliteStore.open(sqlite_path)

    def test_a_user_with_all_rights_has_no_trouble(self, open_folder: Path) -> None:
        outcome = run_processes("use_without_rights", open_folder / "balas.db")
        assert outcome == [{"open": "ok", "read": "None", "write": "ok"}]

    def test_a_folder_that_may_not_be_written_to_is_named(self, open_folder: Path) -> None:
        open_folder.chmod(0o500)
        (outcome,) = run_processes("use_without_rights", open_folder / "var" / "balas.db")
        assert outcome["open"].startswith("StoreMisconfigured: ")
        assert "set STATE_DIR to a folder that the bot may write to" in outcome["open"]

    def test_a_folder_that_became_read_only_is_named(self, open_folder: Path) -> None:
        path = open_folder / "balas.db"
        run_processes("use_without_rights", path)
        open_folder.chmod(0o500)
        (outcome,) = run_processes("use_without_rights", path)
        assert outcome["open"].startswith(
            "StoreUnavailable: the database is read-only; give the bot's user write access"
        )

    def test_a_read_only_file_can_be_read_and_says_why_it_takes_nothing(self, open_folder: Path) -> None:
        path = open_folder / "balas.db"
        run_processes("use_without_rights", path)
        path.chmod(0o400)
        (outcome,) = run_processes("use_without_rights", path)
        assert outcome["open"] == "ok"
        assert outcome["read"] == "1"
        assert outcome["write"].startswith("StoreUnavailable: the database is read-only; give the bot's user")


class TestPostgres:
    """The server and the way to it."""

    async def test_a_server_that_stops_is_waited_for_and_everything_goes_on(
        self, server: PostgresServer
    ) -> None:
        store = await PostgresStore.open(server.url())
        await store.write(put("sebelum"))
        await asyncio.to_thread(store.record, put("direkam"))
        await store.read(all_keys)

        server.stop()
        with pytest.raises(StoreUnavailable):
            await store.write(put("hilang"))
        with pytest.raises(StoreUnavailable):
            await store.read(all_keys)
        with pytest.raises(StoreUnavailable):
            await asyncio.to_thread(store.record, put("hilang"))

        server.start()
        # At the first attempt: nobody repeats what a customer's message brought.
        await asyncio.to_thread(store.record, put("direkam lagi"))
        await asyncio.gather(*(store.write(put(f"n{n}")) for n in range(10)))
        found = await store.read(all_keys)
        await store.close()
        assert found == {"sebelum", "direkam", "direkam lagi"} | {f"n{n}" for n in range(10)}

    async def test_a_restart_between_two_calls_is_noticed_by_nobody(self, server: PostgresServer) -> None:
        store = await PostgresStore.open(server.url())
        await asyncio.gather(*(store.write(put(f"n{n}")) for n in range(10)))
        await asyncio.to_thread(store.record, put("direkam"))
        server.stop()
        server.start()
        await asyncio.to_thread(store.record, put("direkam lagi"))
        await asyncio.gather(*(store.write(put(f"m{n}")) for n in range(10)))
        assert len(await store.read(all_keys)) == 22
        await store.close()

    async def test_a_transaction_that_the_stop_cut_off_left_nothing(self, server: PostgresServer) -> None:
        store = await PostgresStore.open(server.url())
        written = threading.Event()
        stopped = threading.Event()

        def cut_off(connection: Connection) -> None:
            put("terpotong")(connection)
            written.set()
            assert stopped.wait(30)
            put("terpotong lagi")(connection)

        writing = asyncio.create_task(store.write(cut_off))
        await until(written)
        await asyncio.to_thread(server.stop)
        stopped.set()
        with pytest.raises(StoreUnavailable):
            await writing
        server.start()
        assert await store.read(all_keys) == set()
        await store.close()

    async def test_what_was_committed_survives_a_crash_of_the_server(self, server: PostgresServer) -> None:
        store = await PostgresStore.open(server.url())
        await asyncio.gather(*(store.write(put(f"n{n}")) for n in range(50)))
        server.stop(how=signal.SIGQUIT)
        server.start()
        assert await store.read(all_keys) == {f"n{n}" for n in range(50)}
        await store.close()

    async def test_a_wrong_password_is_named_without_showing_it(self, postgres_url: str) -> None:
        wrong = postgres_url.replace(PASSWORD, "salah-ketik")
        with pytest.raises(StoreMisconfigured, match=r"check DATABASE_URL.*password auth") as caught:
            await PostgresStore.open(wrong)
        assert "salah-ketik" not in str(caught.value)

    async def test_a_database_that_does_not_exist_is_named(self, postgres_url: str) -> None:
        path = urlsplit(postgres_url).path
        with pytest.raises(StoreMisconfigured, match=r'check DATABASE_URL.*"lupa_dibuat" does') as caught:
            await PostgresStore.open(postgres_url.replace(path, "/lupa_dibuat"))
        assert PASSWORD not in str(caught.value)

    async def test_a_server_that_is_not_there_may_come_later(self, postgres_url: str) -> None:
        address = urlsplit(postgres_url)
        with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
            await PostgresStore.open(postgres_url.replace(f":{address.port}/", ":1/"))
        assert PASSWORD not in str(caught.value)

    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://u:rahasia@h:lima/d",
            "postgresql://u:rahasia@[::1/d",
            "mysql://u:rahasia@h/d",
            "balas.db",
        ],
    )
    async def test_what_is_no_address_is_named_without_showing_it(self, address: str) -> None:
        with pytest.raises(StoreMisconfigured, match="DATABASE_URL") as caught:
            await PostgresStore.open(address)
        assert "rahasia" not in str(caught.value)
        assert caught.value.__cause__ is None

    async def test_a_role_without_rights_is_named(
        self, postgres_url: str, postgres_server: PostgresServer
    ) -> None:
        store = await PostgresStore.open(postgres_url)
        await store.write(lambda connection: connection.execute(text("CREATE ROLE tamu NOLOGIN")).close())

        def as_guest(connection: Connection) -> None:
            connection.execute(text("SET LOCAL ROLE tamu"))
            put("n")(connection)

        with pytest.raises(StoreMisconfigured, match="lacks a permission"):
            await store.write(as_guest)
        await store.close()
        postgres_server.administrate("DROP ROLE tamu")


def _integrity(connection: Connection) -> str:
    return str(connection.exec_driver_sql("PRAGMA integrity_check").scalar_one())
