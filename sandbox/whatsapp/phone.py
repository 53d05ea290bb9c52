"""A simulated phone: keys, sessions with the account's linked devices, what it sent and received."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.whatsapp import contents
from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.directory import User
from sandbox.whatsapp.jid import Jid
from sandbox.whatsapp.media import unseal
from sandbox.whatsapp.protos import E2E
from sandbox.whatsapp.queries import bundle_nodes
from sandbox.whatsapp.signal import (
    Duplicate,
    Identity,
    PreKeyBundle,
    Sessions,
    SignalError,
    pad,
    unpad,
)

if TYPE_CHECKING:
    from sandbox.whatsapp.network import Network

log = logging.getLogger(__name__)

# Messages that can still be sent again when somebody asks for them.
_SENT_KEPT = 256
# whatsmeow gives up after as many; so do phones.
_MOST_RETRIES = 5
_CIPHER_VERSION = "2"


@dataclass(kw_only=True)
class Receipts:
    """What the other side told about one message: device numbers of linked devices."""

    delivered: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    # How often the other side asked for it again.
    retries: int = 0


@dataclass(kw_only=True)
class Sent:
    """A message as it was sent, to be encrypted again on demand."""

    plaintext: bytes
    attributes: dict[str, Attribute]
    media: str


class Phone:
    """What a customer's and the owner's phone have in common."""

    def __init__(self, network: Network, user: User) -> None:
        self.network = network
        self.user = user
        self.identity = Identity.generate()
        self.received: list[Received] = []
        self.receipts: dict[str, Receipts] = {}
        # Messages that could not be decrypted, and how often the phone asked for each again.
        self.undecryptable: dict[str, int] = {}
        self.answers_retries = True
        self._sessions: dict[int, Sessions] = {}
        self._sent: dict[str, Sent] = {}
        self._unseen: deque[Received] = deque()
        self._arrived = asyncio.Event()
        user.phone = self

    # --- For whoever holds the phone ------------------------------------------------------------------------

    async def receive(self, timeout_s: float = 10.0) -> Received:
        """The next message that was not received this way yet. Raises TimeoutError."""
        while not self._unseen:
            self._arrived.clear()
            async with asyncio.timeout(timeout_s):
                await self._arrived.wait()
        return self._unseen.popleft()

    def open_file(self, received: Received) -> bytes:
        """The file of a received message. Raises ValueError (no file, or a broken one) and KeyError (not
        there).
        """
        kind, place = contents.file_in(received.message)
        sealed = self.network.media.fetch(place.directPath)
        return unseal(kind, sealed, key=place.mediaKey, plain_hash=place.fileSHA256)

    def forget_sessions(self) -> None:
        """Lose all Signal sessions, as after a restored backup: what comes next can't be decrypted."""
        self._sessions.clear()

    # --- For the network ------------------------------------------------------------------------------------

    def bundle(self) -> PreKeyBundle:
        """Keys for a device that writes to this phone first."""
        return self.identity.bundle()

    def deliver(self, companion: Companion, stanza: Node, encrypted: Node) -> None:
        """A linked device sent this; it is confirmed, or asked for again when it can't be decrypted."""
        message_id = stanza.text("id")
        sent_ms = time.time_ns() // 1_000_000
        try:
            plaintext = unpad(self._with(companion).decrypt(encrypted.text("type"), encrypted.data))
        except Duplicate:
            log.info("%s got %s twice", self.user.name, message_id)
            return
        except SignalError as exc:
            log.info("%s can't decrypt %s: %s", self.user.name, message_id, exc)
            self._ask_again(companion, stanza)
            return
        message = E2E.Message.FromString(plaintext)
        self.understood(companion, stanza, message, sent_ms)

    def understood(self, companion: Companion, stanza: Node, message: Message, sent_ms: int) -> None:
        """A message was decrypted."""
        raise NotImplementedError

    def take_receipt(self, companion: Companion, node: Node) -> None:
        """A linked device confirms messages of this phone, or asks for one again."""
        kind = node.text("type")
        if kind == "retry":
            self._send_again(companion, node)
            return
        ids = [
            node.text("id"),
            *(item.text("id") for entry in node.all("list") for item in entry.all("item")),
        ]
        for message_id in ids:
            receipts = self.receipts.setdefault(message_id, Receipts())
            receipts.delivered.add(companion.jid.device)
            if kind in ("read", "read-self", "played"):
                receipts.read.add(companion.jid.device)

    def take_chatstate(self, node: Node) -> None:
        """A linked device types, or stops."""

    # --- Inside ---------------------------------------------------------------------------------------------

    def keep(self, received: Received) -> None:
        self.received.append(received)
        self._unseen.append(received)
        self._arrived.set()

    def _with(self, companion: Companion) -> Sessions:
        device = companion.jid.device
        sessions = self._sessions.get(device)
        if sessions is None:
            sessions = self._sessions[device] = Sessions(self.identity)
        return sessions

    def own_address(self, companion: Companion, stanza: Node) -> Jid:
        """By which of its addresses the stanza reached this phone."""
        to = stanza.address("to")
        return self.user.jid if to is None else self.user.address_beside(to)

    def transmit(
        self,
        message_id: str,
        sent: Sent,
        *,
        to: list[Companion] | None = None,
        copies: int = 1,
        damaged: bool = False,
    ) -> None:
        """Encrypt for linked devices (all, unless some are named) and send; remember it for those who ask
        again.
        """
        self._sent[message_id] = sent
        if len(self._sent) > _SENT_KEPT:
            del self._sent[next(iter(self._sent))]
        for companion in self.network.devices_of(self.network.account) if to is None else to:
            stanza = self._stanza(companion, message_id, sent, damaged=damaged)
            for _ in range(copies):
                companion.push(stanza)

    def _stanza(
        self, companion: Companion, message_id: str, sent: Sent, *, count: int = 0, damaged: bool = False
    ) -> Node:
        sessions = self._with(companion)
        if not sessions:
            sessions.begin(self.network.bundle_of(companion))
        kind, data = sessions.encrypt(pad(sent.plaintext))
        if damaged:
            # The last bytes are the MAC.
            data = data[:-1] + bytes((data[-1] ^ 1,))
        attributes: dict[str, Attribute] = {"v": _CIPHER_VERSION, "type": kind}
        if sent.media:
            attributes["mediatype"] = sent.media
        if count:
            attributes["count"] = str(count)
        return Node("message", {"id": message_id, **sent.attributes}, [Node("enc", attributes, data)])

    def _send_again(self, companion: Companion, node: Node) -> None:
        """A linked device could not decrypt a message of ours."""
        message_id = node.text("id")
        self.receipts.setdefault(message_id, Receipts()).retries += 1
        sent = self._sent.get(message_id)
        if sent is None or not self.answers_retries:
            return
        retry = node.child("retry")
        count = int(retry.text("count", "1")) if retry is not None else 1
        keys = node.child("keys")
        if keys is not None:
            self._with(companion).begin(_bundle_in(node, keys, companion))
        companion.push(self._stanza(companion, message_id, sent, count=count))

    def _ask_again(self, companion: Companion, stanza: Node) -> None:
        message_id = stanza.text("id")
        count = self.undecryptable.get(message_id, 0) + 1
        self.undecryptable[message_id] = count
        if count > _MOST_RETRIES:
            return
        now = str(int(time.time()))
        retry: dict[str, Attribute] = {"count": str(count), "id": message_id, "t": now, "v": "1"}
        content = [Node("retry", retry), *bundle_nodes(self.identity.bundle())[:1]]
        if count > 1:
            content.append(Node("keys", {}, bundle_nodes(self.identity.bundle())[1:]))
        attributes: dict[str, Attribute] = {
            "from": self.own_address(companion, stanza),
            "id": message_id,
            "type": "retry",
            "t": now,
        }
        companion.push(Node("receipt", attributes, content))


def new_id() -> str:
    """A message id as phones make them."""
    return os.urandom(16).hex().upper()


def _bundle_in(receipt: Node, keys: Node, companion: Companion) -> PreKeyBundle:
    """The keys that a device puts into a retry receipt."""
    signed = keys.find("skey")
    one_time = keys.child("key")
    return PreKeyBundle(
        registration_id=int.from_bytes(receipt.find("registration").data, "big"),
        device_id=companion.jid.device,
        identity=keys.find("identity").data,
        signed_id=int.from_bytes(signed.find("id").data, "big"),
        signed_public=signed.find("value").data,
        signature=signed.find("signature").data,
        one_time_id=int.from_bytes(one_time.find("id").data, "big") if one_time else None,
        one_time_public=one_time.find("value").data if one_time else None,
    )


def sent_now(message: Message, attributes: dict[str, Attribute]) -> Sent:
    """A message with what the server tells about it."""
    return Sent(
        plaintext=message.SerializeToString(),
        attributes={
            **attributes,
            "type": contents.stanza_type(message),
            "t": str(int(time.time())),
        },
        media=contents.media_type(message),
    )
