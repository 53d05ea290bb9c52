"""The memory on a real Weaviate server: the contract of every memory, the settings, and the rebuild."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from config.memory import MemorySettings
from config.settings import Settings
from sandbox.weaviate.shared import Server
from store import customers, embedding_space
from store.backup import copying as backup
from store.doors import Store
from store.embedding_space import Space
from store.memory.index import Query
from store.memory.weaviate.memory import WeaviateMemory
from store.memory.weaviate.rebuilding import rebuild
from store.memory.weaviate.schema import Names
from store.retention import DAY_MS
from store.schema import now_ms
from store.schema import turns as turn_rows
from store.sqlite import SqliteStore
from store.tidying import tidy
from store.turn_vectors import NewVector
from store.turn_vectors import replace as replace_vectors
from store.vectors import to_bytes, unit
from tests import weaviate
from tests.contract.memory import (
    SPACE,
    MakeMemory,
    MemoryContract,
    chunk,
    direction,
    ids,
    new_customer,
    publish,
    said,
    words,
)


@pytest.fixture
def memory_settings(
    weaviate_server: Server, make_settings: Callable[..., Settings]
) -> Iterator[MemorySettings]:
    """Settings with collections of the test's own."""
    prefix = f"Uji{secrets.token_hex(6)}"
    yield make_settings(**weaviate_server.settings, WEAVIATE_PREFIX=prefix).memory
    weaviate.drop(weaviate_server, prefix)


async def settle(memory: WeaviateMemory) -> None:
    """Follow the log to its end; on a busy machine that takes more than one look."""
    while await memory.catch_up() or not memory.is_served:
        assert memory.trouble is None
        await asyncio.sleep(0)


class TestWeaviateMemory(MemoryContract):
    # What reads and writes SQL is the same as for the embedded memory; every test once more takes its time.
    @pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.torture)])
    def store(self, request: pytest.FixtureRequest) -> Store:
        name = {"sqlite": "sqlite_store", "postgresql": "postgres_store"}[request.param]
        opened: Store = request.getfixturevalue(name)
        return opened

    @pytest.fixture
    def make_memory(self, store: Store, memory_settings: MemorySettings) -> MakeMemory:
        return lambda: WeaviateMemory(store, memory_settings)

    @pytest.fixture(autouse=True)
    def the_server_answered(self, memory: WeaviateMemory) -> Iterator[None]:
        """Otherwise the embedded memory behind it would pass for it."""
        yield
        assert memory.trouble is None
        assert memory.foreign == 0
        assert memory.by_server or memory.generation == 0


async def test_a_rebuild_by_command_fills_verifies_and_may_be_cut_off_anywhere(
    sqlite_store: SqliteStore, memory_settings: MemorySettings, weaviate_server: Server
) -> None:
    store, names = sqlite_store, Names.of(memory_settings)
    await store.write(lambda c: embedding_space.settle(c, SPACE.model, SPACE.dimensions))
    customer = await new_customer(store)
    turns: list[int] = []
    for number in range(100):
        turns += await said(store, customer, *["alamat rumah"] * 10, vector=direction(number))
    await publish(store, *(chunk(f"k{n}", f"paket {n}", vector=direction(n)) for n in range(30)))
    reached: list[int] = []

    def cut_off(done: int, total: int) -> None:
        reached.append(done)
        if done > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rebuild(store, memory_settings, cut_off)
    again: list[int] = []
    verdict = await rebuild(store, memory_settings, lambda done, total: again.append(done))
    assert min(again) > max(reached), "it began anew"
    assert verdict.is_good
    assert (verdict.turns_on_server, verdict.passages_findable) == (1_000, 30)
    assert (verdict.sampled, verdict.differing) == (200, 0)
    held = [int(one["properties"]["turn_id"]) for one in weaviate.objects(weaviate_server, names.turns)]
    assert sorted(held) == turns
    # Once it was verified the next one begins from nothing.
    once_more: list[int] = []
    assert (await rebuild(store, memory_settings, lambda done, total: once_more.append(done))).is_good
    assert min(once_more) < 500


async def test_a_bot_that_runs_during_a_rebuild_answers_from_its_own_index(
    sqlite_store: SqliteStore, memory_settings: MemorySettings
) -> None:
    store = sqlite_store
    customer = await new_customer(store)
    await said(store, customer, *["alamat rumah"] * 30)
    memory = WeaviateMemory(store, memory_settings)
    await memory.open()
    await settle(memory)
    query = words("alamat")

    async def counts() -> tuple[int, int]:
        found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=40)
        assert len(found) == 30
        return memory.by_server, memory.by_ourselves

    assert await counts() == (1, 0)

    class Cut(Exception):
        pass

    def cut(done: int, total: int) -> None:
        raise Cut

    with pytest.raises(Cut):
        await rebuild(store, memory_settings, cut)
    await memory.catch_up()
    assert await counts() == (1, 1)
    assert (await rebuild(store, memory_settings, lambda done, total: None)).is_good
    await settle(memory)
    assert await counts() == (2, 1)
    await memory.close()


