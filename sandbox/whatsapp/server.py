"""The WhatsApp server that tests, demo and benchmarks run inside their own process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from sandbox.whatsapp import library
from sandbox.whatsapp.authority import Authority
from sandbox.whatsapp.binary import Node
from sandbox.whatsapp.certificate import Validity, chain, sandbox_root
from sandbox.whatsapp.connection import Connection
from sandbox.whatsapp.customer import Addressing, Customer
from sandbox.whatsapp.faults import Faults, Refusal
from sandbox.whatsapp.group import STATUS, Group
from sandbox.whatsapp.mediahost import MediaHost
from sandbox.whatsapp.network import Network
from sandbox.whatsapp.noise import Responder
from sandbox.whatsapp.owner import Owner
from sandbox.whatsapp.phone import Phone
from sandbox.whatsapp.signal import KeyPair

_LARGEST_MESSAGE = 1 << 24


class WhatsAppServer:
    """``async with WhatsAppServer() as wa``: a server on loopback with the shop's phone and any number of
    customers.

    Without a port it takes one of the pool and holds it until the end. Between ``stop()`` and ``start()`` the
    network is down; everything that was known before is still known afterwards.
    """

    def __init__(
        self, *, port: int | None = None, owner_number: str = "6281100000001", owner_name: str = "Pemilik"
    ) -> None:
        self._wanted = port
        self._claim = contextlib.ExitStack()
        self._runner: web.AppRunner | None = None
        self._network = Network(owner_number=owner_number, owner_name=owner_name)
        self._static = KeyPair.generate()
        self._certificate = b""
        self._authority = Authority()
        self.owner = Owner(self._network, self._network.account)
        self.port = 0

    async def __aenter__(self) -> Self:
        self.port = await asyncio.to_thread(self._claim.enter_context, library.claimed_port(self._wanted))
        self._certificate = chain(
            root=sandbox_root(),
            intermediate=KeyPair.generate(),
            leaf_public=self._static.public,
            validity=Validity.around(int(time.time())),
        )
        self._authority.publish(library.authority_file(self.port))
        try:
            await self.start()
        except BaseException:
            self._claim.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            self._claim.close()

    @property
    def url(self) -> str:
        return library.url(self.port)

    @property
    def network(self) -> Network:
        """The server's inside, for tests that look at what it knows."""
        return self._network

    @property
    def logins(self) -> int:
        """How often clients tried to come in so far."""
        return self._network.logins

    @property
    def media(self) -> MediaHost:
        """Where files lie."""
        return self._network.media

    @property
    def faults(self) -> Faults:
        return self._network.faults

    @property
    def environment(self) -> dict[str, str]:
        """What to start a program with so that its neonize comes here."""
        return library.environment(self.port)

    async def start(self) -> None:
        """Listen, again after ``stop``."""
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        await self._network.media.start(self._authority.server_context())
        # Connections live as long as their clients, so the end must not wait for them.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True).start()
        self._runner = runner

    async def stop(self) -> None:
        """Close every connection and stop listening: the network is down."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        await self.drop()
        await runner.cleanup()
        await self._network.media.stop()

    async def customer(self, number: str, *, name: str = "", lid: bool | Addressing = True) -> Customer:
        """A customer with a phone. ``lid``: True for LID and number, False for the number alone."""
        if isinstance(lid, bool):
            lid = Addressing.LID if lid else Addressing.PHONE
        return Customer(self._network, self._network.directory.enter(number, name or number), lid)

    async def group(self, subject: str, members: Sequence[Phone]) -> Group:
        """A group of these phones, the first of which made it; the owner's phone brings in the bot."""
        groups = self._network.groups
        made = Group.made(len(groups) + 1, subject, [phone.user for phone in members])
        groups[made.jid] = made
        return made

    @property
    def status(self) -> Group:
        """Where people post their status, which the shop sees as well."""
        return Group(STATUS, "", [self._network.account])

    async def online(self, timeout_s: float = 30.0) -> None:
        """Wait until a linked device is logged in and ready for messages. Raises TimeoutError."""
        await self.until(lambda: any(c.is_active for c in self._network.companions.values()), timeout_s)

    async def offline(self, timeout_s: float = 30.0) -> None:
        """Wait until no linked device is connected. Raises TimeoutError."""
        await self.until(lambda: not any(c.line for c in self._network.companions.values()), timeout_s)

    async def until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until it holds; looked at whenever a device or a phone changes. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await self._network.changed.wait()

    # --- Faults ---------------------------------------------------------------------------------------------

    async def drop(self) -> None:
        """Break every connection without a word."""
        for connection in self._network.connections():
            connection.close()
        await self.until(lambda: not self._network.connections(), 5.0)

    def freeze(self) -> None:
        """Read and write nothing more, on open and new connections, until ``thaw``."""
        self.faults.flowing.clear()

    def thaw(self) -> None:
        self.faults.flowing.set()

    def refuse(self, reason: int, *, times: int | None = 1, **attributes: str) -> None:
        """Turn away the next logins: 401 logged out, 402 banned for a time, 403, 405 outdated, 503 ..."""
        self.faults.refusal = Refusal(reason=reason, times=times, attributes=attributes)

    def accept(self) -> None:
        """Let clients in again."""
        self.faults.refusal = None

    def stream_error(self, code: int) -> None:
        """Send every connection a stream error and close it."""
        self._part(Node("stream:error", {"code": str(code)}))

    def conflict(self, kind: str = "replaced") -> None:
        """Tell every connection that another one took its place, and close it."""
        self._part(Node("stream:error", {}, [Node("conflict", {"type": kind})]))

    def _part(self, node: Node) -> None:
        for connection in self._network.connections():
            connection.part(node)

    def nack(self, code: int, *, times: int = 1) -> None:
        """Turn down the next messages of the bot, such as 463: a new chat that WhatsApp does not allow."""
        self.faults.nack = (code, times)

    def swallow_acks(self, count: int = 1) -> None:
        """Deliver the next messages of the bot and never tell it so."""
        self.faults.acks_swallowed = count

    def offer_codes(self, count: int) -> None:
        """How many QR codes the next clients get: 6 like WhatsApp; with 0 the pairing times out at once."""
        self._network.pairing.codes = count

    def slow_ack(self, delay_s: float) -> None:
        """Acknowledge the bot's messages this much later; 0 for at once."""
        self.faults.ack_delay_s = delay_s

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        await self.faults.flowing.wait()
        socket = web.WebSocketResponse(max_msg_size=_LARGEST_MESSAGE, compress=False)
        await socket.prepare(request)
        connection = Connection(
            socket,
            listener=self._network,
            responder=Responder(self._static, self._certificate),
            flowing=self.faults.flowing,
        )
        try:
            await connection.run()
        finally:
            # Whatever ended it, the client sees a broken connection rather than a polite farewell.
            if request.transport is not None:
                request.transport.abort()
        return socket
