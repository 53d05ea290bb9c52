"""Errors of the Signal protocol.

SignalError
├── UntrustedBundle    give up: the signed prekey was not signed by the bundle's identity
├── BadMessage         ask for the message again: malformed, forged, or of a chain that is no longer kept
├── Duplicate          ignore: this message was decrypted before
└── NoSession          ask for the message again and offer new keys: no session can read it
    └── UnknownPreKey  it was written to a prekey that this device never had, or has used up
"""

from __future__ import annotations


class SignalError(Exception):
    """A message or bundle cannot be used; nothing was changed."""


class UntrustedBundle(SignalError):
    """The signature of a bundle's signed prekey does not come from the bundle's identity."""


class BadMessage(SignalError):
    """The bytes are no message, or not one that the other side wrote to us."""


class Duplicate(SignalError):
    """The message's key has been used, or fell out of the bounded store of skipped keys."""


class NoSession(SignalError):
    """No session exists that this message could belong to."""


class UnknownPreKey(NoSession):
    """A first message names a prekey that is not, or no longer, ours."""
