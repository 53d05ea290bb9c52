"""neonize's client, tamed: the only module that calls it. It translates and decides nothing.

What was learned the hard way and holds here:
- whatsmeow acknowledges a message to WhatsApp before Python sees it, so the raw event is handed over inside
  the callback, on Go's thread; what must be durable is made durable there.
- An exception in that callback, or in a handler on the loop, would vanish without a trace.
- Calls that ask Go's store abort the whole process when nobody is logged in: see ``is_paired``.
- A client that was never paired cannot be stopped: its Go call goes on until the process ends.
- Each call to Go takes a thread of the default executor, and the connection keeps one for life.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from bot.whatsapp import jids
from config.ending import within
from store.outbox import Kind

log = structlog.get_logger(__name__)

# The connection, the sends of the outbox's lanes, signs of life, and the store's long reads.
# Python's switch interval stays as it is (5 ms): shorter ones, down to 0.1 ms, made neither this callback nor
# the answers faster in a way that could be told from chance (``python -m bench.whatsapp --only switch``).
THREADS = 24
# Closing the socket takes no time, unless all threads hang.
CLOSE_TIMEOUT_S = 3.0
# Then Go ends by itself, or not before the process does; nothing depends on it any more.
STOP_TIMEOUT_S = 1.0
# A slow line takes this long for some megabytes of a file; whatsmeow sets no limit of its own.
TRANSFER_TIMEOUT_S = 120.0
# Those that were given up on keep their threads for as long as they hang.
MOST_TRANSFERS = 6
# Events that are still between Go's socket and our callback after the socket was closed.
QUIET_BEFORE_STOP_S = 0.25
_DEVICE_NAME = "Balas"

# neonize's numbers of the events that we take (its `events.py`). An event with an unset required field ends
# Go's event pump for good, so nothing is subscribed to that we don't need.
ME = 0
MESSAGE = 17
PAIR_STATUS = 2
CONNECTED = 3
KEEPALIVE_TIMEOUT = 4
KEEPALIVE_RESTORED = 5
LOGGED_OUT = 6
STREAM_REPLACED = 7
TEMPORARY_BAN = 8
CONNECT_FAILURE = 9
CLIENT_OUTDATED = 10
STREAM_ERROR = 11
DISCONNECTED = 12
HISTORY_SYNC = 13
OFFLINE_PREVIEW = 26
OFFLINE_COMPLETED = 27
UNDECRYPTABLE = 44
SUBSCRIBED = (
    PAIR_STATUS,
    CONNECTED,
    KEEPALIVE_TIMEOUT,
    KEEPALIVE_RESTORED,
    LOGGED_OUT,
    STREAM_REPLACED,
    TEMPORARY_BAN,
    CONNECT_FAILURE,
    CLIENT_OUTDATED,
    STREAM_ERROR,
    DISCONNECTED,
    MESSAGE,
    OFFLINE_PREVIEW,
    OFFLINE_COMPLETED,
    UNDECRYPTABLE,
    HISTORY_SYNC,
)


class BridgeError(Exception):
    """Go answered with an error; the text is whatsmeow's, for ``outcomes.of_error``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Callbacks:
    """What the bridge calls. ``message`` runs on Go's thread, all others on the event loop."""

    message: Callable[[bytes], None]
    event: Callable[[int, bytes], None]
    qr: Callable[[str], None]
    login: Callable[[str], None]


