"""*belajar*: what customers asked and the shop's knowledge did not answer, most frequent first."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.room.command import Command, Request
from bot.room.parts import RoomParts
from rag.normalise import search_text
from store import handoffs

DAYS = 30
MOST_LISTED = 10
_MOST_CHARS = 120


class Gaps:
    """Questions without knowledge behind them, counted by their words."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (Command(words=("belajar",), act=self.tell, help_sentence="admin_bantuan_belajar"),)

    def tell(self, connection: Connection, request: Request) -> str:
        found = missing(connection, self._p.account, within_ms=DAYS * 24 * 60 * 60 * 1000)
        if not found:
            return self._p.wording.say("admin_belajar_kosong")
        listed = "\n".join(f"{times}x {question}" for question, times in found[:MOST_LISTED])
        return self._p.wording.say("admin_belajar", daftar=listed, hari=DAYS)


def missing(connection: Connection, account: str, *, within_ms: int) -> list[tuple[str, int]]:
    """Each unanswered question as it was asked last, with how often; the most frequent first.

    Those that an admin answered and let the bot keep are no gaps any more.
    """
    asked: dict[frozenset[str], tuple[str, int]] = {}
    for question in handoffs.unknown(connection, account, within_ms=within_ms):
        # The same words in another order, or in chat language, are the same question.
        words = frozenset(search_text(question).split())
        if words:
            _, times = asked.get(words, ("", 0))
            asked[words] = (_short(question), times + 1)
    return sorted(asked.values(), key=lambda pair: -pair[1])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARS else line[: _MOST_CHARS - 1] + "…"
