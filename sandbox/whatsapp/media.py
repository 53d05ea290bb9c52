"""Pictures, sound and files as WhatsApp stores them: encrypted under a key that only the message carries."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

# The names that WhatsApp derives keys with, by the kind of media; stickers count as images, voice notes as
# audio.
_KEY_NAMES = {
    "image": b"WhatsApp Image Keys",
    "sticker": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
    "document": b"WhatsApp Document Keys",
    "history": b"WhatsApp History Keys",
}
_MAC_BYTES = 10


class MediaBroken(ValueError):
    """What was downloaded is not what the message speaks of."""


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A file as it lies on the media host, and what a message must say so that others can open it."""

    data: bytes
    key: bytes
    plain_hash: bytes
    sealed_hash: bytes
    length: int


def seal(kind: str, data: bytes, *, key: bytes | None = None) -> Sealed:
    """Encrypt a file. ``kind`` is image, sticker, video, audio or document."""
    key = key or os.urandom(32)
    iv, cipher_key, mac_key = _keys(kind, key)
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(cipher_key), CBC(iv)).encryptor()
    body = encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()
    sealed = body + _mac(mac_key, iv, body)
    return Sealed(
        data=sealed,
        key=key,
        plain_hash=hashlib.sha256(data).digest(),
        sealed_hash=hashlib.sha256(sealed).digest(),
        length=len(data),
    )


def unseal(kind: str, sealed: bytes, *, key: bytes, plain_hash: bytes) -> bytes:
    """The file again. Raises MediaBroken when it was changed or belongs to another message."""
    iv, cipher_key, mac_key = _keys(kind, key)
    body, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(mac_key, iv, body)):
        raise MediaBroken("the file was not encrypted with the message's key")
    decryptor = Cipher(AES(cipher_key), CBC(iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    data = unpadder.update(decryptor.update(body) + decryptor.finalize()) + unpadder.finalize()
    if hashlib.sha256(data).digest() != plain_hash:
        raise MediaBroken("the file is not the one that the message speaks of")
    return data


def _keys(kind: str, key: bytes) -> tuple[bytes, bytes, bytes]:
    expanded = HKDF(algorithm=SHA256(), length=112, salt=None, info=_KEY_NAMES[kind]).derive(key)
    return expanded[:16], expanded[16:48], expanded[48:80]


def _mac(key: bytes, iv: bytes, body: bytes) -> bytes:
    return hmac.digest(key, iv + body, "sha256")[:_MAC_BYTES]
