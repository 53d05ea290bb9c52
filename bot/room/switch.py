"""*berhenti* and *mulai*: whether the bot answers at all."""

from __future__ import annotations

from sqlalchemy import Connection

from bot import modes
from bot.room.command import Command, Request
from bot.room.parts import RoomParts
from config.settings import Mode


class Switch:
    """The shop's mode, as the owner's words set it."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            Command(words=("berhenti",), act=self.stop, help_sentence="admin_bantuan_berhenti"),
            Command(words=("mulai",), act=self.start, help_sentence="admin_bantuan_mulai"),
        )

    def stop(self, connection: Connection, request: Request) -> str:
        modes.switch(connection, self._p.account, Mode.OFF)
        return self._p.wording.say("admin_berhenti")

    def start(self, connection: Connection, request: Request) -> str:
        modes.switch(connection, self._p.account, Mode.ON)
        return self._p.wording.say("admin_mulai")
