"""Whatever happens to the Weaviate server: an answer each time, and afterwards nothing lost or come back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from config.memory import MemorySettings
from config.settings import Settings
from sandbox.weaviate.node import WeaviateNode
from sandbox.weaviate.shared import Elsewhere
from store import customers, embedding_space
from store.doors import Store
from store.memory.index import Query
from store.memory.weaviate.link import CALL_S, Link
from store.memory.weaviate.memory import WeaviateMemory
from store.memory.weaviate.rebuilding import rebuild
from store.sqlite import SqliteStore
from tests import weaviate
from tests.contract.memory import SPACE, chunk, direction, ids, new_customer, publish, said, unsaid
from tests.proxy import Proxy

# What a question may wait for the memory in all, and more for a machine that has other work.
BOUND_S = CALL_S + 4.0
RECOVERY_S = 90.0
MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="module")
def own_node(weaviate_program: Path) -> Iterator[WeaviateNode]:
    """A server that tests may harm; each leaves it running."""
    with WeaviateNode(weaviate_program) as node:
        yield node


@pytest.fixture
def prefix() -> str:
    return f"Uji{secrets.token_hex(6)}"


@pytest.fixture
def settings(own_node: WeaviateNode, make_settings: MakeSettings, prefix: str) -> MemorySettings:
    return make_settings(**own_node.settings, WEAVIATE_PREFIX=prefix).memory


@pytest.fixture
async def store(sqlite_store: SqliteStore) -> Store:
    """The faults are the server's, so one database will do."""
    await sqlite_store.write(lambda c: embedding_space.settle(c, SPACE.model, SPACE.dimensions))
    return sqlite_store


class Shop:
    """A memory under test with somebody in it who asks; and what is to be found."""

    def __init__(self, store: Store, memory: WeaviateMemory, customer: int) -> None:
        self.store = store
        self.memory = memory
        self.customer = customer

    async def ask(self) -> list[int]:
        """One question, as an answer asks it: both searches at once; ids of the turns, and in time."""
        query = Query(texts=("alamat rumah",), vectors=(direction(1),))
        began = time.monotonic()
        passages, recalled = await asyncio.gather(
            self.memory.search(query, limit=5),
            self.memory.recall(customer_id=self.customer, query=query, before_turn=None, limit=99),
        )
        assert time.monotonic() - began < BOUND_S
        assert [passage.id for passage in passages][:1] == ["alamat"]
        return ids(recalled)

    async def until_well(self) -> None:
        """Follow the log as the bot does, until the server is used again."""
        deadline = time.monotonic() + RECOVERY_S
        while True:
            applied = await self.memory.catch_up()
            if not applied and self.memory.trouble is None and self.memory.is_served:
                return
            assert time.monotonic() < deadline, self.memory.trouble
            await asyncio.sleep(0.1)

    async def asked_the_server(self) -> list[int]:
        """One question that the server must have answered itself."""
        before = self.memory.by_server
        found = await self.ask()
        assert self.memory.by_server == before + 2
        return found


@pytest.fixture
def make_memory(store: Store) -> Callable[[MemorySettings], WeaviateMemory]:
    # Nobody waits in a test for the pause that spares a server in trouble.
    return lambda settings: WeaviateMemory(store, settings, link=Link(settings, pause_s=0.2))


@pytest.fixture
async def shop(
    store: Store, settings: MemorySettings, make_memory: Callable[[MemorySettings], WeaviateMemory]
) -> AsyncIterator[Shop]:
    """A shop whose server is well."""
    customer = await new_customer(store)
    await publish(store, chunk("alamat", "alamat rumah toko", vector=direction(1)))
    memory = make_memory(settings)
    await memory.open()
    yield Shop(store, memory, customer)
    await memory.close()


async def words_said(shop: Shop, count: int) -> set[int]:
    return set(await said(shop.store, shop.customer, *["alamat rumah"] * count, vector=direction(1)))


