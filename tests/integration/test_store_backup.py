"""Backups: everything comes back on either database, and what was deleted since does not."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import select, text

from config.settings import Settings
from store import customers, embedding_space, invoices, owners
from store.backup import copying as backup
from store.backup.__main__ import DONE, MISCONFIGURED, NOT_DONE, main
from store.backup.folder import KEPT
from store.doors import Store
from store.errors import NoRoom, StoreDamaged, StoreMisconfigured
from store.memory.embedded import EmbeddedMemory
from store.opening import open_store
from store.ownership import WATCHER, WEBHOOKS, AlreadyOwned, alone_on_this_host, backing_up, owning
from store.schema import metadata
from tests.contract.memory import SPACE, chunk, direction, ids, new_customer, publish, said, unsaid, words

MakeSettings = Callable[..., Settings]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, make_settings: MakeSettings) -> Settings:
    """A shop on each database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    return make_settings(DATABASE_URL=url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "balas.db"


async def a_past(store: Store) -> tuple[int, int, list[int]]:
    """Two customers with something said each, and knowledge; the customers, and the second's turns."""
    await store.write(lambda c: embedding_space.settle(c, SPACE.model, SPACE.dimensions))
    first, second = await new_customer(store), await new_customer(store)
    await said(store, first, *["alamat saya jalan mawar"] * 3, vector=direction(1))
    turns = await said(store, second, *["nomor ktp saya rahasia"] * 3, vector=direction(2))
    await publish(store, chunk("jam", "jam buka toko", vector=direction(3)))
    return first, second, turns


async def backed_up(settings: Settings, file: Path) -> tuple[tuple[int, int, list[int]], int]:
    """``a_past`` in the settings' database, and a backup of it; the past, and the backup's rows."""
    store = await open_store(settings)
    past = await a_past(store)
    await store.close()
    return past, await backup.make(settings, file)


async def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that a backup holds, without the standing of indexes."""
    return await store.read(
        lambda c: {
            table.name: sorted((tuple(row) for row in c.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name != "owners"
        }
    )


async def test_every_row_comes_back_also_on_the_other_database(
    settings: Settings, make_settings: MakeSettings, postgres_url: str, file: Path, tmp_path: Path
) -> None:
    _, made = await backed_up(settings, file)
    assert file.stat().st_mode & 0o777 == 0o600
    store = await open_store(settings)
    expected = await rows(store)
    await store.close()
    elsewhere = make_settings(STATE_DIR=str(tmp_path / "elsewhere"))
    targets = [settings, elsewhere]
    if settings.store.database_url is None:
        targets.append(make_settings(STATE_DIR=str(tmp_path / "third"), DATABASE_URL=postgres_url))
    for target in targets:
        done = await backup.restore(target, file)
        assert (done.rows, done.forgotten_customers, done.forgotten_turns) == (made, 0, 0)
        store = await open_store(target)
        assert await rows(store) == expected
        memory = EmbeddedMemory(store)
        await memory.open()
        assert [one.id for one in await memory.search(words("jam buka"), limit=1)] == ["jam"]
        await store.close()


async def test_who_was_deleted_after_the_backup_stays_deleted(settings: Settings, file: Path) -> None:
    store = await open_store(settings)
    first, second, _ = await a_past(store)
    [gone, *kept] = await said(store, first, "alamat lama", "alamat baru")
    await store.close()
    await backup.make(settings, file)
    store = await open_store(settings)
    await store.write(lambda c: customers.forget(c, second))
    await unsaid(store, first, gone)
    await store.close()
    done = await backup.restore(settings, file)
    assert (done.forgotten_customers, done.forgotten_turns) == (1, 1)
    store = await open_store(settings)
    everything = str(await rows(store))
    assert "rahasia" not in everything
    memory = EmbeddedMemory(store)
    await memory.open()
    found = await memory.recall(customer_id=first, query=words("alamat"), before_turn=None, limit=9)
    assert gone not in ids(found)
    assert set(kept) <= set(ids(found))
    await store.close()


async def test_a_lost_database_is_restored_with_the_deletions_that_newer_backups_know(
    make_settings: MakeSettings, file: Path
) -> None:
    settings = make_settings()
    (_, second, _), _ = await backed_up(settings, file)
    store = await open_store(settings)
    await store.write(lambda c: customers.forget(c, second))
    await store.close()
    newer = file.with_name("newer.db")
    await backup.make(settings, newer)
    later = file.stat().st_mtime + 60
    os.utime(newer, (later, later))
    (file.parent / "catatan.db").write_text("bukan database")
    os.utime(file.parent / "catatan.db", (later, later))
    for path in settings.state_dir.glob("balas.db*"):
        path.unlink()
    done = await backup.restore(settings, file)
    assert done.forgotten_customers == 1


async def test_no_number_is_handed_out_twice_after_a_restore(settings: Settings, file: Path) -> None:
    (first, *_), _ = await backed_up(settings, file)
    store = await open_store(settings)
    stranger = await new_customer(store)
    [last] = await said(store, first, "sesudah cadangan")
    await store.close()
    await backup.restore(settings, file)
    store = await open_store(settings)
    assert await new_customer(store) > stranger
    [next_turn] = await said(store, first, "sesudah pemulihan")
    assert next_turn > last
    await store.close()


async def test_another_shops_database_is_not_overwritten(
    make_settings: MakeSettings, file: Path, tmp_path: Path
) -> None:
    settings = make_settings()
    await backed_up(settings, file)
    other = make_settings(STATE_DIR=str(tmp_path / "other"))
    await backed_up(other, tmp_path / "others" / "balas.db")
    with pytest.raises(StoreMisconfigured, match="another shop"):
        await backup.restore(other, file)


def test_the_command_makes_asks_and_restores(
    make_settings: MakeSettings,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = make_settings()
    monkeypatch.setattr(Settings, "load", lambda: settings)
    assert main(["make", str(file)]) == DONE
    assert main(["make", str(file)]) == NOT_DONE
    assert main(["restore", str(file)]) == NOT_DONE
    assert "--yes" in capsys.readouterr().err
    with owning(settings):
        assert main(["restore", str(file), "--yes"]) == MISCONFIGURED
    assert main(["restore", str(file), "--yes"]) == DONE
    assert main(["restore", str(file.with_name("tidak-ada.db")), "--yes"]) == MISCONFIGURED
    folder = settings.state_dir / "backups"
    folder.mkdir()
    for number in range(KEPT + 3):
        (folder / f"balas-20200101-{number:06d}.db").touch()
    (folder / "balas-sebelum-pindah.db").touch()
    assert main([]) == DONE
    kept = sorted(path.name for path in folder.iterdir())
    # The new one and the newest of the old; and what a person named stays.
    assert len(kept) == KEPT + 1
    assert kept[-1] == "balas-sebelum-pindah.db"
    assert not kept[-2].startswith("balas-2020")
    assert "balas-20200101-000016.db" in kept


@pytest.mark.parametrize("damage", ["garbage", "truncated", "emptied"])
async def test_a_damaged_database_is_kept_aside_and_replaced(
    make_settings: MakeSettings, file: Path, damage: str
) -> None:
    settings = make_settings()
    _, made = await backed_up(settings, file)
    there = settings.sqlite_path
    whole = there.read_bytes()
    broken = {
        "garbage": b"bukan database " * 1000,
        "truncated": whole[: len(whole) // 2 + 100],
        "emptied": b"",
    }[damage]
    there.write_bytes(broken)
    done = await backup.restore(settings, file)
    assert (done.rows, done.is_past_known) == (made, False)
    assert done.kept is not None
    assert done.kept.name == "balas-before-restore.db"
    assert done.kept.stat().st_size == len(broken) or not broken
    # What a person looks at later is not lost to another restore.
    again = await backup.restore(settings, file)
    assert again.is_past_known
    assert again.kept is not None
    assert again.kept != done.kept
    store = await open_store(settings)
    assert await rows(store)
    await store.close()


async def test_no_log_of_the_old_database_is_left_beside_the_new_one(
    make_settings: MakeSettings, file: Path
) -> None:
    settings = make_settings()
    _, made = await backed_up(settings, file)
    there = settings.sqlite_path
    # As a crash in the middle of a restore leaves it.
    there.unlink()
    for helper in ("-wal", "-shm"):
        there.with_name(there.name + helper).write_bytes(b"dari yang dulu")
    done = await backup.restore(settings, file)
    assert (done.rows, done.kept) == (made, None)
    assert sorted(path.name for path in there.parent.glob("balas*")) == [
        "balas-before-restore.db-shm",
        "balas-before-restore.db-wal",
        "balas.db",
    ]


async def test_a_database_of_a_newer_balas_tells_what_was_deleted(
    make_settings: MakeSettings, file: Path
) -> None:
    settings = make_settings()
    (_, second, _), _ = await backed_up(settings, file)
    store = await open_store(settings)
    await store.write(lambda c: customers.forget(c, second))
    await store.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await store.close()
    done = await backup.restore(settings, file)
    assert (done.forgotten_customers, done.is_past_known) == (1, True)


@pytest.mark.parametrize("damage", ["garbage", "truncated"])
async def test_a_damaged_backup_replaces_nothing(
    make_settings: MakeSettings, file: Path, damage: str
) -> None:
    settings = make_settings()
    await backed_up(settings, file)
    whole = file.read_bytes()
    file.write_bytes(b"bukan cadangan" if damage == "garbage" else whole[: len(whole) // 2 + 100])
    before = settings.sqlite_path.read_bytes()
    with pytest.raises(StoreDamaged, match="choose another"):
        await backup.restore(settings, file)
    assert settings.sqlite_path.read_bytes() == before
    assert not list(settings.state_dir.glob("restore-*"))


async def test_no_invoice_number_is_given_twice_after_a_restore(settings: Settings, file: Path) -> None:
    store = await open_store(settings)
    await store.write(lambda c: invoices.next_number(c, "utama", period="2026-10"))
    await store.close()
    await backup.make(settings, file)
    store = await open_store(settings)
    await store.write(lambda c: invoices.next_number(c, "utama", period="2026-10"))
    await store.write(lambda c: invoices.next_number(c, "utama", period="2026-11"))
    await store.close()
    await backup.restore(settings, file)
    store = await open_store(settings)
    for period, sequence in (("2026-10", 3), ("2026-11", 2)):
        _, given = await store.write(lambda c, p=period: invoices.next_number(c, "utama", period=p))
        assert given == sequence
    await store.close()


async def test_a_machine_that_was_just_installed_takes_another_shops_backup(
    settings: Settings, file: Path, make_settings: MakeSettings, tmp_path: Path
) -> None:
    old = make_settings(STATE_DIR=str(tmp_path / "old"))
    _, made = await backed_up(old, file)
    # Its knowledge was read, and one night made a backup of it.
    store = await open_store(settings)
    await store.write(lambda c: embedding_space.settle(c, SPACE.model, SPACE.dimensions))
    await publish(store, chunk("contoh", "toko contoh", vector=direction(3)))
    await store.close()
    await backup.make(settings, tmp_path / "elsewhere" / "balas.db")
    done = await backup.restore(settings, file)
    assert (done.rows, done.is_past_known) == (made, False)


async def test_what_was_deleted_in_a_trial_before_the_restore_deletes_nobody_else(
    settings: Settings, file: Path, make_settings: MakeSettings, tmp_path: Path
) -> None:
    old = make_settings(STATE_DIR=str(tmp_path / "old"))
    _, made = await backed_up(old, file)
    store = await open_store(settings)
    tried = await new_customer(store)
    await store.write(lambda c: customers.forget(c, tried))
    await store.close()
    done = await backup.restore(settings, file)
    assert (done.rows, done.forgotten_customers, done.is_past_known) == (made, 0, False)


async def test_a_process_that_was_heard_of_just_now_keeps_the_database(
    settings: Settings, file: Path
) -> None:
    await backed_up(settings, file)
    store = await open_store(settings)
    # Of another account, or on another machine: nothing on this one shows it.
    await store.write(lambda c: owners.register(c, "webhooks-1", "kedua"))
    await store.close()
    with pytest.raises(AlreadyOwned, match="webhooks-1"):
        await backup.restore(settings, file)
    store = await open_store(settings)
    await store.write(lambda c: owners.unregister(c, "webhooks-1"))
    await store.close()
    await backup.restore(settings, file)


@contextlib.contextmanager
def open_in_another_process(settings: Settings) -> Iterator[None]:
    """The database's file held open and idle, as the watcher and commands do."""
    with contextlib.closing(pysqlite3.connect(settings.sqlite_path)) as connection:
        connection.execute("SELECT count(*) FROM customers").fetchall()
        yield


@pytest.mark.parametrize("who", ["bot", WEBHOOKS, WATCHER, "backup", "file"])
def test_nothing_is_replaced_while_anything_of_balas_runs(
    make_settings: MakeSettings,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    who: str,
) -> None:
    settings = make_settings()
    monkeypatch.setattr(Settings, "load", lambda: settings)
    assert main(["make", str(file)]) == DONE
    before = settings.sqlite_path.stat()
    running = {
        "bot": lambda: owning(settings),
        WEBHOOKS: lambda: alone_on_this_host(settings, WEBHOOKS),
        WATCHER: lambda: alone_on_this_host(settings, WATCHER),
        "backup": lambda: backing_up(settings),
        "file": lambda: open_in_another_process(settings),
    }
    with running[who]():
        assert main(["restore", str(file), "--yes"]) == MISCONFIGURED
    assert "masih ada proses Balas" in capsys.readouterr().err
    assert settings.sqlite_path.stat().st_ino == before.st_ino
    assert main(["restore", str(file), "--yes"]) == DONE


async def test_a_backup_that_would_fill_the_disk_is_not_begun(
    settings: Settings, make_settings: MakeSettings, file: Path
) -> None:
    url = settings.store.database_url
    tight = make_settings(DATABASE_URL="" if url is None else url, DISK_FREE_MB=str(10**9))
    file.parent.mkdir()
    spare = file.with_name("balas-20200101-000000.db")
    spare.write_bytes(b"x" * 1000)
    with pytest.raises(NoRoom):
        await backup.make(tight, file, spare=[spare])
    # It would not have been enough, so it stays.
    assert [path.name for path in file.parent.iterdir()] == [spare.name]


def test_the_command_says_how_much_room_is_missing(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings(DISK_FREE_MB=str(10**9))
    monkeypatch.setattr(Settings, "load", lambda: settings)
    assert main([]) == NOT_DONE
    assert "DISK_FREE_MB" in capsys.readouterr().err


def test_what_a_killed_backup_left_is_removed_by_the_next(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings()
    monkeypatch.setattr(Settings, "load", lambda: settings)
    folder = settings.state_dir / "backups"
    left = folder / "backup-a1b2c3d4"
    left.mkdir(parents=True)
    for name in ("balas.db", "balas.db-wal", "balas.db-journal"):
        (left / name).write_text("chat pelanggan")
    own = folder / "backup-sebelum-pindah"
    own.mkdir()
    (own / "balas.db").touch()
    # That of a backup which still runs is not touched.
    with backing_up(settings):
        assert main([]) == NOT_DONE
    assert "sedang dibuat" in capsys.readouterr().err
    assert left.exists()
    assert main([]) == DONE
    assert not left.exists()
    assert (own / "balas.db").exists()


async def test_what_a_killed_restore_left_is_removed_by_the_next(
    make_settings: MakeSettings, file: Path
) -> None:
    settings = make_settings()
    await backup.make(settings, file)
    left = settings.state_dir / "restore-a1b2c3d4"
    left.mkdir()
    (left / "balas.db").write_text("chat pelanggan")
    await backup.restore(settings, file)
    assert not left.exists()


def test_a_disk_that_refuses_is_told_in_one_line(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings()
    monkeypatch.setattr(Settings, "load", lambda: settings)
    settings.state_dir.mkdir()
    (settings.state_dir / "backups").write_text("bukan folder")
    assert main([]) == NOT_DONE
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_another_user_than_the_folders_owner_is_sent_away_before_he_leaves_files(
    make_settings: MakeSettings,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = make_settings()
    settings.state_dir.mkdir(parents=True, mode=0o700, exist_ok=True)
    monkeypatch.setattr(Settings, "load", lambda: settings)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert main(["make", str(file)]) == MISCONFIGURED
    assert main(["restore", str(file), "--yes"]) == MISCONFIGURED
    said = capsys.readouterr().err
    assert f"milik pengguna {pwd.getpwuid(owner).pw_name}" in said
    assert "sudo balas backup" in said
    assert list(settings.state_dir.iterdir()) == []
