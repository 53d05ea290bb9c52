"""The memory on a real Weaviate server: the contract of every memory, and what only this one promises."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from config.settings import MemorySettings, Settings
from sandbox.weaviate.node import WeaviateNode
from store.doors import Store
from store.memory.weaviate.memory import WeaviateMemory
from tests import weaviate
from tests.contract.memory import MakeMemory, MemoryContract


@pytest.fixture
def memory_settings(
    weaviate_node: WeaviateNode, make_settings: Callable[..., Settings]
) -> Iterator[MemorySettings]:
    """Settings with collections of the test's own."""
    prefix = f"Uji{secrets.token_hex(6)}"
    yield make_settings(**weaviate_node.settings, WEAVIATE_PREFIX=prefix).memory
    weaviate.drop(weaviate_node, prefix)


class TestWeaviateMemory(MemoryContract):
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
