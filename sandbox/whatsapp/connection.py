"""One web socket: handshake, frames, ciphers. What the stanzas mean is the network's business."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Protocol

from aiohttp import WSMsgType, web

from sandbox.whatsapp.binary import MalformedStanza, Node, pack, unpack
from sandbox.whatsapp.framing import Deframer, frame
from sandbox.whatsapp.noise import PROLOGUE, HandshakeFailed, Responder, TransportCipher

log = logging.getLogger(__name__)

# After a last word (failure, stream error) the client closes by itself. whatsmeow may miss the word when the
# socket closes right behind it, so the server waits this long before it does.
_PARTING_S = 2.0


class Listener(Protocol):
    """What happens on a connection."""

    def arrived(self, connection: Connection, static: bytes, payload: bytes) -> None: ...

    def received(self, connection: Connection, node: Node) -> None: ...

    def left(self, connection: Connection) -> None: ...


class Connection:
    """From the opened socket to its end."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        *,
        listener: Listener,
        responder: Responder,
        flowing: asyncio.Event,
    ) -> None:
        self.noise_public = b""
        self._socket = socket
        self._listener = listener
        self._responder = responder
        # Cleared while the network stands still: nothing is read and nothing is written.
        self._flowing = flowing
        self._writing: TransportCipher | None = None
        self._outgoing: list[bytes] = []
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Serve the socket until it closes."""
        tasks = [
            asyncio.create_task(self._read(), name="whatsapp-read"),
            asyncio.create_task(self._write(), name="whatsapp-write"),
            asyncio.create_task(self._closing.wait(), name="whatsapp-close"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._listener.left(self)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    self._report(result)

    def send(self, node: Node) -> None:
        """Put a stanza on its way; never waits."""
        if self._writing is not None:
            log.debug("-> %s", node)
            self._outgoing.append(pack(node))
            self._wake.set()

    def part(self, node: Node) -> None:
        """Send a last stanza and close soon, unless the client does so first."""
        self.send(node)
        asyncio.get_running_loop().call_later(_PARTING_S, self.close)

    def close(self) -> None:
        """End the connection without a word, as a broken network does."""
        self._closing.set()

    async def _read(self) -> None:
        frames = self._frames()
        try:
            await self._socket.send_bytes(frame(self._responder.hello(await anext(frames))))
            finish = await anext(frames)
        except StopAsyncIteration:
            return  # The client left during the handshake.
        self.noise_public, payload, reading, self._writing = self._responder.finish(finish)
        self._listener.arrived(self, self.noise_public, payload)
        async for data in frames:
            node = unpack(reading.decrypt(data))
            log.debug("<- %s", node)
            self._listener.received(self, node)

    async def _frames(self) -> AsyncIterator[bytes]:
        """The frames that the client sends; the first is preceded by the prologue."""
        deframer = Deframer()
        opening: bytes | None = b""
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY:
                continue
            await self._flowing.wait()
            data = message.data
            if opening is not None:
                opening += data
                if len(opening) < len(PROLOGUE):
                    continue
                if not opening.startswith(PROLOGUE):
                    raise HandshakeFailed("the client does not begin as WhatsApp's clients do")
                data, opening = opening[len(PROLOGUE) :], None
            for complete in deframer.feed(data):
                yield complete

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._flowing.wait()
            stanzas, self._outgoing = self._outgoing, []
            assert self._writing is not None  # Nothing is put on its way before the handshake.
            encrypt = self._writing.encrypt
            await self._socket.send_bytes(b"".join([frame(encrypt(stanza)) for stanza in stanzas]))

    def _report(self, error: Exception) -> None:
        if isinstance(error, (HandshakeFailed, MalformedStanza)):
            log.warning("the client and the server do not understand each other: %s", error)
        elif isinstance(error, ConnectionError):
            log.debug("the client is gone: %s", error)
        else:
            log.error("a fault of the sandbox's WhatsApp server", exc_info=error)
