"""The channel's state as the bot wrote it down, for processes that know no channel."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from store import meta


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the bot told last; ``state`` is a value of ``bot.channel.State``."""

    state: str
    detail: str
    since_ms: int  # by the clock of the bot's machine
    until_ms: int | None


def key(account: str) -> str:
    """Where in ``meta`` the account's state stands."""
    return f"channel:{account}"


def read(connection: Connection, account: str) -> Told | None:
    """The state that was written last; None when the account's channel never told one."""
    told = meta.get(connection, key(account))
    if told is None:
        return None
    found = json.loads(told)
    return Told(
        state=found["state"],
        detail=found["detail"],
        since_ms=found["since_ms"],
        until_ms=found["until_ms"],
    )
