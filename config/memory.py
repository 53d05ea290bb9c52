"""The settings of the memory: what searches the shop's knowledge and each customer's past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from config import environment as env
from config.environment import keyed as _key
from config.secret import Secret


class MemoryKind(Enum):
    """What searches the shop's knowledge and each customer's past."""

    EMBEDDED = "embedded"  # The bot itself, over its own database: no server, for one host.
    WEAVIATE = "weaviate"  # A Weaviate server; whenever it is away, the bot searches by itself.


class Consistency(Enum):
    """How many copies of an object must answer; it matters only where WEAVIATE_REPLICAS is above 1."""

    ONE = "one"
    QUORUM = "quorum"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class WeaviateHost:
    """One node of a Weaviate cluster: where its REST and its gRPC interface are."""

    name: str
    port: int
    grpc_port: int
    secure: bool

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class MemorySettings:
    """What the bot remembers with."""

    kind: MemoryKind = field(default=MemoryKind.EMBEDDED, metadata=_key("MEMORY", env.one_of(MemoryKind)))
    # Not 8080, Weaviate's own default: the payment process listens there.
    weaviate_url: str = field(
        default="http://127.0.0.1:8180", metadata=_key("WEAVIATE_URL", env.several(env.http_url))
    )
    weaviate_grpc_port: str = field(
        default="50051",
        metadata=_key("WEAVIATE_GRPC_PORT", env.several(env.whole(at_least=1, at_most=65_535))),
    )
    weaviate_key: Secret | None = field(
        default=None, metadata=_key("WEAVIATE_API_KEY", env.optional(env.secret))
    )
    # The collections' names begin with it, so that several shops may share a server.
    weaviate_prefix: str = field(default="Balas", metadata=_key("WEAVIATE_PREFIX", env.class_name))
    weaviate_replicas: int = field(
        default=1, metadata=_key("WEAVIATE_REPLICAS", env.whole(at_least=1, at_most=25))
    )
    weaviate_consistency: Consistency = field(
        default=Consistency.QUORUM, metadata=_key("WEAVIATE_CONSISTENCY", env.one_of(Consistency))
    )

    @property
    def weaviate_hosts(self) -> tuple[WeaviateHost, ...]:
        """Every node, in the order in which they are tried."""
        urls = [urlsplit(url) for url in self.weaviate_url.split(",")]
        ports = [int(port) for port in self.weaviate_grpc_port.split(",")]
        if len(ports) == 1:
            ports *= len(urls)
        return tuple(
            WeaviateHost(
                name=url.hostname or "",
                port=url.port or (443 if url.scheme == "https" else 80),
                grpc_port=port,
                secure=url.scheme == "https",
            )
            for url, port in zip(urls, ports, strict=True)
        )


def problems_of(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with settings that are right one by one."""
    urls = values.get("weaviate_url", MemorySettings.weaviate_url).count(",") + 1
    ports = values.get("weaviate_grpc_port", MemorySettings.weaviate_grpc_port).count(",") + 1
    if ports in (1, urls):
        return []
    return [
        f"WEAVIATE_GRPC_PORT names {ports} ports for {urls} addresses: give one for all, or one for each."
    ]


def advice_on(memory: MemorySettings) -> list[str]:
    """What the owner should mend, though it can run."""
    if memory.kind is not MemoryKind.WEAVIATE:
        return []
    advice = []
    urls = memory.weaviate_url.split(",")
    if any(env.is_unprotected(url) for url in urls):
        advice.append(
            "WEAVIATE_URL is plain http to another machine, so all chats travel readable: use https or a"
            " private network."
        )
    if memory.weaviate_key is None:
        advice.append("WEAVIATE_API_KEY is empty: whoever reaches the Weaviate server can read all chats.")
    if memory.weaviate_replicas > len(urls):
        advice.append("WEAVIATE_REPLICAS is more than the addresses in WEAVIATE_URL: name every node there.")
    return advice
