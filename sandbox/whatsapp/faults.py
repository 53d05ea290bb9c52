"""What the server does wrong on command."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Refusal:
    """The ``failure`` that a client gets instead of being let in."""

    reason: int
    attributes: dict[str, str] = field(default_factory=dict)
    # How many more logins are refused; None means all.
    times: int | None = 1


class Faults:
    """The switches; all off at first. One object for a server's life, across its restarts."""

    def __init__(self) -> None:
        self.refusal: Refusal | None = None
        self.refused = 0  # logins turned away so far
        # Code and number of sends that the server will still turn down.
        self.nack: tuple[int, int] | None = None
        self.ack_delay_s = 0.0
        # How many more sends get no acknowledgement at all though they are delivered.
        self.acks_swallowed = 0
        # Set while the network works; cleared, nothing is read or written.
        self.flowing = asyncio.Event()
        self.flowing.set()

    def take_refusal(self) -> Refusal | None:
        """The refusal for this login, if there is one."""
        refusal = self.refusal
        if refusal is None:
            return None
        self.refused += 1
        if refusal.times is not None:
            refusal.times -= 1
            if refusal.times <= 0:
                self.refusal = None
        return refusal

    def take_nack(self) -> int | None:
        """The error for this send, if it is to be turned down."""
        if self.nack is None:
            return None
        code, left = self.nack
        self.nack = (code, left - 1) if left > 1 else None
        return code

    def swallows_ack(self) -> bool:
        if not self.acks_swallowed:
            return False
        self.acks_swallowed -= 1
        return True
