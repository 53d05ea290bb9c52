"""Backups: everything comes back on either database, and what was deleted since does not."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from config.settings import Settings
from store import customers, embedding_space
from store.backup import copying as backup
from store.backup.__main__ import DONE, KEPT, MISCONFIGURED, NOT_DONE, main
from store.doors import Store
from store.errors import StoreMisconfigured
from store.memory.embedded import EmbeddedMemory
from store.opening import open_store
from store.ownership import owning
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
    store = await open_store(settings)
    await a_past(store)
    await store.close()
    made = await backup.make(settings, file)
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
    store = await open_store(settings)
    _, second, _ = await a_past(store)
    await store.close()
    await backup.make(settings, file)
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
    store = await open_store(settings)
    first, *_ = await a_past(store)
    await store.close()
    await backup.make(settings, file)
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
    store = await open_store(settings)
    await a_past(store)
    await store.close()
    await backup.make(settings, file)
    other = make_settings(STATE_DIR=str(tmp_path / "other"))
    store = await open_store(other)
    await a_past(store)
    await store.close()
    await backup.make(other, tmp_path / "others" / "balas.db")
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
