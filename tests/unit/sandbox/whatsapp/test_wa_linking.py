"""Linking by code: with the right one both sides compute the same secret, with a wrong one nothing."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sandbox.whatsapp.adv import PairingRefused
from sandbox.whatsapp.linking import Exchange, normalised, unwrap, wrap
from sandbox.whatsapp.signal import KeyPair

CODE = "ABCD2345"


def _hkdf(secret: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def _bundle(shared: bytes, plain: bytes) -> bytes:
    """What the device sends in its last step."""
    salt, nonce = os.urandom(32), os.urandom(12)
    key = _hkdf(shared, salt, b"link_code_pairing_key_bundle_encryption_key")
    return salt + nonce + AESGCM(key).encrypt(nonce, plain, None)


def test_both_sides_compute_the_same_secret() -> None:
    account, device = KeyPair.generate(), KeyPair.generate()
    ours, theirs = KeyPair.generate(), KeyPair.generate()
    seen = unwrap(CODE, wrap(CODE, theirs.public))
    assert seen == theirs.public
    shared = theirs.agree(unwrap(CODE, wrap(CODE, ours.public)))
    number = os.urandom(32)
    bundle = _bundle(shared, device.public + account.public + number)
    exchange = Exchange(ephemeral=ours, device_ephemeral=seen)
    expected = _hkdf(shared + device.agree(account.public) + number, None, b"adv_secret")
    assert exchange.secret(bundle, account=account, device_identity=device.public) == expected
    other = KeyPair.generate()
    with pytest.raises(PairingRefused, match="other identities"):
        exchange.secret(bundle, account=other, device_identity=device.public)
    with pytest.raises(PairingRefused, match="wrong"):
        exchange.secret(_bundle(bytes(32), bytes(96)), account=account, device_identity=device.public)


def test_a_wrong_code_gives_another_key() -> None:
    public = KeyPair.generate().public
    assert unwrap("ABCD2346", wrap(CODE, public)) != public


def test_a_wrapped_key_of_another_length_is_refused() -> None:
    with pytest.raises(PairingRefused, match="80 bytes"):
        unwrap(CODE, bytes(79))


def test_codes_are_typed_with_or_without_dash_and_in_small_letters() -> None:
    assert normalised("abcd-2345") == normalised(" ABCD 2345") == CODE
    for wrong in ("", "ABCD-234", "ABCD-23450", "ABCO-2345"):
        with pytest.raises(PairingRefused):
            normalised(wrong)
