"""Noise_XX_25519_AESGCM_SHA256, the side that answers, as WhatsApp speaks it.

Three messages: the client's ephemeral key; the server's ephemeral key, its encrypted static key and
certificate; the client's encrypted static key and payload. Both sides then hold one cipher for each
direction. No network, and randomness only where a key pair is made.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.whatsapp.protos import WA6
from sandbox.whatsapp.signal import KeyPair
from sandbox.whatsapp.tokens import DICTIONARY_VERSION

# What the client sends before its first frame, and what both sides start their hash with.
PROLOGUE = b"WA\x06" + bytes((DICTIONARY_VERSION,))
_PATTERN = b"Noise_XX_25519_AESGCM_SHA256\x00\x00\x00\x00"


class HandshakeFailed(ValueError):
    """The client's part is malformed or was made with other keys; close the connection."""


class TransportCipher:
    """One direction after the handshake: each frame has the next number as its nonce."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._count = 0

    def _nonce(self) -> bytes:
        nonce = self._count.to_bytes(12, "big")
        self._count += 1
        return nonce

    def encrypt(self, plaintext: bytes) -> bytes:
        return self._cipher.encrypt(self._nonce(), plaintext, None)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Raises HandshakeFailed: a frame that does not open means that the two sides are out of step."""
        try:
            return self._cipher.decrypt(self._nonce(), ciphertext, None)
        except InvalidTag as exc:
            raise HandshakeFailed("a frame does not open with the key of this connection") from exc


class Responder:
    """The server's side of one handshake: ``hello`` answers the first message, ``finish`` reads the third."""

    def __init__(self, static: KeyPair, certificate: bytes, *, ephemeral: KeyPair | None = None) -> None:
        self._static = static
        self._certificate = certificate
        self._ephemeral = ephemeral or KeyPair.generate()
        self._hash = hashlib.sha256(_PATTERN + PROLOGUE).digest()
        self._salt = _PATTERN
        self._cipher = AESGCM(_PATTERN)
        self._count = 0

    def hello(self, message: bytes) -> bytes:
        """The answer to the client's first message. Raises HandshakeFailed."""
        client_ephemeral = _part(message, "clientHello").ephemeral
        if len(client_ephemeral) != 32:
            raise HandshakeFailed("the client's ephemeral key is missing")
        self._client_ephemeral = client_ephemeral
        self._authenticate(client_ephemeral)
        self._authenticate(self._ephemeral.public)
        self._mix(self._ephemeral.agree(client_ephemeral))
        static = self._encrypt(self._static.public)
        self._mix(self._static.agree(client_ephemeral))
        answer = WA6.HandshakeMessage()
        answer.serverHello.ephemeral = self._ephemeral.public
        answer.serverHello.static = static
        answer.serverHello.payload = self._encrypt(self._certificate)
        return bytes(answer.SerializeToString())

    def finish(self, message: bytes) -> tuple[bytes, bytes, TransportCipher, TransportCipher]:
        """The client's static key, its payload, and the ciphers to read with and to write with."""
        finish = _part(message, "clientFinish")
        static = self._decrypt(finish.static)
        self._mix(self._ephemeral.agree(static))
        payload = self._decrypt(finish.payload)
        reading, writing = _expand(self._salt, b"")
        return static, payload, TransportCipher(reading), TransportCipher(writing)

    def _authenticate(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _mix(self, secret: bytes) -> None:
        self._salt, key = _expand(self._salt, secret)
        self._cipher = AESGCM(key)
        self._count = 0

    def _encrypt(self, plaintext: bytes) -> bytes:
        ciphertext = self._cipher.encrypt(self._nonce(), plaintext, self._hash)
        self._authenticate(ciphertext)
        return ciphertext

    def _decrypt(self, ciphertext: bytes) -> bytes:
        try:
            plaintext = self._cipher.decrypt(self._nonce(), ciphertext, self._hash)
        except (InvalidTag, ValueError) as exc:
            raise HandshakeFailed("the client's part does not open") from exc
        self._authenticate(ciphertext)
        return plaintext

    def _nonce(self) -> bytes:
        nonce = self._count.to_bytes(12, "big")
        self._count += 1
        return nonce


def _part(message: bytes, name: str) -> WA6.HandshakeMessage.ClientHello:
    parsed = WA6.HandshakeMessage()
    try:
        parsed.ParseFromString(message)
    except Exception as exc:
        raise HandshakeFailed("not a handshake message") from exc
    if not parsed.HasField(name):
        raise HandshakeFailed(f"no {name} in this message")
    return getattr(parsed, name)


def _expand(salt: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """Two keys by HKDF-SHA256 without info; two blocks are few enough to write out."""
    root = hmac.digest(salt, secret, "sha256")
    first = hmac.digest(root, b"\x01", "sha256")
    return first, hmac.digest(root, first + b"\x02", "sha256")
