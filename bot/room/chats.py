"""*abaikan 0812…* and *lanjut 0812…*: whether the bot answers in one chat; *lanjut* for what was held up."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.chats import GO_ON, IGNORE
from bot.room.command import Command, Request, Takes
from bot.room.parts import RoomParts


class Chats:
    """The gate of a single chat."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            Command(
                words=(IGNORE,), act=self.act, takes=Takes.SOMETHING, help_sentence="admin_bantuan_abaikan"
            ),
            Command(words=(GO_ON,), act=self.act, takes=Takes.MAYBE, help_sentence="admin_bantuan_lanjut"),
        )

    def act(self, connection: Connection, request: Request) -> str | None:
        return self._p.chats.act(connection, request.text)
