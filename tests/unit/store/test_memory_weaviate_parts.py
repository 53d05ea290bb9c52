"""The parts of the Weaviate memory that need no server: errors, identities, words, shares of time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from weaviate.exceptions import (
    UnexpectedStatusCodeError,
    WeaviateBatchError,
    WeaviateConnectionError,
    WeaviateQueryError,
    WeaviateTimeoutError,
)

from config.errors import ConfigError
from config.settings import Settings
from store.memory.weaviate import link as links
from store.memory.weaviate.collections import chunk_uuid, telling, turn_uuid
from store.memory.weaviate.errors import WeaviateAway, WeaviateError, WeaviateRefuses, translate
from store.memory.weaviate.link import Link
from store.memory.weaviate.schema import Identity

MakeSettings = Callable[..., Settings]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (TimeoutError(), WeaviateAway),
        (ConnectionRefusedError("no"), WeaviateAway),
        (httpx.ReadError("reset"), WeaviateAway),
        (WeaviateConnectionError("refused"), WeaviateAway),
        (WeaviateTimeoutError("slow"), WeaviateAway),
        (WeaviateBatchError("store is read-only"), WeaviateAway),
        (WeaviateQueryError("status = StatusCode.UNAUTHENTICATED", "GRPC search"), WeaviateRefuses),
        (UnexpectedStatusCodeError("Meta", httpx.Response(401, json={"m": "unauthorized"})), WeaviateRefuses),
        (UnexpectedStatusCodeError("forbidden", httpx.Response(403, json={})), WeaviateRefuses),
        (WeaviateRefuses("as it was"), WeaviateRefuses),
    ],
)
def test_every_error_of_the_client_says_what_to_do(raised: Exception, kind: type[WeaviateError]) -> None:
    found = translate(raised, "127.0.0.1:1")
    assert type(found) is kind
    assert len(str(found)) < 500


def test_ids_are_the_same_for_the_same_and_differ_for_others() -> None:
    # Written down: another one tomorrow would leave everything that is stored today behind.
    assert turn_uuid(7) == UUID("f3c574cc-c31a-597d-b006-6437b07118b3")
    assert len({turn_uuid(1), turn_uuid(2), turn_uuid(12), chunk_uuid(1, "2"), chunk_uuid(12, "")}) == 5


def test_the_identity_survives_being_written_down_and_nothing_else_passes_for_one() -> None:
    for identity in (
        Identity(installation="a", index="b", space="512 text-embedding-3-small"),
        Identity(installation="a", index="b", space=""),
    ):
        assert Identity.parse(str(identity)) == identity
    for other in (None, "", "somebody's chats", "balas 0 a b", "balas 1 a"):
        assert Identity.parse(other) is None


def test_words_that_everybody_says_are_not_searched_for_unless_there_are_no_others() -> None:
    assert telling("kak garansi router berapa lama garansi") == "garansi router lama"
    assert telling("kak berapa") == "kak berapa"
    assert telling("") == ""


def test_hosts_and_ports_of_a_cluster_go_together(make_settings: MakeSettings) -> None:
    memory = make_settings(
        WEAVIATE_URL="http://127.0.0.1:8081, https://b.example", WEAVIATE_GRPC_PORT="50052,50053"
    ).memory
    assert [(str(host), host.grpc_port, host.secure) for host in memory.weaviate_hosts] == [
        ("127.0.0.1:8081", 50052, False),
        ("b.example:443", 50053, True),
    ]
    one_for_all = make_settings(WEAVIATE_URL="http://127.0.0.1:1,http://127.0.0.1:2").memory
    assert [host.grpc_port for host in one_for_all.weaviate_hosts] == [50051, 50051]
    with pytest.raises(ConfigError, match="3 ports for 2 addresses"):
        make_settings(WEAVIATE_URL="http://127.0.0.1:1,http://127.0.0.1:2", WEAVIATE_GRPC_PORT="1,2,3")


def test_what_lets_strangers_read_chats_is_advised_against(make_settings: MakeSettings) -> None:
    open_to_all = make_settings(MEMORY="weaviate", WEAVIATE_URL="http://10.0.0.5:8080", WEAVIATE_REPLICAS="3")
    assert [warning.split()[0] for warning in open_to_all.warnings] == [
        "WEAVIATE_URL",
        "WEAVIATE_API_KEY",
        "WEAVIATE_REPLICAS",
    ]
    assert make_settings(MEMORY="embedded", WEAVIATE_URL="http://10.0.0.5:8080").warnings == ()
    assert "rahasia" not in repr(make_settings(WEAVIATE_API_KEY="rahasia"))


class Client:
    """A client whose node does what the test says."""

    def __init__(self, node: str) -> None:
        self.node = node

    async def connect(self) -> None:
        """At once."""

    async def close(self) -> None:
        """At once."""

    async def is_ready(self) -> bool:
        return True


@pytest.fixture
def two_nodes(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Link:
    memory = make_settings(WEAVIATE_URL="http://127.0.0.1:1,http://127.0.0.1:2").memory
    monkeypatch.setattr(Link, "_make_client", lambda self, host: Client(str(host)))
    return Link(memory, pause_s=0.0)


async def test_a_node_that_failed_is_passed_over_until_a_probe_finds_it_well(two_nodes: Link) -> None:
    asked: list[str] = []

    async def fails_on_the_first(client: Any) -> str:
        asked.append(client.node)
        if client.node.endswith(":1"):
            raise ConnectionResetError
        return "found"

    assert await two_nodes.call(fails_on_the_first) == "found"
    assert await two_nodes.call(fails_on_the_first) == "found"
    assert asked == ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:2"]
    assert not two_nodes.every_node_is_up
    await two_nodes.probe()
    assert two_nodes.every_node_is_up
    assert await two_nodes.call(fails_on_the_first) == "found"
    assert asked[-2:] == ["127.0.0.1:1", "127.0.0.1:2"]


async def test_nodes_that_hang_cost_one_bound_together(
    two_nodes: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "CALL_S", 0.4)
    two_nodes._attempt_s = 0.3

    async def hangs(client: Any) -> None:
        await asyncio.sleep(3_600)

    began = time.monotonic()
    with pytest.raises(WeaviateAway, match="did not answer in time"):
        await two_nodes.call(hangs)
    # A generous deadline: what matters is that it is not twice an hour.
    assert time.monotonic() - began < 30
    assert not two_nodes.is_up
    with pytest.raises(WeaviateAway):
        await two_nodes.call(hangs)


async def test_a_refusal_is_not_asked_for_again_and_is_what_is_told(two_nodes: Link) -> None:
    async def refused(client: Any) -> None:
        raise WeaviateQueryError("UNAUTHENTICATED", "GRPC search")

    with pytest.raises(WeaviateRefuses):
        await two_nodes.call(refused)
    assert isinstance(two_nodes.trouble, WeaviateRefuses)
