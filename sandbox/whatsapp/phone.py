"""A simulated phone: what it sent and received, and how it talks with the account's linked devices."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.whatsapp import contents
from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.directory import User
from sandbox.whatsapp.group import Group
from sandbox.whatsapp.jid import GROUP, Jid
from sandbox.whatsapp.keyring import Keyring, Sent
from sandbox.whatsapp.media import unseal
from sandbox.whatsapp.protos import E2E
from sandbox.whatsapp.queries import bundle_nodes
from sandbox.whatsapp.signal import Duplicate, PreKeyBundle, SignalError

if TYPE_CHECKING:
    from sandbox.whatsapp.network import Network

log = logging.getLogger(__name__)

# Messages that can still be sent again when somebody asks for them.
_SENT_KEPT = 256
# whatsmeow gives up after as many; so do phones.
_MOST_RETRIES = 5


@dataclass(kw_only=True)
class Receipts:
    """What the other side told about one message: device numbers of linked devices."""

    delivered: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    # How often the other side asked for it again.
    retries: int = 0


class Phone:
    """What a customer's and the owner's phone have in common."""

    def __init__(self, network: Network, user: User) -> None:
        self.network = network
        self.user = user
        self.keyring = Keyring(network.bundle_of)
        self.received: list[Received] = []
        self.receipts: dict[str, Receipts] = {}
        # Messages that could not be decrypted, and how often the phone asked for each again.
        self.undecryptable: dict[str, int] = {}
        self.answers_retries = True
        # Off, as without a network: what it could not read is asked for again by ``ask_now`` alone.
        self.asks_again = True
        self._unasked: list[tuple[Companion, Node]] = []
        # Called with this phone after anything that its screen would show: messages, ticks, typing.
        self.watchers: list[Callable[[Phone], None]] = []
        self._sent: dict[str, Sent] = {}
        self._understood: set[str] = set()
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

    async def post(self, group: Group, content: str | Message, *, damaged: bool = False) -> str:
        """Send words or any message to a group; the message's id."""
        message = contents.text(content) if isinstance(content, str) else content
        message_id = new_id()
        attributes: dict[str, Attribute] = {
            "from": group.jid,
            "participant": self.user.lid,
            "participant_pn": self.user.jid,
            "addressing_mode": "lid",
            "notify": self.user.name,
        }
        if self.network.account in group.members:
            self.transmit(message_id, sent_now(message, attributes, group), damaged=damaged)
        for member in group.members:
            if member.phone is not None and member is not self.user:
                seen = Received.now(message_id, message, sender=self.user.lid, chat=group.jid)
                member.phone.keep(seen)
        return message_id

    def open_file(self, received: Received) -> bytes:
        """The file of a received message.

        Raises ValueError when there is none or it is broken, KeyError when the media host lost it.
        """
        kind, place = contents.file_in(received.message)
        sealed = self.network.media.fetch(place.directPath)
        return unseal(kind, sealed, key=place.mediaKey, plain_hash=place.fileSHA256)

    def forget_sessions(self) -> None:
        """Lose all Signal sessions, as after a restored backup: what comes next can't be decrypted."""
        self.keyring.forget()

    def ask_now(self) -> None:
        """Ask again for everything that could not be read since ``asks_again`` is off."""
        self.asks_again = True
        unasked, self._unasked = self._unasked, []
        for companion, receipt in unasked:
            companion.push(receipt)

    # --- For the network ------------------------------------------------------------------------------------

    def bundle(self) -> PreKeyBundle:
        """Keys for a device that writes to this phone first."""
        return self.keyring.identity.bundle()

    def deliver(self, companion: Companion, stanza: Node, encrypted: Node) -> None:
        """A linked device sent this; it is confirmed, or asked for again when it can't be decrypted."""
        message_id = stanza.text("id")
        sent_ms = time.time_ns() // 1_000_000
        group = group_of(stanza)
        try:
            plaintext = self.keyring.open(companion, encrypted, group)
            message = E2E.Message.FromString(plaintext)
            if group is not None and message.HasField("senderKeyDistributionMessage"):
                key = message.senderKeyDistributionMessage.axolotlSenderKeyDistributionMessage
                self.keyring.learn(companion, group, key)
        except Duplicate as exc:
            if message_id in self._understood:
                log.info("%s got %s twice", self.user.name, message_id)
                return
            # A new message under a used key: whatsmeow can write a session back that it read before another
            # goroutine moved it on. It is asked for again like any other that can't be read.
            log.warning("%s can't decrypt %s: %s", self.user.name, message_id, exc)
            self._ask_again(companion, stanza)
            return
        except SignalError as exc:
            log.info("%s can't decrypt %s: %s", self.user.name, message_id, exc)
            self._ask_again(companion, stanza)
            return
        self._understood.add(message_id)
        if not contents.is_key_alone(message):
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
        more = (item.text("id") for entry in node.all("list") for item in entry.all("item"))
        for message_id in (node.text("id"), *more):
            receipts = self.receipts.setdefault(message_id, Receipts())
            receipts.delivered.add(companion.jid.device)
            if kind in ("read", "read-self", "played"):
                receipts.read.add(companion.jid.device)
        self.show()

    def take_chatstate(self, node: Node) -> None:
        """A linked device types, or stops."""

    # --- Inside ---------------------------------------------------------------------------------------------

    def keep(self, received: Received) -> None:
        self.received.append(received)
        self._unseen.append(received)
        self._arrived.set()
        self.show()

    def show(self) -> None:
        """Something changed on the screen."""
        for watcher in self.watchers:
            watcher(self)
        self.network.tell()

    def own_address(self, stanza: Node) -> Jid:
        """By which of its addresses the stanza reached this phone."""
        to = stanza.address("to")
        if to is not None and to.server == GROUP:
            return self.user.lid
        return self.user.jid if to is None else self.user.address_beside(to)

    def receipt(self, stanza: Node) -> dict[str, Attribute]:
        """What a receipt for this stanza says of itself: from whom, in a group from which member of it."""
        group = group_of(stanza)
        own = self.own_address(stanza)
        attributes: dict[str, Attribute] = {"from": own, "id": stanza.text("id")}
        return attributes if group is None else attributes | {"from": group, "participant": own}

    def transmit(
        self,
        message_id: str,
        sent: Sent,
        *,
        to: list[Companion] | None = None,
        copies: int = 1,
        damaged: bool = False,
    ) -> None:
        """Send to linked devices, all unless some are named; it is kept for those who ask again."""
        self._sent[message_id] = sent
        if len(self._sent) > _SENT_KEPT:
            del self._sent[next(iter(self._sent))]
        companions = self.network.devices_of(self.network.account) if to is None else to
        for companion, nodes in zip(companions, self.keyring.seal(companions, sent), strict=True):
            if damaged:
                nodes = [_damaged(node) for node in nodes]
            stanza = Node("message", {"id": message_id, **sent.attributes}, nodes)
            for _ in range(copies):
                companion.push(stanza)

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
            self.keyring.begin(companion, _bundle_in(node, keys, companion))
        nodes = self.keyring.seal_again(companion, sent, count)
        companion.push(Node("message", {"id": message_id, **sent.attributes}, nodes))

    def _ask_again(self, companion: Companion, stanza: Node) -> None:
        message_id = stanza.text("id")
        count = self.undecryptable.get(message_id, 0) + 1
        self.undecryptable[message_id] = count
        if count > _MOST_RETRIES:
            return
        now = str(int(time.time()))
        retry: dict[str, Attribute] = {"count": str(count), "id": message_id, "t": now, "v": "1"}
        registration, *keys = bundle_nodes(self.bundle())
        content = [Node("retry", retry), registration]
        if count > 1:
            content.append(Node("keys", {}, keys))
        receipt = Node("receipt", self.receipt(stanza) | {"type": "retry", "t": now}, content)
        if self.asks_again:
            companion.push(receipt)
        else:
            self._unasked.append((companion, receipt))


def new_id() -> str:
    """A message id as phones make them."""
    return os.urandom(16).hex().upper()


def group_of(stanza: Node) -> Jid | None:
    """The group that a device's message went to; None for a private one."""
    to = stanza.address("to")
    return to if to is not None and to.server == GROUP else None


def sent_now(message: Message, attributes: dict[str, Attribute], group: Group | None = None) -> Sent:
    """A message with what the server tells about it."""
    stated: dict[str, Attribute] = {"type": contents.stanza_type(message), "t": str(int(time.time()))}
    return Sent(
        plaintext=message.SerializeToString(),
        attributes=attributes | stated,
        media=contents.media_type(message),
        group=None if group is None else group.jid,
    )


def _damaged(node: Node) -> Node:
    """The ciphertext with its last bit turned, which is one of the MAC's or the signature's."""
    data = node.data
    return Node(node.tag, node.attributes, data[:-1] + bytes((data[-1] ^ 1,)))


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
