"""Curve25519 key pairs: agreement (X25519) and signatures (XEdDSA), all keys as 32 raw bytes."""

from __future__ import annotations

import os
from collections.abc import Callable

import xeddsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from sandbox.whatsapp.signal.errors import BadMessage

# Gives this many random bytes; tests replace it to get the same keys again.
Random = Callable[[int], bytes]

KEY_LENGTH = 32
SIGNATURE_LENGTH = 64
# Signal writes a public key with its type in front, and this is the only type there is.
DJB_TYPE = b"\x05"
# The topmost bit of a signature carries the sign of the Edwards point, which the Montgomery form lacks.
_SIGN_BIT = 0x80


class KeyPair:
    """A private key and its public key. Loading one costs a multiplication, so it is kept loaded."""

    __slots__ = ("_agreement", "_sign_bit", "private", "public")

    def __init__(self, private: bytes) -> None:
        """Takes any 32 bytes and clamps them: X25519 would do so by itself, XEdDSA would not."""
        if len(private) != KEY_LENGTH:
            raise ValueError(f"a private key has {KEY_LENGTH} bytes, not {len(private)}")
        self.private = bytes([private[0] & 248, *private[1:31], private[31] & 127 | 64])
        self._agreement = X25519PrivateKey.from_private_bytes(self.private)
        self.public = self._agreement.public_key().public_bytes_raw()
        self._sign_bit: int | None = None

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public.hex()})"

    @classmethod
    def generate(cls, random: Random = os.urandom) -> KeyPair:
        return cls(random(KEY_LENGTH))

    def agree(self, public: bytes) -> bytes:
        """The secret (32 bytes) shared with the owner of this public key.

        Raises BadMessage for a key of small order, which would make the secret known to everybody.
        """
        try:
            return self._agreement.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as exc:
            raise BadMessage("not a usable public key") from exc

    def sign(self, message: bytes, random: Random = os.urandom) -> bytes:
        """A signature (64 bytes) that `verify` accepts with the public key alone."""
        if self._sign_bit is None:
            self._sign_bit = xeddsa.priv_to_ed25519_pub(self.private)[31] & _SIGN_BIT
        signature = bytearray(xeddsa.ed25519_priv_sign(self.private, message, random(SIGNATURE_LENGTH)))
        signature[63] |= self._sign_bit
        return bytes(signature)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of this public key signed the message. A key or signature of wrong length: False."""
    if len(public) != KEY_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    negative = bool(signature[63] & _SIGN_BIT)
    edwards = xeddsa.curve25519_pub_to_ed25519_pub(public, negative)
    plain = signature[:63] + bytes([signature[63] & ~_SIGN_BIT])
    return xeddsa.ed25519_verify(plain, edwards, message)


def typed(public: bytes) -> bytes:
    """The public key as it stands in messages: its type and 32 bytes."""
    return DJB_TYPE + public


def untyped(written: bytes) -> bytes:
    """The 32 bytes of a public key in a message. Raises BadMessage for any other type or length."""
    if len(written) != KEY_LENGTH + 1 or written[:1] != DJB_TYPE:
        raise BadMessage("a public key of unknown type")
    return written[1:]
