"""How a phone vouches for a device that is linked to it: signed device identities ("ADV"), and the codes that
start it.

The QR code carries a secret; the phone signs the device's identity key and seals the result with that
secret, so that the server between them can't put in another device. The device signs in return.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from sandbox.whatsapp.protos import ADV
from sandbox.whatsapp.signal import KeyPair, verify

_ACCOUNT_SIGNATURE = b"\x06\x00"
_DEVICE_SIGNATURE = b"\x06\x01"
_QR_ADDRESS = "https://wa.me/settings/linked_devices#"


class PairingRefused(ValueError):
    """The code is not one, or what the device answered was signed with other keys; start the pairing anew."""


@dataclass(frozen=True, kw_only=True)
class LinkingCode:
    """What a device shows as a QR code."""

    reference: str
    noise_public: bytes
    identity_public: bytes
    secret: bytes
    platform: str

    @classmethod
    def from_qr(cls, text: str) -> LinkingCode:
        """Reads the text of the code, with or without the address in front. Raises PairingRefused."""
        parts = text.removeprefix(_QR_ADDRESS).split(",")
        if len(parts) not in (4, 5):
            raise PairingRefused(f"a linking code has four or five parts, not {len(parts)}")
        try:
            keys = [base64.b64decode(part, validate=True) for part in parts[1:4]]
        except ValueError as exc:
            raise PairingRefused("the keys in the code are not base64") from exc
        if any(len(key) != 32 for key in keys):
            raise PairingRefused("each key in the code has 32 bytes")
        return cls(
            reference=parts[0],
            noise_public=keys[0],
            identity_public=keys[1],
            secret=keys[2],
            platform=parts[4] if len(parts) == 5 else "",
        )


def vouch(
    *, account: KeyPair, device_identity: bytes, secret: bytes, key_index: int, raw_id: int, timestamp_s: int
) -> bytes:
    """The sealed identity that the phone gives for a device (``device-identity`` of ``pair-success``)."""
    details = ADV.ADVDeviceIdentity(
        rawID=raw_id, timestamp=timestamp_s, keyIndex=key_index
    ).SerializeToString()
    signed = ADV.ADVSignedDeviceIdentity(
        details=details,
        accountSignatureKey=account.public,
        accountSignature=account.sign(_ACCOUNT_SIGNATURE + details + device_identity),
    ).SerializeToString()
    sealed = ADV.ADVSignedDeviceIdentityHMAC(details=signed, HMAC=hmac.digest(secret, signed, "sha256"))
    return bytes(sealed.SerializeToString())


def check_device(answer: bytes, *, account: bytes, device_identity: bytes) -> None:
    """The device's own signature, under what it sends back or puts beside its first messages.

    Raises PairingRefused when either signature is wrong.
    """
    signed = ADV.ADVSignedDeviceIdentity()
    try:
        signed.ParseFromString(answer)
    except Exception as exc:
        raise PairingRefused("the device's answer is no signed identity") from exc
    if not verify(account, _ACCOUNT_SIGNATURE + signed.details + device_identity, signed.accountSignature):
        raise PairingRefused("the account's signature is not of this account")
    if not verify(
        device_identity,
        _DEVICE_SIGNATURE + signed.details + device_identity + account,
        signed.deviceSignature,
    ):
        raise PairingRefused("the device's signature is wrong")