async def test_the_rebuild_takes_over_what_another_database_or_version_left(
    sqlite_store: SqliteStore, memory_settings: MemorySettings, weaviate_server: Server
) -> None:
    names = Names.of(memory_settings)
    weaviate.rest(weaviate_server, "/schema", method="POST", body={"class": names.turns})
    memory = WeaviateMemory(sqlite_store, memory_settings)
    await memory.open()
    assert memory.trouble is not None
    assert names.turns in memory.trouble
    await memory.close()
    await said(sqlite_store, await new_customer(sqlite_store), "halo")
    assert (await rebuild(sqlite_store, memory_settings, lambda done, total: None)).is_good


async def test_the_vectors_of_a_new_embedding_model_get_a_new_index(
    sqlite_store: SqliteStore, memory_settings: MemorySettings
) -> None:
    store = sqlite_store
    await store.write(lambda c: embedding_space.settle(c, SPACE.model, SPACE.dimensions))
    customer = await new_customer(store)
    turn_ids = await said(store, customer, "satu", "dua", vector=direction(1))
    memory = WeaviateMemory(store, memory_settings)
    await memory.open()
    await settle(memory)
    wider = Space(model="another-embedding", dimensions=24)
    vectors = [unit(np.random.default_rng(n).standard_normal(24)) for n in range(2)]

    def reembed(connection: Connection) -> None:
        embedding_space.replace(connection, wider)
        replace_vectors(
            connection,
            [
                NewVector(turn_id=turn_id, customer_id=customer, vector=to_bytes(vector))
                for turn_id, vector in zip(turn_ids, vectors, strict=True)
            ],
            wider,
        )

    await store.write(reembed)
    await settle(memory)
    assert memory.trouble is None
    query = Query(texts=("lain",), vectors=(vectors[1],))
    found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=1)
    assert (ids(found), memory.by_server) == ([turn_ids[1]], 1)
    await memory.close()


async def test_a_restored_backup_fills_the_server_anew_and_brings_nobody_back(
    make_settings: Callable[..., Settings], weaviate_server: Server, tmp_path: Path
) -> None:
    prefix = f"Uji{secrets.token_hex(6)}"
    settings = make_settings(**weaviate_server.settings, WEAVIATE_PREFIX=prefix)
    store = await SqliteStore.open(settings.sqlite_path)
    kept, gone = await new_customer(store), await new_customer(store)
    turns = await said(store, kept, "alamat rumah", "garansi router")
    await said(store, gone, "nomor ktp saya rahasia")
    await store.close()
    await backup.make(settings, tmp_path / "balas-backup.db")
    store = await SqliteStore.open(settings.sqlite_path)
    await said(store, kept, "sesudah cadangan")
    memory = WeaviateMemory(store, settings.memory)
    await memory.open()
    await settle(memory)
    await store.write(lambda connection: customers.forget(connection, gone))
    await settle(memory)
    await memory.close()
    await store.close()
    assert (await backup.restore(settings, tmp_path / "balas-backup.db")).forgotten_customers == 1
    store = await SqliteStore.open(settings.sqlite_path)
    memory = WeaviateMemory(store, settings.memory)
    await memory.open()
    await settle(memory)
    found = weaviate.everything(weaviate_server, f"{prefix}ChatTurn")
    assert sorted(one["properties"]["turn_id"] for one in found) == turns
    assert "rahasia" not in str(found)
    assert "sesudah" not in str(found)
    await memory.close()
    await store.close()
    weaviate.drop(weaviate_server, prefix)


async def test_what_is_older_than_the_shop_keeps_is_deleted_on_the_server_as_well(
    sqlite_store: SqliteStore, memory_settings: MemorySettings, weaviate_server: Server
) -> None:
    store, names = sqlite_store, Names.of(memory_settings)
    customer = await new_customer(store)
    old = await said(store, customer, *["lama sekali"] * 700)
    young = await said(store, customer, "baru saja")
    await store.write(
        lambda c: c.execute(
            turn_rows.update().where(turn_rows.c.id.in_(old)).values(created_ms=now_ms() - 31 * DAY_MS)
        )
    )
    memory = WeaviateMemory(store, memory_settings)
    await memory.open()
    await settle(memory)
    assert len(weaviate.everything(weaviate_server, names.turns)) == 701
    await tidy(store, days=30)
    await settle(memory)
    assert [one["properties"]["turn_id"] for one in weaviate.objects(weaviate_server, names.turns)] == young
    await memory.close()


async def test_the_server_hears_of_new_turns_in_portions_and_a_new_process_brings_what_it_lacks(
    sqlite_store: SqliteStore, weaviate_server: Server, memory_settings: MemorySettings
) -> None:
    name = Names.of(memory_settings).turns

    def held() -> list[int]:
        return sorted(int(one["properties"]["turn_id"]) for one in weaviate.objects(weaviate_server, name))

    customer = await new_customer(sqlite_store)
    memory = WeaviateMemory(sqlite_store, memory_settings, follow_every_s=3_600)
    first = await said(sqlite_store, customer, "alamat rumah")
    await memory.open()
    await settle(memory)
    assert held() == first
    second = await said(sqlite_store, customer, "nomor sepatu")
    assert await memory.catch_up() == 0
    assert memory.is_served
    assert held() == first
    await memory.close()
    again = WeaviateMemory(sqlite_store, memory_settings, follow_every_s=3_600)
    await again.open()
    await settle(again)
    assert held() == first + second
    await again.close()
