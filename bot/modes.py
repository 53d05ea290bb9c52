"""The shop's mode as the owner last set it in the chat; the setting counts until he does."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection

from config.settings import Mode
from store import meta


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """The bot is silent until then (milliseconds since the epoch), and afterwards in this mode again."""

    until_ms: int
    then: Mode


def current(connection: Connection, account: str, *, configured: Mode) -> Mode:
    """The mode that the gate goes by now."""
    stored = meta.get(connection, _key(account))
    if stored is None:
        return configured
    rest = _rest(stored)
    if rest is None:
        return Mode(stored)
    return Mode.OFF if time.time() * 1000 < rest.until_ms else rest.then


def switch(connection: Connection, account: str, mode: Mode) -> None:
    """From now on, and after a restart too; a rest is over."""
    meta.put(connection, _key(account), mode.value)


def rest(connection: Connection, account: str, *, for_s: float, configured: Mode) -> Rest:
    """Be silent for so long, and then go on as before."""
    earlier = resting(connection, account)
    then = earlier.then if earlier is not None else current(connection, account, configured=configured)
    taken = Rest(until_ms=int((time.time() + for_s) * 1000), then=then)
    meta.put(connection, _key(account), f"{Mode.OFF.value} {taken.until_ms} {then.value}")
    return taken


def resting(connection: Connection, account: str) -> Rest | None:
    """The rest that is being taken now; None when there is none."""
    stored = meta.get(connection, _key(account))
    found = None if stored is None else _rest(stored)
    return found if found is not None and time.time() * 1000 < found.until_ms else None


def _rest(stored: str) -> Rest | None:
    # "off 1764050000000 on": off until then, on afterwards.
    parts = stored.split()
    return Rest(until_ms=int(parts[1]), then=Mode(parts[2])) if len(parts) == 3 else None


def _key(account: str) -> str:
    return f"mode:{account}"
