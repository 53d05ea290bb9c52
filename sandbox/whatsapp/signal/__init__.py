"""The Signal protocol as WhatsApp speaks it, for simulated phones: sessions of two devices, keys of groups.

Pure: no network, no clock, and randomness comes from a function that tests may replace. Written after the
public specifications (signal.org/docs: X3DH, Double Ratchet, XEdDSA) and, where those leave bytes open, after
what go.mau.fi/libsignal 0.2.2 sends and accepts: the tests hold exchanges recorded with it.
"""

from sandbox.whatsapp.signal.errors import (
    BadMessage,
    Duplicate,
    NoSession,
    SignalError,
    UnknownPreKey,
    UntrustedBundle,
)
from sandbox.whatsapp.signal.group import SenderKey, SenderKeys
from sandbox.whatsapp.signal.identity import Identity, PreKeyBundle, SignedPreKey
from sandbox.whatsapp.signal.keys import KeyPair, verify
from sandbox.whatsapp.signal.padding import pad, unpad
from sandbox.whatsapp.signal.session import Kind, Session
from sandbox.whatsapp.signal.sessions import Sessions

__all__ = [
    "BadMessage",
    "Duplicate",
    "Identity",
    "KeyPair",
    "Kind",
    "NoSession",
    "PreKeyBundle",
    "SenderKey",
    "SenderKeys",
    "Session",
    "Sessions",
    "SignalError",
    "SignedPreKey",
    "UnknownPreKey",
    "UntrustedBundle",
    "pad",
    "unpad",
    "verify",
]
