"""The connection as a state machine, pure: what happened, and what state that leads to.

whatsmeow reconnects by itself after a drop. Five states it never leaves, and neither do we: another process
or a person has to act first (REPLACED, OUTDATED, UNUSABLE), time has to pass (BANNED), or a phone has to scan
a new code in a new process (LOGGED_OUT).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.channel import State


class Happened(Enum):
    """What the bridge or our own watching noticed."""

    QR_SHOWN = auto()  # no session: a code waits to be scanned
    PAIRED = auto()  # a phone accepted us; the server now closes and takes us back
    CONNECTED = auto()  # logged in
    DISCONNECTED = auto()  # the socket is gone; whatsmeow tries again
    REFUSED = auto()  # WhatsApp does not let us in, and whatsmeow does not try again
    QUIET = auto()  # keepalives or a send stay without an answer
    LIVELY = auto()  # they are answered again
    LOGGED_OUT = auto()  # the phone or the server removed us; the stored session is gone
    REPLACED = auto()  # another process took the session
    BANNED = auto()  # the number may not connect for a while
    OUTDATED = auto()  # WhatsApp refuses this version of the library
    UNUSABLE = auto()  # the session file must not be used as it is
    STOPPING = auto()  # we are asked to end
    CLOSED = auto()  # nothing comes in or goes out any more


FINAL = frozenset((State.LOGGED_OUT, State.REPLACED, State.BANNED, State.OUTDATED, State.UNUSABLE))
_ALWAYS = {Happened.STOPPING: State.STOPPING, Happened.CLOSED: State.STOPPED}
_LEADS_TO = {
    Happened.QR_SHOWN: State.PAIRING,
    Happened.PAIRED: State.CONNECTING,
    Happened.CONNECTED: State.ONLINE,
    Happened.DISCONNECTED: State.CONNECTING,
    Happened.REFUSED: State.CONNECTING,
    Happened.LOGGED_OUT: State.LOGGED_OUT,
    Happened.REPLACED: State.REPLACED,
    Happened.BANNED: State.BANNED,
    Happened.OUTDATED: State.OUTDATED,
    Happened.UNUSABLE: State.UNUSABLE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The state with what a person wants to know about it."""

    state: State
    detail: str = ""
    until_ms: int | None = None  # BANNED: when it ends, milliseconds since the epoch


def after(
    standing: Standing, happened: Happened, *, detail: str = "", until_ms: int | None = None
) -> Standing:
    """The standing after an event; the same one when the event changes nothing."""
    if standing.state is State.STOPPED:
        return standing
    if happened in _ALWAYS:
        return Standing(state=_ALWAYS[happened], detail=detail)
    if standing.state is State.STOPPING or standing.state in FINAL:
        return standing
    if happened is Happened.QUIET:
        # Only a connection can be bad; one that is being made is not there yet.
        if standing.state in (State.ONLINE, State.DEGRADED):
            return replace(standing, state=State.DEGRADED, detail=detail)
        return standing
    if happened is Happened.LIVELY:
        return Standing(state=State.ONLINE) if standing.state is State.DEGRADED else standing
    return Standing(state=_LEADS_TO[happened], detail=detail, until_ms=until_ms)
