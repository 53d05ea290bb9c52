"""Midtrans misbehaving on command: which requests fail, and how. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# So long a request hangs that nobody waits for its end.
FOREVER_S = 600.0


class Mode(StrEnum):
    """How a request goes wrong."""

    HANG = "hang"  # nothing is done and nothing comes back
    LOST = "lost"  # it is done, and the answer never comes back
    SLOW = "slow"  # the right answer comes late
    HTML = "html"  # 502 and a page of the proxy in front
    EMPTY = "empty"  # 200 and not a byte
    BROKEN = "broken"  # 500 in the service's own words
    RESET = "reset"  # the connection is cut before anything is done
    LIMITED = "limited"  # 429


class Target(StrEnum):
    """Which requests."""

    SNAP = "snap"  # creating a page
    STATUS = "status"  # asking how a transaction stands
    CHARGE = "charge"  # a direct charge
    CHANGE = "change"  # expire, cancel, refund
    ALL = "all"


@dataclass(kw_only=True)
class Fault:
    """One misbehaviour; ``times`` None lasts until ``Faults.clear``."""

    mode: Mode
    target: Target = Target.ALL
    times: int | None = None
    delay_s: float = FOREVER_S


class Faults:
    """What is wrong now."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        """Everything is well again."""
        self._faults.clear()

    def strike(self, target: Target) -> Fault | None:
        """The fault that hits this request, counted."""
        for fault in self._faults:
            if fault.target in (target, Target.ALL) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
