"""Linking codes and signed identities: what is forged or belongs to other keys is refused."""

from __future__ import annotations

import base64
import hmac

import pytest

from sandbox.whatsapp.adv import LinkingCode, PairingRefused, check_device, vouch
from sandbox.whatsapp.protos import ADV
from sandbox.whatsapp.signal import KeyPair

SECRET = b"s" * 32


def _code(*parts: str) -> str:
    return "https://wa.me/settings/linked_devices#" + ",".join(parts)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _sign(sealed: bytes, secret: bytes, device: KeyPair) -> bytes:
    """What a device does with the identity that the phone gave it."""
    container = ADV.ADVSignedDeviceIdentityHMAC.FromString(sealed)
    assert hmac.digest(secret, container.details, "sha256") == container.HMAC
    signed = ADV.ADVSignedDeviceIdentity.FromString(container.details)
    signed.deviceSignature = device.sign(
        b"\x06\x01" + signed.details + device.public + signed.accountSignatureKey
    )
    return bytes(signed.SerializeToString())


def _vouch(account: KeyPair, device: KeyPair) -> bytes:
    return vouch(
        account=account,
        device_identity=device.public,
        secret=SECRET,
        key_index=1,
        raw_id=1,
        timestamp_s=1_800_000_000,
    )


def test_a_qr_code_is_read_with_and_without_its_address() -> None:
    keys = [bytes((number,)) * 32 for number in (1, 2, 3)]
    text = _code("2@ref", *map(_b64, keys), "1")
    code = LinkingCode.from_qr(text)
    assert code == LinkingCode.from_qr(text.partition("#")[2])
    assert [code.noise_public, code.identity_public, code.secret] == keys
    assert (code.reference, code.platform) == ("2@ref", "1")


@pytest.mark.parametrize(
    "text",
    ["", "hello", _code("r", "a", "b"), _code("r", "?", "?", "?"), _code("r", *[_b64(b"short")] * 3, "1")],
)
def test_what_is_no_linking_code_is_refused(text: str) -> None:
    with pytest.raises(PairingRefused):
        LinkingCode.from_qr(text)


def test_a_device_that_signed_is_accepted() -> None:
    account, device = KeyPair.generate(), KeyPair.generate()
    signed = _sign(_vouch(account, device), SECRET, device)
    check_device(signed, account=account.public, device_identity=device.public)


def test_a_device_with_another_key_or_of_another_account_is_refused() -> None:
    account, device, other = KeyPair.generate(), KeyPair.generate(), KeyPair.generate()
    signed = _sign(_vouch(account, device), SECRET, device)
    with pytest.raises(PairingRefused, match="account"):
        check_device(signed, account=other.public, device_identity=device.public)
    with pytest.raises(PairingRefused, match="account"):
        check_device(signed, account=account.public, device_identity=other.public)
    forged = ADV.ADVSignedDeviceIdentity.FromString(signed)
    forged.deviceSignature = other.sign(b"anything")
    with pytest.raises(PairingRefused, match="device"):
        check_device(forged.SerializeToString(), account=account.public, device_identity=device.public)
    with pytest.raises(PairingRefused, match="no signed identity"):
        check_device(b"\xff", account=account.public, device_identity=device.public)
