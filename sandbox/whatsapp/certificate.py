"""The chain with which the server proves its static key: root (pinned by the client), intermediate, leaf."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.whatsapp.protos import CERTIFICATE
from sandbox.whatsapp.signal import KeyPair

# The client demands that the intermediate was issued by the root, whose serial is 0.
ROOT_SERIAL = 0
_INTERMEDIATE_SERIAL = 1
_LEAF_SERIAL = 2
_DAY_S = 86_400
# The sandbox's own root, the same on every machine, so that patched copies of the library can be shared. It
# proves nothing to anybody but a copy that was made to trust it.
SANDBOX_ROOT_SEED = b"Balas sandbox: WhatsApp root key"


@dataclass(frozen=True, kw_only=True)
class Validity:
    """From when until when a certificate holds, in Unix seconds."""

    not_before_s: int
    not_after_s: int

    @classmethod
    def around(cls, now_s: int) -> Validity:
        """A day back, since clocks differ, and thirty days ahead."""
        return cls(not_before_s=now_s - _DAY_S, not_after_s=now_s + 30 * _DAY_S)


def sandbox_root() -> KeyPair:
    """The key pair that signs every sandbox server's certificates."""
    return KeyPair(SANDBOX_ROOT_SEED)


def chain(*, root: KeyPair, intermediate: KeyPair, leaf_public: bytes, validity: Validity) -> bytes:
    """The serialized chain that vouches for the leaf key."""
    made = CERTIFICATE.CertChain()
    _issue(
        made.intermediate,
        issuer=root,
        issuer_serial=ROOT_SERIAL,
        serial=_INTERMEDIATE_SERIAL,
        key=intermediate.public,
        validity=validity,
    )
    _issue(
        made.leaf,
        issuer=intermediate,
        issuer_serial=_INTERMEDIATE_SERIAL,
        serial=_LEAF_SERIAL,
        key=leaf_public,
        validity=validity,
    )
    return bytes(made.SerializeToString())


def _issue(
    certificate: CERTIFICATE.CertChain.NoiseCertificate,
    *,
    issuer: KeyPair,
    issuer_serial: int,
    serial: int,
    key: bytes,
    validity: Validity,
) -> None:
    details = CERTIFICATE.CertChain.NoiseCertificate.Details(
        serial=serial,
        issuerSerial=issuer_serial,
        key=key,
        notBefore=validity.not_before_s,
        notAfter=validity.not_after_s,
    )
    certificate.details = details.SerializeToString()
    certificate.signature = issuer.sign(certificate.details)
