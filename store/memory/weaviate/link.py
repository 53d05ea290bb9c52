"""The connection to the server's nodes: every call bounded, a dead node passed over, none asked in vain.

The client holds a query to a dead server for a minute and does not reconnect by itself, so nothing here waits
for the client's own patience. Nodes are tried in the order of the settings; one that failed is left alone by
customers' questions until a probe of our own, off their path, found it well again.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from config.memory import MemorySettings, WeaviateHost
from store.breaker import Breaker
from store.memory.weaviate.errors import WeaviateAway, WeaviateError, WeaviateRefuses, translate

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

T = TypeVar("T")
Work = Callable[["WeaviateAsyncClient"], Awaitable[T]]

# No question of a customer waits longer for the memory, whatever the server does.
CALL_S = 3.0
# With another node to turn to, one that hangs gets less.
ONE_OF_SEVERAL_S = 1.0
PROBE_S = 1.0
PAUSE_S = 5.0
_CLOSE_S = 1.0


@dataclass(kw_only=True)
class _Node:
    host: WeaviateHost
    breaker: Breaker
    client: WeaviateAsyncClient | None = None
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Why it is not used now: the last failure.
    trouble: WeaviateError | None = None


class Link:
    """The server as one thing to call, however many nodes it has. Belongs to one event loop."""

    def __init__(self, settings: MemorySettings, *, pause_s: float = PAUSE_S) -> None:
        self._key = settings.weaviate_key
        hosts = settings.weaviate_hosts
        self._attempt_s = CALL_S if len(hosts) == 1 else ONE_OF_SEVERAL_S
        # A question searches twice at once; a single node is given up when both failed.
        failures = 2 if len(hosts) == 1 else 1
        self._nodes = [
            _Node(host=host, breaker=Breaker(failures=failures, pause_s=pause_s)) for host in hosts
        ]

    @property
    def is_up(self) -> bool:
        """Whether a question may try: some node did not fail lately."""
        return any(node.breaker.is_closed for node in self._nodes)

    @property
    def every_node_is_up(self) -> bool:
        return all(node.breaker.is_closed for node in self._nodes)

    @property
    def trouble(self) -> WeaviateError | None:
        """Why no node can be used; None when one can."""
        if self.is_up:
            return None
        refusals = [node.trouble for node in self._nodes if isinstance(node.trouble, WeaviateRefuses)]
        return refusals[0] if refusals else self._nodes[0].trouble

    async def load(self) -> None:
        """Import the client off the loop: it takes most of a second."""
        await asyncio.to_thread(importlib.import_module, "weaviate.classes")
        # It tells every retry of its own at length, and whatever comes of it is told by us.
        logging.getLogger("weaviate-client").setLevel(logging.WARNING)

    async def close(self) -> None:
        for node in self._nodes:
            await _drop(node)

    async def call(self, work: Work[T], *, patient: bool = False) -> T:
        """The result of ``work`` with the first node that gives one within the bound.

        ``work`` may run more than once, so it must be repeatable. ``patient`` is for what no customer waits
        for: every node then gets the whole bound. Raises ``WeaviateError``.
        """
        attempt_s = CALL_S if patient else self._attempt_s
        deadline = time.monotonic() + (CALL_S * len(self._nodes) if patient else CALL_S)
        last: WeaviateError | None = None
        for node in self._nodes:
            left_s = deadline - time.monotonic()
            if not node.breaker.is_closed or left_s <= 0:
                continue
            try:
                return await self._try(node, work, min(left_s, attempt_s))
            except WeaviateError as exc:
                last = exc
        raise last or self.trouble or WeaviateAway("no Weaviate server is reachable")

    async def probe(self) -> None:
        """Try the nodes that failed, once their pause is over; those that answer are used again."""
        for node in self._nodes:
            if node.breaker.is_closed or not node.breaker.allow():
                continue
            with contextlib.suppress(WeaviateError):
                await self._try(node, _ask_for_life, PROBE_S, fresh=True)

    def give_up(self, reason: WeaviateRefuses) -> None:
        """Use no node until a probe: the server answers, but not as it must."""
        for node in self._nodes:
            node.trouble = reason
            while node.breaker.is_closed:
                node.breaker.failed()

    async def _try(self, node: _Node, work: Work[T], timeout_s: float, *, fresh: bool = False) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                if fresh:
                    await _drop(node)
                client = await self._connected(node)
                result = await work(client)
        except Exception as exc:
            # The client lets errors of httpx and gRPC through as well as its own.
            node.trouble = translate(exc, str(node.host))
            node.breaker.failed()
            if isinstance(node.trouble, WeaviateRefuses):
                # Asking again in the same words would not change its mind.
                while node.breaker.is_closed:
                    node.breaker.failed()
            raise node.trouble from exc
        node.breaker.succeeded()
        node.trouble = None
        return result

    async def _connected(self, node: _Node) -> WeaviateAsyncClient:
        if node.client is not None:
            return node.client
        async with node.connecting:
            if node.client is None:
                client = self._make_client(node.host)
                try:
                    await client.connect()
                except BaseException:
                    with contextlib.suppress(Exception):
                        await client.close()
                    raise
                node.client = client
        return node.client

    def _make_client(self, host: WeaviateHost) -> WeaviateAsyncClient:
        import weaviate
        from weaviate.classes.init import AdditionalConfig, Auth, Timeout

        return weaviate.use_async_with_custom(
            http_host=host.name,
            http_port=host.port,
            http_secure=host.secure,
            grpc_host=host.name,
            grpc_port=host.grpc_port,
            grpc_secure=host.secure,
            auth_credentials=Auth.api_key(self._key.reveal()) if self._key else None,
            additional_config=AdditionalConfig(timeout=Timeout(init=CALL_S, query=CALL_S, insert=CALL_S)),
            # They ask a package index for the newest client, among others.
            skip_init_checks=True,
        )


async def _ask_for_life(client: WeaviateAsyncClient) -> None:
    if not await client.is_ready():
        raise WeaviateAway("the Weaviate server says that it is not ready")


async def _drop(node: _Node) -> None:
    client, node.client = node.client, None
    if client is not None:
        # A client whose server is gone may fail to say goodbye; nothing depends on it.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_S):
                await client.close()