def held(node: WeaviateNode, prefix: str) -> list[int]:
    """The turns that the server holds, looked at without the product's code."""
    return sorted(int(one["properties"]["turn_id"]) for one in weaviate.objects(node, f"{prefix}ChatTurn"))


async def test_a_server_that_is_down_at_start_stops_nobody_and_is_filled_later(
    store: Store,
    own_node: WeaviateNode,
    settings: MemorySettings,
    prefix: str,
    make_memory: Callable[[MemorySettings], WeaviateMemory],
) -> None:
    own_node.kill()
    customer = await new_customer(store)
    await publish(store, chunk("alamat", "alamat rumah toko", vector=direction(1)))
    memory = make_memory(settings)
    await memory.open()
    shop = Shop(store, memory, customer)
    said_before = await words_said(shop, 5)
    assert memory.trouble is not None
    assert set(await shop.ask()) == said_before
    assert memory.by_server == 0
    own_node.start()
    await shop.until_well()
    assert set(await shop.asked_the_server()) == said_before
    assert held(own_node, prefix) == sorted(said_before)
    await memory.close()


async def test_killed_mid_query_and_started_again_nothing_is_lost_and_nothing_comes_back(
    shop: Shop, own_node: WeaviateNode, prefix: str
) -> None:
    expected = await words_said(shop, 20)
    await shop.until_well()
    asking = asyncio.Event()

    async def keep_asking() -> None:
        while not asking.is_set():
            assert set(await shop.ask()) <= expected
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(keep_asking())
        while shop.memory.by_server < 40:  # noqa: ASYNC110 - they are counted, not announced.
            await asyncio.sleep(0.01)
        own_node.kill()
        gone = min(expected)
        await unsaid(shop.store, shop.customer, gone)
        expected |= await words_said(shop, 20)
        before = shop.memory.by_ourselves
        while shop.memory.by_ourselves < before + 40:
            await shop.memory.catch_up()
            await asyncio.sleep(0.01)
        assert shop.memory.trouble is not None
        asking.set()
    expected.discard(gone)
    assert set(await shop.ask()) == expected
    own_node.start()
    await shop.until_well()
    assert set(await shop.asked_the_server()) == expected
    assert held(own_node, prefix) == sorted(expected)


async def test_a_frozen_server_costs_one_bound_and_what_was_deleted_meanwhile_stays_deleted(
    shop: Shop, own_node: WeaviateNode, prefix: str
) -> None:
    expected = await words_said(shop, 10)
    await shop.until_well()
    own_node.freeze()
    try:
        assert set(await shop.ask()) == expected
        # From here on nobody waits for it.
        began = time.monotonic()
        for _ in range(20):
            assert set(await shop.ask()) == expected
        assert time.monotonic() - began < CALL_S
        # These writes may still reach the server when it thaws, after their deletion.
        doubtful = await words_said(shop, 5)
        await shop.memory.catch_up()
        for turn_id in doubtful:
            await unsaid(shop.store, shop.customer, turn_id)
        await shop.memory.catch_up()
    finally:
        own_node.thaw()
    await shop.until_well()
    assert set(await shop.asked_the_server()) == expected
    deadline = time.monotonic() + RECOVERY_S
    while held(own_node, prefix) != sorted(expected):
        assert time.monotonic() < deadline
        await shop.memory.catch_up()
        await asyncio.sleep(0.1)


