"""*belajar*: what was asked and not known, most frequent first; *ringkasan*: the day so far."""

from __future__ import annotations

import time
from datetime import datetime

from sqlalchemy import Connection

from bot.digest import Digest
from bot.gaps import missing
from bot.room.command import Command, Request
from bot.room.parts import RoomParts

DAYS = 30
MOST_LISTED = 10


class Gaps:
    """What the shop's knowledge lacks."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (Command(words=("belajar",), act=self.tell, help_sentence="admin_bantuan_belajar"),)

    def tell(self, connection: Connection, request: Request) -> str:
        # Of the next day as well: the database's clock may be a little ahead of ours.
        now_ms, day_ms = int(time.time() * 1000), 24 * 60 * 60 * 1000
        found = missing(
            connection, self._p.account, since_ms=now_ms - DAYS * day_ms, until_ms=now_ms + day_ms
        )
        if not found:
            return self._p.wording.say("admin_belajar_kosong")
        listed = "\n".join(f"{times}x {question}" for question, times in found[:MOST_LISTED])
        return self._p.wording.say("admin_belajar", daftar=listed, hari=DAYS)


class Summary:
    """The digest of today, on request."""

    def __init__(self, parts: RoomParts, digest: Digest) -> None:
        self._p, self._digest = parts, digest
        self.commands = (
            Command(words=("ringkasan",), act=self.tell, help_sentence="admin_bantuan_ringkasan"),
        )

    def tell(self, connection: Connection, request: Request) -> str:
        today = datetime.now(self._p.shop.zona_waktu).date()
        return self._digest.text(self._digest.figures_of(connection, today), today)
