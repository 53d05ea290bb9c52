"""The channel's state where other processes can read it: the payment process, the status page, the owner."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.channel import State
from store import alerts, meta, standing

# States in which nobody is answered until a person acts or time passes, each with what to do.
ALARMING = {
    State.LOGGED_OUT: "WhatsApp logged this device out: scan the new code with the shop's phone",
    State.REPLACED: "another process uses the shop's session: stop one of the two, then start the bot",
    State.BANNED: "WhatsApp keeps this number out for a while: wait, and send less",
    State.OUTDATED: "WhatsApp refuses this version: update Balas",
    State.UNUSABLE: "the WhatsApp session cannot be used as it is",
}
# They say nothing new where one of the above is the reason: that one goes on standing there.
_ENDINGS = (State.STOPPING, State.STOPPED)
_ALERT = "whatsapp"
_OUTAGE = "messages_waited"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A channel's state as it was written down."""

    state: State
    detail: str
    since_ms: int  # by the clock of the process that wrote it
    until_ms: int | None


def write(
    connection: Connection, account: str, *, state: State, detail: str = "", until_ms: int | None = None
) -> None:
    """Write the state down; an alarming one raises the alert, being online ends it.

    An alarming state outlives its process: why nobody is answered must not read as "stopped".
    """
    if state in _ENDINGS and (last := read(connection, account)) is not None and last.state in ALARMING:
        return
    told = {"state": state.value, "detail": detail, "since_ms": int(time.time() * 1000), "until_ms": until_ms}
    meta.put(connection, _key(account), json.dumps(told))
    if (advice := ALARMING.get(state)) is not None:
        alerts.raise_alert(connection, f"{_ALERT}:{account}", f"{advice} ({detail})" if detail else advice)
    elif state is State.ONLINE:
        alerts.recover(connection, f"{_ALERT}:{account}")


def note_outage(connection: Connection, account: str, seconds: float) -> None:
    """The database could not take messages for so long; they waited on disk and are recorded now."""
    fingerprint = f"{_OUTAGE}:{account}"
    alerts.raise_alert(
        connection,
        fingerprint,
        f"the database took no messages for {seconds:.0f} s (locked, full or away); they waited on disk",
    )
    alerts.recover(connection, fingerprint)


def read(connection: Connection, account: str) -> Recorded | None:
    """The state that was written last; None when the account's channel never told one."""
    told = meta.get(connection, _key(account))
    if told is None:
        return None
    found = json.loads(told)
    return Recorded(
        state=State(found["state"]),
        detail=found["detail"],
        since_ms=found["since_ms"],
        until_ms=found["until_ms"],
    )


def _key(account: str) -> str:
    return standing.key(account)
