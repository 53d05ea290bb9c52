"""What one device keeps for as long as it lives: its identity and the prekeys others may write first with."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sandbox.whatsapp.signal.keys import KeyPair, Random, typed, verify

# WhatsApp sends a prekey's number in three bytes; 0 means none, and clients never forget the highest.
_MOST_PREKEYS = 0xFFFFFE


@dataclass(frozen=True, kw_only=True)
class PreKeyBundle:
    """The public keys that the server hands to somebody who wants to write to a device first."""

    registration_id: int
    device_id: int
    identity: bytes
    signed_id: int
    signed_public: bytes
    signature: bytes
    one_time_id: int | None = None
    one_time_public: bytes | None = None

    @property
    def is_genuine(self) -> bool:
        """Whether the identity signed the signed prekey."""
        return verify(self.identity, typed(self.signed_public), self.signature)


@dataclass(frozen=True, kw_only=True)
class SignedPreKey:
    """A prekey of longer life, signed by the identity (over the key with its type)."""

    id: int
    pair: KeyPair
    signature: bytes


class Identity:
    """The long-term state of one simulated device."""

    def __init__(self, *, registration_id: int, pair: KeyPair, random: Random = os.urandom) -> None:
        self.registration_id = registration_id
        self.pair = pair
        self.random = random
        # Private halves of the one-time prekeys that nobody has used yet, by their numbers.
        self.one_time: dict[int, KeyPair] = {}
        self._last_one_time = 0
        self.signed = self._sign_prekey(1)

    @classmethod
    def generate(cls, random: Random = os.urandom) -> Identity:
        # Phones draw 14 bits, and never 0.
        registration_id = int.from_bytes(random(2), "big") % 0x3FFE + 1
        return cls(registration_id=registration_id, pair=KeyPair.generate(random), random=random)

    def renew_signed(self) -> None:
        """Replace the signed prekey, as phones do now and then; what is written to the old one is lost."""
        self.signed = self._sign_prekey(self.signed.id % _MOST_PREKEYS + 1)

    def more_one_time(self, count: int) -> list[int]:
        """Make one-time prekeys and give their numbers."""
        made = []
        for _ in range(count):
            self._last_one_time = self._last_one_time % _MOST_PREKEYS + 1
            self.one_time[self._last_one_time] = KeyPair.generate(self.random)
            made.append(self._last_one_time)
        return made

    def bundle(self, *, device_id: int = 0, one_time: bool = True) -> PreKeyBundle:
        """The public keys for one correspondent, by default with a one-time prekey made for him alone."""
        number = self.more_one_time(1)[0] if one_time else None
        return PreKeyBundle(
            registration_id=self.registration_id,
            device_id=device_id,
            identity=self.pair.public,
            signed_id=self.signed.id,
            signed_public=self.signed.pair.public,
            signature=self.signed.signature,
            one_time_id=number,
            one_time_public=None if number is None else self.one_time[number].public,
        )

    def _sign_prekey(self, number: int) -> SignedPreKey:
        pair = KeyPair.generate(self.random)
        return SignedPreKey(id=number, pair=pair, signature=self.pair.sign(typed(pair.public), self.random))