class Bridge:
    """One session. Build it on the event loop's thread; one for each process, never after a fork."""

    def __init__(self, neonize: Any, address: str, *, account: str, callbacks: Callbacks) -> None:
        from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps

        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="go"))
        self._callbacks = callbacks
        self._last_callback = time.monotonic()
        self._connection: asyncio.Task[None] | None = None
        self._transfers: set[asyncio.Task[Any]] = set()
        self.is_paired = False  # Go's store may be asked
        props = DeviceProps(os=_DEVICE_NAME, platformType=DeviceProps.CHROME)
        # A short name of our own: it would be the whole address otherwise.
        self._client = neonize.NewAClient(address, uuid=account, props=props)
        self._client.event.execute = self._execute
        self._client.event.list_func = dict.fromkeys(SUBSCRIBED)
        self._client.event.qr(self._on_qr)
        # Private in Python, but the only place where the end of a pairing is told.
        self._client._NewAClient__onLoginStatus = self._on_login

    async def connect(self) -> None:
        """Connect and stay connected; returns after ``stop``, raises BridgeError when Go gives up.

        Without a network that is at once. Later it means that the event pump ended: messages would be
        acknowledged and lost, so the process must end.
        """
        from neonize.exc import NeonizeError

        self._connection = await self._client.connect()
        try:
            # Shielded: cancelling it would stop Go in the middle of whatever it does.
            await asyncio.shield(self._connection)
        except NeonizeError as exc:
            raise BridgeError(str(exc)) from exc

    async def own_jids(self) -> tuple[str, ...]:
        """The shop's own addresses, phone number first; empty when it is not logged in."""
        if not self.is_paired:
            return ()
        me = await self._client.get_me()
        return tuple(jids.written(jid) for jid in (me.JID, me.LID) if jid.User)

    async def is_saved(self, chat: str) -> bool:
        """Whether the phone has a name of its own for this person. Raises BridgeError."""
        from neonize.exc import ContactStoreError

        try:
            contact = await self._client.contact.get_contact(_jid(chat))
        except ContactStoreError as exc:
            raise BridgeError(str(exc)) from exc
        # The push name is what he calls himself; the others stand in the phone's address book.
        return bool(contact.Found and (contact.FullName or contact.FirstName))

    async def pairing_code(self, number: str) -> str:
        """The eight characters to type into the phone with this number. Raises BridgeError."""
        from neonize.exc import PairPhoneError
        from neonize.utils.enum import ClientName, ClientType

        try:
            code = await self._client.PairPhone(number, True, ClientName.LINUX, ClientType.CHROME)
        except PairPhoneError as exc:
            raise BridgeError(str(exc)) from exc
        return str(code)

    async def send(self, chat: str, message: Any) -> str:
        """Send a ``waE2E.Message``; the id under which WhatsApp took it. Raises BridgeError.

        Not to be cancelled: Go would go on sending.
        """
        from neonize.exc import SendMessageError

        try:
            sent = await self._client.send_message(_jid(chat), message)
        except SendMessageError as exc:
            raise BridgeError(str(exc)) from exc
        return str(sent.ID)

    async def upload(self, data: bytes, kind: Kind) -> Any:
        """Leave a file on WhatsApp's media host; where it lies and its key (``Neonize.UploadResponse``).

        Raises BridgeError, also when it takes too long: Go cannot be told to give up, but nothing was sent.
        """
        from neonize.exc import UploadError
        from neonize.utils.enum import MediaType

        media = {Kind.IMAGE: MediaType.MediaImage, Kind.AUDIO: MediaType.MediaAudio}
        try:
            return await self._transfer(
                self._client.upload(data, media.get(kind, MediaType.MediaDocument)), "upload"
            )
        except UploadError as exc:
            raise BridgeError(str(exc)) from exc

    async def download(self, message: Any) -> bytes:
        """The file of a ``waE2E.Message``, decrypted and checked. Raises BridgeError as ``upload`` does."""
        from neonize.exc import DownloadError

        try:
            return bytes(await self._transfer(self._client.download_any(message), "download"))
        except DownloadError as exc:
            raise BridgeError(str(exc)) from exc

    async def _transfer(self, work: Coroutine[Any, Any, Any], what: str) -> Any:
        """Wait for a file's transfer, but not for ever: one that hangs keeps a thread of Go's."""
        if len(self._transfers) >= MOST_TRANSFERS:
            work.close()
            raise BridgeError(f"too many transfers are under way for another {what}")
        transfer = asyncio.create_task(work, name=f"whatsapp-{what}")
        self._transfers.add(transfer)
        transfer.add_done_callback(self._transferred)
        try:
            return await asyncio.wait_for(asyncio.shield(transfer), TRANSFER_TIMEOUT_S)
        except TimeoutError as exc:
            raise BridgeError(f"the {what} took too long") from exc

    def _transferred(self, transfer: asyncio.Task[Any]) -> None:
        self._transfers.discard(transfer)
        if not transfer.cancelled() and transfer.exception() is not None:
            # Whoever waited for it has heard; after a time-out nobody does.
            log.info("transfer_failed", what=transfer.get_name())

    async def mark_read(self, chat: str, message_ids: tuple[str, ...]) -> None:
        """Show the customer that his messages were read. Raises BridgeError."""
        from neonize.exc import MarkReadError
        from neonize.utils.enum import ReceiptType

        to = _jid(chat)
        try:
            await self._client.mark_read(*message_ids, chat=to, sender=to, receipt=ReceiptType.READ)
        except MarkReadError as exc:
            raise BridgeError(str(exc)) from exc

    async def composing(self, chat: str) -> None:
        """Show "sedang mengetik" in one chat. Raises BridgeError."""
        from neonize.exc import SendPresenceError
        from neonize.utils.enum import ChatPresence, ChatPresenceMedia

        state, media = ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT
        try:
            await self._client.send_chat_presence(_jid(chat), state, media)
        except SendPresenceError as exc:
            raise BridgeError(str(exc)) from exc

    async def unavailable(self) -> None:
        """Tell WhatsApp that nobody sits here: otherwise the owner's phone would ring no more."""
        from neonize.exc import SendPresenceError
        from neonize.utils.enum import Presence

        try:
            await self._client.send_presence(Presence.UNAVAILABLE)
        except SendPresenceError as exc:
            raise BridgeError(str(exc)) from exc

    async def answers(self, number: str) -> bool:
        """Whether WhatsApp answers a real question now; takes as long as it takes."""
        from neonize.exc import IsOnWhatsAppError

        try:
            await self._client.is_on_whatsapp(number)
        except IsOnWhatsAppError:
            return False
        return True

    async def disconnect(self) -> None:
        """Close the socket, so that nothing is acknowledged any more. A client without a session stays."""
        if self.is_paired:
            await self._client.disconnect()

    async def stop(self) -> bool:
        """Close the connection; whether everything that came in by then has reached ``message``.

        Go itself may not have ended: it shows a code for ever, a send to a silent server takes more than a
        minute, and each keeps a thread until the process ends.
        """
        if self._connection is None or self._connection.done() or not self.is_paired:
            # Nothing came in, or nothing does any more.
            return True
        if not await within(CLOSE_TIMEOUT_S, self._fall_silent()):
            return False
        await within(STOP_TIMEOUT_S, self._end_go(self._connection))
        return True

    async def _fall_silent(self) -> None:
        await self._client.disconnect()
        # Go's thread could set no event for what has not come.
        while (left_s := self._last_callback + QUIET_BEFORE_STOP_S - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left_s)

    async def _end_go(self, connection: asyncio.Task[None]) -> None:
        await self._client.stop()
        with contextlib.suppress(Exception):
            await asyncio.shield(connection)

    def _execute(self, uuid: int, binary: int, size: int, code: int) -> None:
        """Called by Go, one event after the other, on a thread of its own."""
        try:
            self._last_callback = time.monotonic()
            raw = ctypes.string_at(binary, size)
            if code == MESSAGE:
                self._callbacks.message(raw)
            self._call(self._callbacks.event, code, raw)
        except Exception:
            log.exception("event_lost", code=code)

    async def _on_qr(self, client: Any, text: bytes) -> None:
        self._callbacks.qr(text.decode())

    def _on_login(self, uuid: int, status: int) -> None:
        """Called by Go when the pairing ended; the text must be copied before this returns."""
        self._call(self._callbacks.login, ctypes.string_at(status).decode())

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        # A closed loop means that the process is ending.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)


def _jid(chat: str) -> Any:
    from neonize.utils.jid import build_jid

    user, server = jids.split(chat)
    return build_jid(user, server)
