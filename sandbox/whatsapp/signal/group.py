"""Keys of groups: every member device writes with a key of its own, which it hands to all others in advance.

The key reaches each of them inside an ordinary session, as a distribution message; a group message is then
encrypted once for all, and signed, because everybody who can read with the key could write with it as well.
"""

from __future__ import annotations

import os

from sandbox.whatsapp.signal import kdf, wire
from sandbox.whatsapp.signal.chain import ReceivingChain
from sandbox.whatsapp.signal.errors import BadMessage, NoSession
from sandbox.whatsapp.signal.keys import KeyPair, Random, verify

# libsignal keeps so many keys of one sender: a member that left makes all others take new ones.
MOST_KEYS = 5


class SenderKey:
    """The key by which one device of ours writes in one group. To change it, generate another."""

    __slots__ = ("_chain", "_counter", "_pair", "_random", "id")

    def __init__(self, *, id: int, chain: bytes, pair: KeyPair, random: Random = os.urandom) -> None:
        self.id = id
        self._chain = chain
        self._counter = 0
        self._pair = pair
        self._random = random

    @classmethod
    def generate(cls, random: Random = os.urandom) -> SenderKey:
        # libsignal draws 31 bits in some ports and 32 in others; all take these.
        number = int.from_bytes(random(4), "big") & 0x7FFF_FFFF
        return cls(id=number, chain=random(32), pair=KeyPair.generate(random), random=random)

    def distribution(self) -> bytes:
        """What lets a member read from the next message on, and none before."""
        return wire.distribution_message(
            wire.DistributionMessage(
                id=self.id, counter=self._counter, chain=self._chain, signing=self._pair.public
            )
        )

    def encrypt(self, plaintext: bytes) -> bytes:
        """The next message of the group (WhatsApp calls its kind `skmsg`)."""
        key, iv = kdf.group_keys(kdf.seed_of(self._chain))
        body = wire.sender_key_message(self.id, self._counter, kdf.encrypt(key, iv, plaintext))
        self._chain = kdf.after(self._chain)
        self._counter += 1
        return body + self._pair.sign(body, self._random)


class SenderKeys:
    """What one device of ours knows of the keys by which one other device writes in one group."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # Signing key and chain by the key's number, the newest last.
        self._known: dict[int, tuple[bytes, ReceivingChain]] = {}

    def learn(self, distribution: bytes) -> None:
        """Take in a distribution message. Raises BadMessage."""
        learnt = wire.parse_distribution_message(distribution)
        known = self._known.pop(learnt.id, None)
        if known is None or known[0] != learnt.signing:
            known = learnt.signing, ReceivingChain(learnt.chain, learnt.counter)
        # A key that is handed out again stays where it was: what was read with it is not to be read twice.
        self._known[learnt.id] = known
        if len(self._known) > MOST_KEYS:
            del self._known[next(iter(self._known))]

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext. Raises NoSession for a key that was never handed to us, Duplicate, BadMessage."""
        message = wire.parse_sender_key_message(data)
        if message.id not in self._known:
            raise NoSession(f"sender key {message.id} was not handed to us")
        signing, chain = self._known[message.id]
        if not verify(signing, message.signed, message.signature):
            raise BadMessage("the group message's signature is wrong")
        step = chain.look(message.counter)
        key, iv = kdf.group_keys(step.seed)
        plaintext = kdf.decrypt(key, iv, message.ciphertext)
        chain.take(step)
        return plaintext