async def test_a_write_that_arrives_after_its_deletion_is_never_shown_and_is_swept_away(
    shop: Shop, own_node: WeaviateNode, settings: MemorySettings, prefix: str
) -> None:
    expected = await words_said(shop, 3)
    [gone] = await words_said(shop, 1)
    await shop.until_well()
    [written] = [
        one for one in weaviate.objects(own_node, f"{prefix}ChatTurn") if one["properties"]["turn_id"] == gone
    ]
    await unsaid(shop.store, shop.customer, gone)
    await shop.until_well()
    assert held(own_node, prefix) == sorted(expected)
    for key in ("creationTimeUnix", "lastUpdateTimeUnix", "vectorWeights"):
        written.pop(key, None)
    weaviate.rest(own_node, "/objects", method="POST", body=written)
    assert held(own_node, prefix) == sorted(expected | {gone})
    assert set(await shop.asked_the_server()) == expected
    # A new process looks through everything once.
    await shop.memory.close()
    again = WeaviateMemory(shop.store, settings)
    await again.open()
    deadline = time.monotonic() + RECOVERY_S
    while held(own_node, prefix) != sorted(expected):
        assert time.monotonic() < deadline
        await again.catch_up()
        await asyncio.sleep(0.1)
    await again.close()


async def test_a_wrong_key_is_named_and_stops_nobody(
    shop: Shop,
    own_node: WeaviateNode,
    make_settings: MakeSettings,
    make_memory: Callable[[MemorySettings], WeaviateMemory],
    prefix: str,
) -> None:
    expected = await words_said(shop, 3)
    wrong = own_node.settings | {"WEAVIATE_API_KEY": "salah", "WEAVIATE_PREFIX": prefix}
    memory = make_memory(make_settings(**wrong).memory)
    await memory.open()
    assert memory.trouble is not None
    assert "WEAVIATE_API_KEY" in memory.trouble
    locked_out = Shop(shop.store, memory, shop.customer)
    assert set(await locked_out.ask()) == expected
    gone = min(expected)
    await unsaid(shop.store, shop.customer, gone)
    expected = expected - {gone} | await words_said(shop, 3)
    await memory.catch_up()
    assert set(await locked_out.ask()) == expected
    assert memory.by_server == 0
    await memory.close()
    # With the right key again.
    await shop.until_well()
    assert set(await shop.asked_the_server()) == expected
    assert held(own_node, prefix) == sorted(expected)


async def test_another_schema_is_named_and_never_altered(
    store: Store,
    own_node: WeaviateNode,
    settings: MemorySettings,
    prefix: str,
    make_memory: Callable[[MemorySettings], WeaviateMemory],
) -> None:
    customer = await new_customer(store)
    await publish(store, chunk("alamat", "alamat rumah toko", vector=direction(1)))
    ours = make_memory(settings)
    await ours.open()
    made = weaviate.rest(own_node, f"/schema/{prefix}ChatTurn")
    await ours.close()
    weaviate.rest(own_node, f"/schema/{prefix}ChatTurn", method="DELETE")
    # The sender taken apart into words, as a helpful person might have it: "12" would find "12 5".
    for one in made["properties"]:
        if one["name"] == "sender_id":
            one["tokenization"] = "word"
    weaviate.rest(own_node, "/schema", method="POST", body=made)
    before = weaviate.rest(own_node, f"/schema/{prefix}ChatTurn")
    memory = make_memory(settings)
    await memory.open()
    assert memory.trouble is not None
    assert "sender_id" in memory.trouble
    assert "rebuild --to weaviate" in memory.trouble
    shop = Shop(store, memory, customer)
    assert set(await shop.ask()) == await _nothing()
    expected = await words_said(shop, 3)
    for _ in range(3):
        await memory.catch_up()
        assert set(await shop.ask()) == expected
    assert memory.by_server == 0
    assert weaviate.rest(own_node, f"/schema/{prefix}ChatTurn") == before
    gone = min(expected)
    await unsaid(store, customer, gone)
    # What the owner was told to do.
    assert (await rebuild(store, settings, lambda done, total: None)).is_good
    await shop.until_well()
    assert set(await shop.asked_the_server()) == expected - {gone}
    assert held(own_node, prefix) == sorted(expected - {gone})
    await memory.close()


async def _nothing() -> set[int]:
    return set()


