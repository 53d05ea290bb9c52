"""Linking by a code of eight characters that is typed into the phone: the phone's side of the cryptography.

The code protects an exchange of ephemeral keys. Under the secret that comes of it the device sends its
identity and a random number, and from all of these both compute what the QR code would have carried: the
secret of the pairing.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sandbox.whatsapp.adv import PairingRefused
from sandbox.whatsapp.signal import KeyPair

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"
_ROUNDS = 2 << 16
_SALT, _IV, _KEY, _NONCE = 32, 16, 32, 12


def normalised(code: str) -> str:
    """The code as it was typed, freed from its dash and of small letters. Raises PairingRefused."""
    plain = code.replace("-", "").replace(" ", "").upper()
    if len(plain) != 8 or not set(plain) <= set(ALPHABET):
        raise PairingRefused("a linking code has eight letters and digits")
    return plain


def _under_code(code: str, salt: bytes, iv: bytes, key: bytes) -> bytes:
    """Encrypts or decrypts (it is the same) a public key under the code."""
    secret = hashlib.pbkdf2_hmac("sha256", code.encode(), salt, _ROUNDS, 32)
    cipher = Cipher(AES(secret), CTR(iv)).encryptor()
    return cipher.update(key) + cipher.finalize()


def wrap(code: str, public: bytes) -> bytes:
    """A public key under the code, with the salt and the start value in front."""
    salt, iv = os.urandom(_SALT), os.urandom(_IV)
    return salt + iv + _under_code(code, salt, iv, public)


def unwrap(code: str, wrapped: bytes) -> bytes:
    """The key again; with a wrong code some other key. Raises PairingRefused when the length is wrong."""
    if len(wrapped) != _SALT + _IV + _KEY:
        raise PairingRefused("a wrapped key has 80 bytes")
    return _under_code(code, wrapped[:_SALT], wrapped[_SALT : _SALT + _IV], wrapped[_SALT + _IV :])


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What the phone holds between its two steps."""

    ephemeral: KeyPair
    device_ephemeral: bytes

    def secret(self, bundle: bytes, *, account: KeyPair, device_identity: bytes) -> bytes:
        """The pairing's secret, from the bundle that the device sends. Raises PairingRefused for a wrong
        code.
        """
        shared = self.ephemeral.agree(self.device_ephemeral)
        salt, nonce = bundle[:_SALT], bundle[_SALT : _SALT + _NONCE]
        key = _hkdf(shared, salt, b"link_code_pairing_key_bundle_encryption_key")
        try:
            plain = AESGCM(key).decrypt(nonce, bundle[_SALT + _NONCE :], None)
        except (InvalidTag, ValueError) as exc:
            raise PairingRefused("the code is wrong") from exc
        if plain[:_KEY] != device_identity or plain[_KEY : 2 * _KEY] != account.public:
            raise PairingRefused("the device names other identities")
        return _hkdf(shared + account.agree(device_identity) + plain[2 * _KEY :], None, b"adv_secret")


def _hkdf(secret: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)
