"""The handshake, with a client written here from the Noise specification, and the certificate in it."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.whatsapp.certificate import ROOT_SERIAL, Validity, chain
from sandbox.whatsapp.noise import PROLOGUE, HandshakeFailed, Responder, TransportCipher
from sandbox.whatsapp.protos import CERTIFICATE, WA6
from sandbox.whatsapp.signal import KeyPair, verify

NAME = b"Noise_XX_25519_AESGCM_SHA256\x00\x00\x00\x00"


class Initiator:
    """The client's side."""

    def __init__(self, static: KeyPair) -> None:
        self.static = static
        self.ephemeral = KeyPair.generate()
        self.hash = hashlib.sha256(NAME + PROLOGUE).digest()
        self.chaining, self.key, self.count = NAME, NAME, 0

    def mix_hash(self, data: bytes) -> None:
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        self.chaining, self.key = self.hkdf(secret)
        self.count = 0

    def hkdf(self, secret: bytes) -> tuple[bytes, bytes]:
        temporary = hmac.digest(self.chaining, secret, "sha256")
        first = hmac.digest(temporary, b"\x01", "sha256")
        return first, hmac.digest(temporary, first + b"\x02", "sha256")

    def seal(self, plaintext: bytes) -> bytes:
        sealed = AESGCM(self.key).encrypt(self.count.to_bytes(12, "big"), plaintext, self.hash)
        self.count += 1
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        plaintext = AESGCM(self.key).decrypt(self.count.to_bytes(12, "big"), sealed, self.hash)
        self.count += 1
        self.mix_hash(sealed)
        return plaintext

    def hello(self) -> bytes:
        self.mix_hash(self.ephemeral.public)
        message = WA6.HandshakeMessage()
        message.clientHello.ephemeral = self.ephemeral.public
        return bytes(message.SerializeToString())

    def finish(self, answer: bytes, payload: bytes) -> tuple[bytes, bytes, bytes]:
        """The third message, the server's static key and the certificate."""
        hello = WA6.HandshakeMessage.FromString(answer).serverHello
        self.mix_hash(hello.ephemeral)
        self.mix_key(self.ephemeral.agree(hello.ephemeral))
        static = self.open(hello.static)
        self.mix_key(self.ephemeral.agree(static))
        certificate = self.open(hello.payload)
        message = WA6.HandshakeMessage()
        message.clientFinish.static = self.seal(self.static.public)
        self.mix_key(self.static.agree(hello.ephemeral))
        message.clientFinish.payload = self.seal(payload)
        return bytes(message.SerializeToString()), static, certificate


def test_both_sides_agree_on_keys_and_learn_each_other() -> None:
    server, client = KeyPair.generate(), Initiator(KeyPair.generate())
    responder = Responder(server, b"the certificate")
    third, static, certificate = client.finish(responder.hello(client.hello()), b"who I am")
    assert (static, certificate) == (server.public, b"the certificate")
    learned, payload, reading, writing = responder.finish(third)
    assert (learned, payload) == (client.static.public, b"who I am")
    to_server, to_client = map(TransportCipher, client.hkdf(b""))
    for words in (b"one", b"two", b""):
        assert reading.decrypt(to_server.encrypt(words)) == words
        assert to_client.decrypt(writing.encrypt(words)) == words


def test_a_client_that_did_not_see_our_answer_is_refused() -> None:
    responder = Responder(KeyPair.generate(), b"certificate")
    client = Initiator(KeyPair.generate())
    third, _, _ = client.finish(responder.hello(client.hello()), b"payload")
    other = Responder(KeyPair.generate(), b"certificate")
    other.hello(client.hello())
    with pytest.raises(HandshakeFailed):
        other.finish(third)


@pytest.mark.parametrize("message", [b"", b"\xff", WA6.HandshakeMessage().SerializeToString()])
def test_what_is_no_hello_is_refused(message: bytes) -> None:
    with pytest.raises(HandshakeFailed):
        Responder(KeyPair.generate(), b"certificate").hello(message)


def test_a_frame_out_of_turn_does_not_open() -> None:
    writing, reading = TransportCipher(bytes(32)), TransportCipher(bytes(32))
    writing.encrypt(b"lost")
    with pytest.raises(HandshakeFailed):
        reading.decrypt(writing.encrypt(b"second"))


def test_the_certificate_leads_from_the_leaf_to_the_root() -> None:
    root, middle, leaf = KeyPair.generate(), KeyPair.generate(), KeyPair.generate()
    validity = Validity.around(1_800_000_000)
    made = chain(root=root, intermediate=middle, leaf_public=leaf.public, validity=validity)
    parsed = CERTIFICATE.CertChain.FromString(made)
    details = CERTIFICATE.CertChain.NoiseCertificate.Details
    upper = details.FromString(parsed.intermediate.details)
    lower = details.FromString(parsed.leaf.details)
    assert verify(root.public, parsed.intermediate.details, parsed.intermediate.signature)
    assert verify(middle.public, parsed.leaf.details, parsed.leaf.signature)
    assert (upper.issuerSerial, lower.issuerSerial) == (ROOT_SERIAL, upper.serial)
    assert (upper.key, lower.key) == (middle.public, leaf.public)
    assert lower.notBefore < 1_800_000_000 < lower.notAfter
