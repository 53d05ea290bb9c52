"""*abaikan 0812…* and *lanjut 0812…*: whether the bot answers in one chat."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.room.command import Command, Request, Takes
from bot.room.naming import named
from bot.room.parts import RoomParts
from config.settings import Mode
from store import customers


class Chats:
    """The gate of a single chat."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            Command(
                words=("abaikan",),
                act=self.ignore,
                takes=Takes.SOMETHING,
                help_sentence="admin_bantuan_abaikan",
            ),
            Command(
                words=("lanjut",), act=self.go_on, takes=Takes.SOMETHING, help_sentence="admin_bantuan_lanjut"
            ),
        )

    def ignore(self, connection: Connection, request: Request) -> str | None:
        found = named(connection, self._p, request.argument, command="abaikan")
        if found is None or isinstance(found, str):
            return found
        customers.set_mode(connection, found.id, Mode.OFF.value)
        return self._p.wording.say("admin_abaikan", nama=found.shown, nomor=found.number)

    def go_on(self, connection: Connection, request: Request) -> str | None:
        found = named(connection, self._p, request.argument, command="lanjut")
        if found is None or isinstance(found, str):
            return found
        customers.speak_again(connection, found.id)
        return self._p.wording.say("admin_lanjut", nama=found.shown, nomor=found.number)