async def test_the_collections_of_another_database_are_left_alone(
    shop: Shop, own_node: WeaviateNode, settings: MemorySettings, prefix: str, tmp_path: Path
) -> None:
    expected = await words_said(shop, 3)
    await shop.until_well()
    other = await SqliteStore.open(tmp_path / "other" / "balas.db")
    stranger = WeaviateMemory(other, settings)
    await stranger.open()
    assert stranger.trouble is not None
    assert "WEAVIATE_PREFIX" in stranger.trouble
    await stranger.close()
    await other.close()
    assert held(own_node, prefix) == sorted(expected)
    assert set(await shop.asked_the_server()) == expected


async def test_a_read_only_server_answers_on_and_takes_what_it_missed_later(
    shop: Shop, own_node: WeaviateNode, prefix: str
) -> None:
    expected = await words_said(shop, 3)
    await shop.until_well()
    # This is what the server does to its shards when the disk is nearly full.
    [shard] = weaviate.rest(own_node, f"/schema/{prefix}ChatTurn/shards")
    path = f"/schema/{prefix}ChatTurn/shards/{shard['name']}"
    weaviate.rest(own_node, path, method="PUT", body={"status": "READONLY"})
    expected |= await words_said(shop, 3)
    await shop.memory.catch_up()
    assert shop.memory.trouble is not None
    assert set(await shop.ask()) == expected
    weaviate.rest(own_node, path, method="PUT", body={"status": "READY"})
    await shop.until_well()
    assert set(await shop.asked_the_server()) == expected
    assert held(own_node, prefix) == sorted(expected)


async def test_a_slow_line_is_waited_for_within_the_bound_and_a_cut_one_not_at_all(
    store: Store,
    own_node: WeaviateNode,
    make_settings: MakeSettings,
    make_memory: Callable[[MemorySettings], WeaviateMemory],
    prefix: str,
) -> None:
    customer = await new_customer(store)
    await publish(store, chunk("alamat", "alamat rumah toko", vector=direction(1)))
    async with Proxy(own_node.ports.http) as http, Proxy(own_node.ports.grpc) as grpc:
        through = own_node.settings | {
            "WEAVIATE_URL": f"http://127.0.0.1:{http.port}",
            "WEAVIATE_GRPC_PORT": str(grpc.port),
            "WEAVIATE_PREFIX": prefix,
        }
        memory = make_memory(make_settings(**through).memory)
        await memory.open()
        shop = Shop(store, memory, customer)
        expected = await words_said(shop, 5)
        await shop.until_well()
        assert set(await shop.asked_the_server()) == expected
        grpc.delay_s = 0.1
        assert set(await shop.asked_the_server()) == expected
        grpc.delay_s = http.delay_s = 2 * CALL_S
        assert set(await shop.ask()) == expected
        assert set(await shop.ask()) == expected
        grpc.delay_s = http.delay_s = 0.0
        await shop.until_well()
        assert set(await shop.asked_the_server()) == expected
        for _ in range(5):
            grpc.cut()
            assert set(await shop.ask()) == expected
        await shop.until_well()
        assert held(own_node, prefix) == sorted(expected)
        await memory.close()


async def test_a_deleted_customer_is_gone_from_the_servers_disk_however_much_he_said(
    shop: Shop, own_node: WeaviateNode, prefix: str
) -> None:
    kept = await words_said(shop, 3)
    chatty = await new_customer(shop.store)
    await said(shop.store, chatty, *["nomor ktp saya rahasia"] * 900, vector=direction(2))
    await shop.until_well()
    assert len(held(own_node, prefix)) == 903
    await shop.store.write(lambda connection: customers.forget(connection, chatty))
    await shop.until_well()
    assert held(own_node, prefix) == sorted(kept)
    assert "rahasia" not in str(weaviate.everything(own_node, f"{prefix}ChatTurn"))


def test_the_stranger_needs_the_key(own_node: WeaviateNode) -> None:
    stranger = Elsewhere(url=own_node.url, grpc_port=str(own_node.ports.grpc), key="salah")
    with pytest.raises(HTTPError, match="401"):
        weaviate.rest(stranger, "/schema")
