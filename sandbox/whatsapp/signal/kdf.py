"""The key derivations of the protocol, and the cipher that the derived keys are for.

Labels and lengths are those of Signal's version 3; signal.org/docs leaves them to applications.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sandbox.whatsapp.signal.errors import BadMessage

_BLOCK = 16
_HASH = SHA256()
# Prefixed to the agreements of X3DH, so that they can't be taken for an encoded curve point.
_DISCONTINUITY = b"\xff" * 32


def first_keys(agreements: bytes) -> tuple[bytes, bytes]:
    """Root and chain key (32 bytes each) of a new session from its three or four agreements, joined."""
    return _halves(_hkdf(_DISCONTINUITY + agreements, None, b"WhisperText", 64))


def next_keys(root: bytes, agreement: bytes) -> tuple[bytes, bytes]:
    """The next root key and the key of the chain that starts with a new ratchet key."""
    return _halves(_hkdf(agreement, root, b"WhisperRatchet", 64))


def seed_of(chain: bytes) -> bytes:
    """What the keys of the message at this place are derived from: 32 bytes, which is cheap to keep."""
    return hmac.digest(chain, b"\x01", "sha256")


def after(chain: bytes) -> bytes:
    """The chain key one place further."""
    return hmac.digest(chain, b"\x02", "sha256")


def message_keys(seed: bytes) -> tuple[bytes, bytes, bytes]:
    """Cipher key (32 bytes), MAC key (32) and initialisation vector (16) of a message between two devices."""
    derived = _hkdf(seed, None, b"WhisperMessageKeys", 80)
    return derived[:32], derived[32:64], derived[64:]


def group_keys(seed: bytes) -> tuple[bytes, bytes]:
    """Cipher key (32 bytes) and initialisation vector (16) of one message of a group."""
    derived = _hkdf(seed, None, b"WhisperGroup", 48)
    return derived[16:], derived[:16]


def encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """AES-256-CBC with PKCS #7 padding."""
    missing = _BLOCK - len(plaintext) % _BLOCK
    encryptor = Cipher(AES256(key), CBC(iv)).encryptor()
    return encryptor.update(plaintext + bytes([missing]) * missing) + encryptor.finalize()


def decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Raises BadMessage when the length or the padding is wrong."""
    if not ciphertext or len(ciphertext) % _BLOCK:
        raise BadMessage("the ciphertext is not whole blocks")
    decryptor = Cipher(AES256(key), CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    count = padded[-1]
    if not 1 <= count <= _BLOCK or padded[-count:] != bytes([count]) * count:
        raise BadMessage("the padding of the cipher is wrong")
    return padded[:-count]


def _hkdf(material: bytes, salt: bytes | None, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=_HASH, length=length, salt=salt, info=info).derive(material)


def _halves(derived: bytes) -> tuple[bytes, bytes]:
    return derived[:32], derived[32:]
