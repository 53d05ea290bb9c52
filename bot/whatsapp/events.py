"""What the bridge's events other than messages mean for the connection. Pure."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from bot.whatsapp import bridge
from bot.whatsapp.machine import Happened

# WhatsApp's reasons for a temporary ban (whatsmeow's `types/events/events.go`).
_BANS = {
    1: "messages to too many people who don't know the number",
    2: "blocked by too many people",
    3: "too many groups created",
    4: "the same message sent too often",
    5: "too many messages to a broadcast list",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """One event's meaning; ``offline_done`` is the end of what waited while nobody was there."""

    happened: Happened | None = None
    detail: str = ""
    until_ms: int | None = None
    offline_done: bool = False


NOTHING = Meaning()
_PLAIN = {
    bridge.CONNECTED: Meaning(happened=Happened.CONNECTED),
    bridge.KEEPALIVE_TIMEOUT: Meaning(happened=Happened.QUIET, detail="WhatsApp does not answer keepalives"),
    bridge.KEEPALIVE_RESTORED: Meaning(happened=Happened.LIVELY),
    bridge.LOGGED_OUT: Meaning(happened=Happened.LOGGED_OUT, detail="the phone removed this device"),
    bridge.STREAM_REPLACED: Meaning(happened=Happened.REPLACED, detail="another process uses this session"),
    bridge.CLIENT_OUTDATED: Meaning(happened=Happened.OUTDATED, detail="WhatsApp wants a newer neonize"),
    bridge.DISCONNECTED: Meaning(happened=Happened.DISCONNECTED),
    bridge.OFFLINE_COMPLETED: Meaning(offline_done=True),
}


def meaning(code: int, raw: bytes) -> Meaning:
    """What an event stands for; NOTHING for those that change nothing."""
    if (plain := _PLAIN.get(code)) is not None:
        return plain
    if code == bridge.PAIR_STATUS:
        return _paired(raw)
    if code == bridge.TEMPORARY_BAN:
        return _banned(raw)
    if code in (bridge.CONNECT_FAILURE, bridge.STREAM_ERROR):
        return _failed(code, raw)
    return NOTHING


def _paired(raw: bytes) -> Meaning:
    status = _proto("PairStatus", raw)
    if status.Status == status.SUCCESS:
        return Meaning(happened=Happened.PAIRED)
    return Meaning(happened=Happened.DISCONNECTED, detail=f"pairing failed: {status.Error}")


def _banned(raw: bytes) -> Meaning:
    ban = _proto("TemporaryBan", raw)
    until_ms = int((time.time() + ban.Expire) * 1000)
    return Meaning(
        happened=Happened.BANNED, detail=_BANS.get(ban.Code, f"reason {ban.Code}"), until_ms=until_ms
    )


def _failed(code: int, raw: bytes) -> Meaning:
    if code == bridge.STREAM_ERROR:
        return Meaning(
            happened=Happened.DISCONNECTED, detail=f"stream error {_proto('StreamError', raw).Code}"
        )
    failure = _proto("ConnectFailure", raw)
    return Meaning(happened=Happened.REFUSED, detail=f"WhatsApp refuses the login, reason {failure.Reason}")


def _proto(name: str, raw: bytes) -> Any:
    from neonize.proto import Neonize_pb2

    return getattr(Neonize_pb2, name).FromString(raw)
