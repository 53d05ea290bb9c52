"""Gaps: what customers asked and the shop's knowledge did not answer, counted by their words."""

from __future__ import annotations

from sqlalchemy import Connection

from rag.normalise import search_text
from store import handoffs

_MOST_CHARS = 120


def missing(connection: Connection, account: str, *, since_ms: int, until_ms: int) -> list[tuple[str, int]]:
    """Each unanswered question as it was asked last, with how often; the most frequent first.

    Those that an admin answered and let the bot keep are no gaps any more.
    """
    asked: dict[frozenset[str], tuple[str, int]] = {}
    known: set[frozenset[str]] = set()
    for question, learned in handoffs.unknown(connection, account, since_ms=since_ms, until_ms=until_ms):
        # The same words in another order, or in chat language, are the same question.
        words = frozenset(search_text(question).split())
        if learned:
            known.add(words)
        elif words:
            _, times = asked.get(words, ("", 0))
            asked[words] = (_short(question), times + 1)
    left = [found for words, found in asked.items() if words not in known]
    return sorted(left, key=lambda found: -found[1])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARS else line[: _MOST_CHARS - 1] + "…"
