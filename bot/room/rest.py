"""*istirahat 24 jam*: the bot is silent for a while and goes on by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import Connection

from bot import modes
from bot.room.command import Command, Request, Takes
from bot.room.parts import RoomParts
from config.hours import describe_moment

_UNITS_S = {"menit": 60, "mnt": 60, "jam": 3600, "hari": 86_400, "hr": 86_400}
_FOR = re.compile(r"(\d{1,4})\s?(menit|mnt|jam|hari|hr)")
MOST_S = 30 * 86_400
_MOST_WORDS = 3


class RestCommand:
    """Silence with an end."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (Command(words=("istirahat",), act=self.begin, takes=Takes.MAYBE),)

    def begin(self, connection: Connection, request: Request) -> str | None:
        p = self._p
        for_s = seconds(request.argument)
        if for_s is None:
            # "istirahat dulu ya semuanya" is said among people.
            short = len(request.argument.split()) < _MOST_WORDS
            return p.wording.say("admin_istirahat_cara") if short else None
        taken = modes.rest(connection, p.account, for_s=for_s, configured=p.configured_mode)
        until = datetime.fromtimestamp(taken.until_ms / 1000, UTC)
        return p.wording.say(
            "admin_istirahat",
            sampai=describe_moment(until, at=datetime.now(UTC), zone=p.shop.zona_waktu),
        )


def seconds(written: str) -> int | None:
    """How long "24 jam" is; None for anything else, and for what is too long to be meant."""
    found = _FOR.fullmatch(written.strip())
    for_s = 0 if found is None else int(found[1]) * _UNITS_S[found[2]]
    return for_s if 0 < for_s <= MOST_S else None
