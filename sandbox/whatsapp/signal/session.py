"""One session of two devices: X3DH to begin it, the Double Ratchet to keep it going."""

from __future__ import annotations

import hmac
from typing import Literal

from sandbox.whatsapp.signal import kdf, wire
from sandbox.whatsapp.signal.chain import ReceivingChain
from sandbox.whatsapp.signal.errors import BadMessage, NoSession, UnknownPreKey, UntrustedBundle
from sandbox.whatsapp.signal.identity import Identity, PreKeyBundle
from sandbox.whatsapp.signal.keys import KeyPair, typed

Kind = Literal["pkmsg", "msg"]

# libsignal keeps this many chains of the other side; what comes later than five turns can't be read any more.
MOST_CHAINS = 5


class Session:
    """Both directions between a device of ours and one of theirs. A failed `decrypt` leaves it as it was."""

    __slots__ = (
        *("base", "their_identity", "_own", "_root", "_receiving"),
        *("_ratchet", "_chain", "_counter", "_previous", "_first", "_our_prefix", "_their_prefix"),
    )

    def __init__(
        self,
        own: Identity,
        *,
        their_identity: bytes,
        base: bytes,
        root: bytes,
        ratchet: KeyPair,
        chain: bytes,
    ) -> None:
        """For `begin` and `accept`. `base`, made by the first writer, tells sessions apart."""
        self.base = base
        self.their_identity = their_identity
        self._own = own
        self._root = root
        # Their chains by their ratchet keys, oldest first.
        self._receiving: dict[bytes, ReceivingChain] = {}
        # Our own chain: its ratchet key, the chain key at place `_counter`, the last place of the one before.
        self._ratchet = ratchet
        self._chain = chain
        self._counter = 0
        self._previous = 0
        # Until they answer, every message of ours carries this, for the first may be lost.
        self._first: wire.PreKeyMessage | None = None
        # What a MAC is over begins with the identities of writer and reader.
        self._our_prefix = typed(own.pair.public) + typed(their_identity)
        self._their_prefix = typed(their_identity) + typed(own.pair.public)

    @classmethod
    def begin(cls, own: Identity, theirs: PreKeyBundle) -> Session:
        """A session in which we write first. Raises UntrustedBundle; BadMessage for keys of small order."""
        if not theirs.is_genuine:
            raise UntrustedBundle("the signed prekey is not signed by the bundle's identity")
        base = KeyPair.generate(own.random)
        agreements = [
            own.pair.agree(theirs.signed_public),
            base.agree(theirs.identity),
            base.agree(theirs.signed_public),
        ]
        if theirs.one_time_public is not None:
            agreements.append(base.agree(theirs.one_time_public))
        root, _ = kdf.first_keys(b"".join(agreements))
        ratchet = KeyPair.generate(own.random)
        root, chain = kdf.next_keys(root, ratchet.agree(theirs.signed_public))
        session = cls(
            own, their_identity=theirs.identity, base=base.public, root=root, ratchet=ratchet, chain=chain
        )
        session._first = wire.PreKeyMessage(
            registration_id=own.registration_id,
            one_time_id=theirs.one_time_id,
            signed_id=theirs.signed_id,
            base=base.public,
            identity=own.pair.public,
            message=b"",
        )
        return session

    @classmethod
    def accept(cls, own: Identity, pkmsg: bytes) -> tuple[Session, bytes]:
        """A session in which they wrote first, and that message's plaintext; uses up the one-time prekey.

        Raises UnknownPreKey if a prekey it names is not ours, and BadMessage. Then no prekey is used up.
        """
        return cls.answer(own, wire.parse_prekey_message(pkmsg))

    @classmethod
    def answer(cls, own: Identity, first: wire.PreKeyMessage) -> tuple[Session, bytes]:
        """`accept` for a message that is parsed already."""
        if first.signed_id != own.signed.id:
            raise UnknownPreKey(f"signed prekey {first.signed_id}")
        signed = own.signed.pair
        agreements = [
            signed.agree(first.identity),
            own.pair.agree(first.base),
            signed.agree(first.base),
        ]
        if first.one_time_id is not None:
            if first.one_time_id not in own.one_time:
                raise UnknownPreKey(f"one-time prekey {first.one_time_id}")
            agreements.append(own.one_time[first.one_time_id].agree(first.base))
        root, chain = kdf.first_keys(b"".join(agreements))
        # Our first chain is never written to: reading the message below starts the one that is.
        session = cls(
            own, their_identity=first.identity, base=first.base, root=root, ratchet=signed, chain=chain
        )
        plaintext = session.read(wire.parse_signal_message(first.message))
        if first.one_time_id is not None:
            del own.one_time[first.one_time_id]
        return session, plaintext

    def encrypt(self, plaintext: bytes) -> tuple[Kind, bytes]:
        """The next message: until an answer was read, a `pkmsg`, which can begin the session over there."""
        cipher_key, mac_key, iv = kdf.message_keys(kdf.seed_of(self._chain))
        ciphertext = kdf.encrypt(cipher_key, iv, plaintext)
        body = wire.signal_message(self._ratchet.public, self._counter, self._previous, ciphertext)
        message = body + hmac.digest(mac_key, self._our_prefix + body, "sha256")[: wire.MAC_LENGTH]
        self._chain = kdf.after(self._chain)
        self._counter += 1
        if self._first is None:
            return "msg", message
        return "pkmsg", wire.prekey_message(self._first._replace(message=message))

    def decrypt(self, kind: str, data: bytes) -> bytes:
        """The plaintext. Raises Duplicate, BadMessage; NoSession for a `pkmsg` of another session."""
        if kind == "pkmsg":
            first = wire.parse_prekey_message(data)
            if first.base != self.base:
                raise NoSession("the message begins another session")
            data = first.message
        return self.read(wire.parse_signal_message(data))

    def knows(self, ratchet: bytes) -> bool:
        """Whether a message under this ratchet key was read here, so that others belong nowhere else."""
        return ratchet in self._receiving

    def read(self, message: wire.SignalMessage) -> bytes:
        """`decrypt` for a message that is parsed already."""
        chain = self._receiving.get(message.ratchet)
        turned = None
        if chain is None:
            turned, key = kdf.next_keys(self._root, self._ratchet.agree(message.ratchet))
            chain = ReceivingChain(key)
        step = chain.look(message.counter)
        cipher_key, mac_key, iv = kdf.message_keys(step.seed)
        mac = hmac.digest(mac_key, self._their_prefix + message.signed, "sha256")[: wire.MAC_LENGTH]
        if not hmac.compare_digest(mac, message.mac):
            raise BadMessage("the message's authentication code is wrong")
        plaintext = kdf.decrypt(cipher_key, iv, message.ciphertext)
        # Only a genuine message comes this far; from here on nothing fails.
        if turned is not None:
            self._turn(message.ratchet, chain, turned)
        chain.take(step)
        self._first = None
        return plaintext

    def _turn(self, theirs: bytes, chain: ReceivingChain, root: bytes) -> None:
        """They use a new ratchet key, so we answer with a new one of ours."""
        self._receiving[theirs] = chain
        if len(self._receiving) > MOST_CHAINS:
            del self._receiving[next(iter(self._receiving))]
        self._ratchet = KeyPair.generate(self._own.random)
        self._root, self._chain = kdf.next_keys(root, self._ratchet.agree(theirs))
        self._previous = max(self._counter - 1, 0)
        self._counter = 0
