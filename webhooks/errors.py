"""Errors of the payment process.

ListenError
├── AddressTaken           retry later: another program has the port, perhaps our own that is still stopping
└── ListenMisconfigured    a person must act: no such address here, or a port that needs more rights
"""

from __future__ import annotations


class ListenError(Exception):
    """The server cannot take its address; the text says what to do."""


class AddressTaken(ListenError):
    """Another program listens there; it may be gone in a moment."""


class ListenMisconfigured(ListenError):
    """This address can never be taken; a setting has to change."""
