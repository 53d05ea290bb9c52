"""Three Weaviate nodes, one of which dies under questions: they are answered, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from sandbox.weaviate.node import WeaviateNode, three_nodes
from store import embedding_space
from store.memory.index import Query
from store.memory.weaviate.link import CALL_S
from store.memory.weaviate.memory import WeaviateMemory
from store.sqlite import SqliteStore
from tests import weaviate
from tests.contract.memory import SPACE, chunk, direction, ids, new_customer, publish, said

pytestmark = pytest.mark.torture
BOUND_S = CALL_S + 4.0
RECOVERY_S = 120.0


@pytest.fixture
def nodes(weaviate_program: Path) -> Iterator[list[WeaviateNode]]:
    """A cluster in which everything is kept three times."""
    with contextlib.ExitStack() as stack:
        made = three_nodes(weaviate_program)
        for node in made:
            stack.callback(node.remove)
            node.launch()
        for node in made:
            node.wait_ready()
        yield made


async def test_one_of_three_nodes_dies_and_nobody_is_kept_waiting_and_nothing_is_lost_or_doubled(
    sqlite_store: SqliteStore,
    nodes: list[WeaviateNode],
    make_settings: Callable[..., Settings],
    report: Callable[[str], None],
) -> None:
    store, prefix = sqlite_store, f"Uji{secrets.token_hex(6)}"
    settings = make_settings(
        **nodes[0].settings
        | {
            "WEAVIATE_URL": ",".join(node.url for node in nodes),
            "WEAVIATE_GRPC_PORT": ",".join(str(node.ports.grpc) for node in nodes),
            "WEAVIATE_REPLICAS": "3",
            "WEAVIATE_CONSISTENCY": "quorum",
            "WEAVIATE_PREFIX": prefix,
        }
    )
    await store.write(lambda c: embedding_space.settle(c, SPACE.model, SPACE.dimensions))
    customer = await new_customer(store)
    await publish(store, chunk("alamat", "alamat rumah toko", vector=direction(1)))
    expected = set(await said(store, customer, *["alamat rumah"] * 20, vector=direction(1)))
    memory = WeaviateMemory(store, settings.memory)
    await memory.open()
    assert memory.trouble is None
    query = Query(texts=("alamat rumah",), vectors=(direction(1),))
    over = asyncio.Event()
    slowest = 0.0

    async def keep_asking() -> None:
        nonlocal slowest
        while not over.is_set():
            began = time.monotonic()
            passages, recalled = await asyncio.gather(
                memory.search(query, limit=3),
                memory.recall(customer_id=customer, query=query, before_turn=None, limit=99),
            )
            slowest = max(slowest, time.monotonic() - began)
            assert [passage.id for passage in passages] == ["alamat"]
            assert set(ids(recalled)) <= expected
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(keep_asking())
        while memory.by_server < 50:  # noqa: ASYNC110 - they are counted, not announced.
            await asyncio.sleep(0.01)
        # The one that is asked first.
        nodes[0].kill()
        for _ in range(10):
            expected |= set(await said(store, customer, *["alamat rumah"] * 3, vector=direction(1)))
            await memory.catch_up()
        deadline, before = time.monotonic() + RECOVERY_S, memory.by_server
        while memory.trouble is not None or memory.by_server < before + 50:
            assert time.monotonic() < deadline, memory.trouble
            await memory.catch_up()
            await asyncio.sleep(0.05)
        over.set()
    report(f"slowest answer {slowest:.2f} s of {BOUND_S} s; {memory.by_ourselves} searched by ourselves")
    assert slowest < BOUND_S
    found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=99)
    assert set(ids(found)) == expected
    held = [int(one["properties"]["turn_id"]) for one in weaviate.objects(nodes[1], f"{prefix}ChatTurn")]
    assert sorted(held) == sorted(expected)
    nodes[0].start()
    deadline = time.monotonic() + RECOVERY_S
    while not memory.every_node_is_up:
        assert time.monotonic() < deadline
        await memory.catch_up()
        await asyncio.sleep(0.05)
    await memory.close()
