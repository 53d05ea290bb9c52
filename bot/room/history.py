"""*cari 0812…*: the last that a customer and the shop said to each other."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.room.command import Command, Request, Takes
from bot.room.naming import named
from bot.room.parts import RoomParts
from store import turns
from store.turns import Author, Turn

MOST_TURNS = 8
# A line of a list, on a phone.
MOST_CHARS = 160
_WHO = {Author.BOT: "Bot", Author.HUMAN: "Toko", Author.AUTO: "Otomatis"}


class History:
    """Somebody's last turns, for an admin who asks for him."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            Command(
                words=("cari",), act=self.tell, takes=Takes.SOMETHING, help_sentence="admin_bantuan_cari"
            ),
        )

    def tell(self, connection: Connection, request: Request) -> str | None:
        found = named(connection, self._p, request.argument, command="cari")
        if found is None or isinstance(found, str):
            return found
        lately = turns.recent(connection, found.id, limit=MOST_TURNS)
        if not lately:
            return self._p.wording.say("admin_cari_kosong", nama=found.shown, nomor=found.number)
        said = "\n".join(line for turn in lately for line in lines(turn, self._p.shop.zona_waktu))
        return self._p.wording.say("admin_cari", nama=found.shown, nomor=found.number, percakapan=said)


def lines(turn: Turn, zone: ZoneInfo) -> list[str]:
    """The exchange as two lines at most, each with who said it."""
    at = datetime.fromtimestamp(turn.created_ms / 1000, zone)
    found = [f"_{at:%d/%m %H.%M}_ {_short(turn.asked)}"] if turn.asked else []
    if turn.replied:
        found.append(f"   {_WHO.get(turn.author, 'Toko')}: {_short(turn.replied)}")
    return found


def _short(text: str) -> str:
    # One line each: a customer's line break must not look like the beginning of somebody else's words.
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARS else line[: MOST_CHARS - 1] + "…"
