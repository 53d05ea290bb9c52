"""Questions and people's answers out of the chats that the phone told of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.whatsapp import past, past_words
from tests.unit.bot.whatsapp.test_whatsapp_past import conversation

NOW_S = 100 * 24 * 3600
CHAT = "628123456789@s.whatsapp.net"
Said = tuple[bool, int, str]


def exchanges(protos: Any, folder: Path, *said: Said) -> list[tuple[str, str]]:
    _, chat = conversation(protos, CHAT, *said)
    past.keep(folder, chat)
    return [(one.asked, one.replied) for one in past_words.exchanges(folder, now_s=NOW_S)]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([(False, -90, "bisa cod?"), (True, -60, "Bisa Kak")], [("bisa cod?", "Bisa Kak")]),
        # Phones tell the newest message first; what was said around the question counts for nothing.
        (
            [
                (True, -10, "Klaten saja"),
                (True, -20, "Bisa Kak"),
                (False, -80, "bisa cod?"),
                (False, -90, "halo"),
            ],
            [("bisa cod?", "Bisa Kak\nKlaten saja")],
        ),
        ([(False, -90, "bisa cod?"), (False, -80, "jam buka berapa?"), (True, -60, "Bisa Kak")], []),
        ([(False, -90, "bisa cod?")], []),
        ([(True, -90, "bisa cod?"), (True, -60, "Bisa Kak")], []),
        (
            [
                (False, -90, "bisa cod?"),
                (True, -80, "a"),
                (True, -70, "b"),
                (True, -60, "c"),
                (True, -50, "d"),
            ],
            [],
        ),
        # A day later, and more than ninety days ago.
        ([(False, -90_000, "bisa cod?"), (True, -10, "Bisa Kak")], []),
        ([(False, -91 * 86_400, "bisa cod?"), (True, -91 * 86_400 + 60, "Bisa Kak")], []),
    ],
)
def test_a_question_is_taken_with_what_a_person_said_next(
    protos: Any, tmp_path: Path, said: list[Said], found: list[tuple[str, str]]
) -> None:
    moved = [(by_shop, NOW_S + at, words) for by_shop, at, words in said]
    assert exchanges(protos, tmp_path / "history", *moved) == found


def test_a_chat_that_was_told_in_two_portions_is_one(protos: Any, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    asked: Said = (False, NOW_S - 90, "bisa cod?")
    assert exchanges(protos, folder, asked) == []
    assert past_words.has_any(folder)
    assert exchanges(protos, folder, asked, (True, NOW_S - 60, "Bisa Kak")) == [("bisa cod?", "Bisa Kak")]


def test_a_damaged_file_hides_no_other(protos: Any, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    assert not past_words.has_any(folder)
    folder.mkdir()
    (folder / "0-x.chat").write_bytes(b"\xff\xff rusak")
    said: list[Said] = [(False, NOW_S - 90, "bisa cod?"), (True, NOW_S - 60, "Bisa Kak")]
    assert exchanges(protos, folder, *said) == [("bisa cod?", "Bisa Kak")]
