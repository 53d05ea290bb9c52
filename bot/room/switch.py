"""*mulai*, *magang*, *berhenti*, *balas …*: whether the bot answers, how freely, and whom."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from bot import audience, modes
from bot.room.command import Command, Request
from bot.room.parts import RoomParts
from config.settings import Audience, Mode

_AUDIENCES = {
    "balas semua": Audience.ALL,
    "balas nomor baru": Audience.NEW_NUMBERS,
    "balas daftar": Audience.LISTED,
}


class Switch:
    """The shop's mode and its audience, as the owner's words set them."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            Command(words=("mulai",), act=self.start, help_sentence="admin_bantuan_mulai"),
            Command(words=("magang",), act=self.learn, help_sentence="admin_bantuan_magang"),
            Command(words=("berhenti",), act=self.stop, help_sentence="admin_bantuan_berhenti"),
            *(
                Command(words=(words,), act=partial(self._answer, chosen))
                for words, chosen in _AUDIENCES.items()
            ),
            Command(words=("balas",), act=self._ask, help_sentence="admin_bantuan_balas"),
        )

    def start(self, connection: Connection, request: Request) -> str:
        before = modes.current(connection, self._p.account, configured=self._p.configured_mode)
        modes.switch(connection, self._p.account, Mode.ON)
        return self._p.wording.say("admin_mulai_pertama" if before is Mode.NEW else "admin_mulai")

    def learn(self, connection: Connection, request: Request) -> str:
        modes.switch(connection, self._p.account, Mode.APPROVE)
        return self._p.wording.say("admin_magang")

    def stop(self, connection: Connection, request: Request) -> str:
        modes.switch(connection, self._p.account, Mode.OFF)
        return self._p.wording.say("admin_berhenti")

    def _answer(self, chosen: Audience, connection: Connection, request: Request) -> str:
        audience.choose(connection, self._p.account, chosen)
        return self._p.wording.say(f"admin_balas_{chosen.value}")

    def _ask(self, connection: Connection, request: Request) -> str:
        return self._p.wording.say("admin_balas_cara")
