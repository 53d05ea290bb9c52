"""A linked device as the server knows it: its keys, what it has not confirmed yet, and its connection."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.jid import LID, PHONE, Jid
from sandbox.whatsapp.signal import PreKeyBundle

# Below this many one-time prekeys the server asks for more; whatsmeow uploads when told of fewer than 5.
FEW_PREKEYS = 5

# What identifies a stanza in the queue: tag, id, from whom, and the type of a receipt or notification.
Key = tuple[str, str, Jid | None, str]


class Line(Protocol):
    """A connection, as far as a device needs it."""

    def send(self, node: Node) -> None: ...


class Companion:
    """One linked device of an account."""

    def __init__(
        self,
        *,
        jid: Jid,
        lid: Jid,
        noise_public: bytes,
        identity: bytes,
        registration_id: int,
        signed: SignedKey,
    ) -> None:
        self.jid = jid
        self.lid = lid
        self.noise_public = noise_public
        self.identity = identity
        self.registration_id = registration_id
        self.signed = signed
        self.one_time: deque[tuple[int, bytes]] = deque()
        # What was sent to the device and it has not confirmed: sent again after every login.
        self.pending: dict[Key, Node] = {}
        self.line: Line | None = None
        # The device reads stanzas only after it declared itself active.
        self.is_active = False
        # Whether it shows itself as online, which is what others see.
        self.is_available = False
        self.asked_for_prekeys = False

    def push(self, node: Node) -> None:
        """Send a stanza now, or once the device is there; keep it until the device confirms it."""
        self.pending[key_of(node)] = node
        if self.is_active and self.line is not None:
            self.line.send(node)

    def send_now(self, node: Node) -> None:
        """Send what nobody misses when the device is away: presence, typing."""
        if self.is_active and self.line is not None:
            self.line.send(node)

    def answer(self, node: Node) -> None:
        """Acknowledge what the device sent; it may send before it declared itself ready for stanzas."""
        if self.line is not None:
            self.line.send(node)

    def activate(self) -> None:
        """The device is ready: give it what waited, marked as such."""
        line = self.line
        if line is None or self.is_active:
            return
        self.is_active = True
        waiting = list(self.pending.values())
        if waiting:
            line.send(_preview(waiting))
        for number, node in enumerate(waiting):
            line.send(Node(node.tag, node.attributes | {"offline": str(number)}, node.content))
        count = str(len(waiting))
        line.send(Node("ib", {"from": Jid("", PHONE)}, [Node("offline", {"count": count})]))

    def leave(self) -> None:
        """The connection is gone."""
        self.line = None
        self.is_active = False
        self.is_available = False

    def confirm(self, tag: str, stanza_id: str, sender: Jid | None, kind: str = "") -> bool:
        """The device has it; whether it was waiting for that."""
        return self.pending.pop((tag, stanza_id, sender, kind), None) is not None

    def bundle(self) -> PreKeyBundle:
        """The keys for somebody who writes to the device first; takes a one-time prekey, if any is left."""
        number, public = self.one_time.popleft() if self.one_time else (None, None)
        return PreKeyBundle(
            registration_id=self.registration_id,
            device_id=self.jid.device,
            identity=self.identity,
            signed_id=self.signed[0],
            signed_public=self.signed[1],
            signature=self.signed[2],
            one_time_id=number,
            one_time_public=public,
        )

    def upload(self, prekeys: list[tuple[int, bytes]], signed: SignedKey) -> None:
        self.one_time.extend(prekeys)
        self.signed = signed
        self.asked_for_prekeys = False

    def address_beside(self, correspondent: Jid) -> Jid:
        """The device's address of the kind that the correspondent has."""
        return self.lid if correspondent.server == LID else self.jid


# Number, public key and signature of a signed prekey.
SignedKey = tuple[int, bytes, bytes]


def key_of(node: Node) -> Key:
    """Which entry of the queue a stanza is; only messages may come again under the same type-less key."""
    kind = "" if node.tag == "message" else node.text("type")
    return node.tag, node.text("id"), node.address("from"), kind


def _preview(waiting: list[Node]) -> Node:
    messages = sum(node.tag == "message" for node in waiting)
    receipts = sum(node.tag == "receipt" for node in waiting)
    counts: dict[str, Attribute] = {
        "count": str(len(waiting)),
        "appdata": "0",
        "message": str(messages),
        "notification": str(len(waiting) - messages - receipts),
        "receipt": str(receipts),
    }
    return Node("ib", {"from": Jid("", PHONE)}, [Node("offline_preview", counts)])
