"""A phone's keys: sessions with the account's linked devices, and the keys by which groups are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.jid import Jid
from sandbox.whatsapp.protos import E2E
from sandbox.whatsapp.signal import (
    Identity,
    PreKeyBundle,
    SenderKey,
    SenderKeys,
    Sessions,
    pad,
    unpad,
)

_CIPHER_VERSION = "2"


@dataclass(kw_only=True)
class Sent:
    """A message as it was sent, to be encrypted again on demand."""

    plaintext: bytes
    # Of the stanza, and what kind of file is in it.
    attributes: dict[str, Attribute]
    media: str
    # The group that it was sent to, if any.
    group: Jid | None = None


class _OwnGroupKey:
    """The key by which this phone writes in one group, and the devices that were given it."""

    def __init__(self) -> None:
        self.key = SenderKey.generate()
        self.known_to: set[int] = set()


class Keyring:
    """What one phone encrypts and decrypts with."""

    def __init__(self, bundle_of: Callable[[Companion], PreKeyBundle]) -> None:
        self.identity = Identity.generate()
        # Asks the server for the keys of a device that this phone writes to first.
        self._bundle_of = bundle_of
        self._sessions: dict[int, Sessions] = {}
        self._own: dict[Jid, _OwnGroupKey] = {}
        self._theirs: dict[tuple[Jid, int], SenderKeys] = {}

    def forget(self, device: int | None = None) -> None:
        """Lose the sessions with one device, or everything that was agreed with anybody."""
        if device is not None:
            self._sessions.pop(device, None)
            return
        self._sessions.clear()
        self._own.clear()
        self._theirs.clear()

    def begin(self, companion: Companion, bundle: PreKeyBundle) -> None:
        """Write to the device in a new session, with the keys that it gave."""
        self._with(companion).begin(bundle)

    def open(self, companion: Companion, encrypted: Node, group: Jid | None) -> bytes:
        """What a device wrote; a group key in it is learned. Raises SignalError."""
        kind = encrypted.text("type")
        if kind == "skmsg" and group is not None:
            return unpad(self._keys_in(group, companion).decrypt(encrypted.data))
        return unpad(self._with(companion).decrypt(kind, encrypted.data))

    def learn(self, companion: Companion, group: Jid, distribution: bytes) -> None:
        """Take the key by which a device writes in a group."""
        self._keys_in(group, companion).learn(distribution)

    def seal(self, companions: list[Companion], sent: Sent) -> list[list[Node]]:
        """The message for each of these devices: the ``enc`` nodes of its stanza."""
        if sent.group is None:
            return [[self._private(companion, sent.plaintext, sent.media)] for companion in companions]
        own = self._own.setdefault(sent.group, _OwnGroupKey())
        # Each device learns the key from before this message on, so it is handed out first.
        parts = [self._key_for(companion, sent.group, own) for companion in companions]
        data = own.key.encrypt(pad(sent.plaintext))
        return [[*part, _node("skmsg", data, sent.media)] for part in parts]

    def seal_again(self, companion: Companion, sent: Sent, count: int) -> list[Node]:
        """The message for a device that could not read it: to it alone, in a group with the key once more."""
        plaintext = sent.plaintext
        if sent.group is not None:
            message = E2E.Message.FromString(plaintext)
            own = self._own.setdefault(sent.group, _OwnGroupKey())
            _distribute(message, sent.group, own.key)
            plaintext = message.SerializeToString()
        return [self._private(companion, plaintext, sent.media, count)]

    def _key_for(self, companion: Companion, group: Jid, own: _OwnGroupKey) -> list[Node]:
        if companion.jid.device in own.known_to:
            return []
        own.known_to.add(companion.jid.device)
        message = E2E.Message()
        _distribute(message, group, own.key)
        return [self._private(companion, message.SerializeToString(), "")]

    def _private(self, companion: Companion, plaintext: bytes, media: str, count: int = 0) -> Node:
        sessions = self._with(companion)
        if not sessions:
            sessions.begin(self._bundle_of(companion))
        kind, data = sessions.encrypt(pad(plaintext))
        return _node(kind, data, media, count)

    def _with(self, companion: Companion) -> Sessions:
        device = companion.jid.device
        sessions = self._sessions.get(device)
        if sessions is None:
            sessions = self._sessions[device] = Sessions(self.identity)
        return sessions

    def _keys_in(self, group: Jid, companion: Companion) -> SenderKeys:
        return self._theirs.setdefault((group, companion.jid.device), SenderKeys())


def _distribute(message: E2E.Message, group: Jid, key: SenderKey) -> None:
    message.senderKeyDistributionMessage.groupID = str(group)
    message.senderKeyDistributionMessage.axolotlSenderKeyDistributionMessage = key.distribution()


def _node(kind: str, data: bytes, media: str, count: int = 0) -> Node:
    attributes: dict[str, Attribute] = {"v": _CIPHER_VERSION, "type": kind}
    if media:
        attributes["mediatype"] = media
    if count:
        attributes["count"] = str(count)
    return Node("enc", attributes, data)
