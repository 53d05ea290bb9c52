"""Since when this number is linked to the bot: what is older is not answered, and new numbers send slowly."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from sqlalchemy import Connection

from store import meta
from store.linked import key

# WhatsApp looks closest at numbers that have just begun to send by program.
YOUNG_MS = 7 * 24 * 60 * 60 * 1000
CAUTION = 2.0
# The network's clock and ours need not agree to the second.
CLOCKS_DIFFER_MS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Linked:
    """What is known of the link: since when this device, and over all its devices the number."""

    paired_ms: int | None = None
    number: str = ""
    since_ms: int | None = None

    def is_past(self, sent_ms: int | None) -> bool:
        """Whether a message of that time is from before the device was linked."""
        if self.paired_ms is None or sent_ms is None:
            return False
        return sent_ms < self.paired_ms - CLOCKS_DIFFER_MS

    def caution(self, now_ms: int) -> float:
        """How many times slower than usual to send."""
        is_young = self.since_ms is None or now_ms - self.since_ms < YOUNG_MS
        return CAUTION if is_young else 1.0


def read(connection: Connection, account: str) -> Linked:
    """What is known; nothing yet for an account that was never linked."""
    found = meta.get(connection, key(account))
    return Linked(**json.loads(found)) if found is not None else Linked()


def note_paired(connection: Connection, account: str) -> Linked:
    """A phone has just accepted this device."""
    before = read(connection, account)
    return _write(
        connection,
        account,
        Linked(paired_ms=_now_ms(), number=before.number, since_ms=before.since_ms),
    )


def note_number(connection: Connection, account: str, number: str) -> Linked:
    """It is logged in as this number; another one than before is new here."""
    before = read(connection, account)
    if before.number == number and before.since_ms is not None:
        return before
    return _write(connection, account, Linked(paired_ms=before.paired_ms, number=number, since_ms=_now_ms()))


def _write(connection: Connection, account: str, linked: Linked) -> Linked:
    told = {"paired_ms": linked.paired_ms, "number": linked.number, "since_ms": linked.since_ms}
    meta.put(connection, key(account), json.dumps(told))
    return linked


def _now_ms() -> int:
    return int(time.time() * 1000)
