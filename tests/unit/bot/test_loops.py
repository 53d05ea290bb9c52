"""When a chat goes round in circles, and when it only looks like it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.loops import WINDOW_MS, LoopGuard
from store.turns import Author, Turn

NOW_MS = 1_800_000_000_000


def _turn(asked: str, author: Author = Author.BOT, *, age_ms: int = 1_000) -> Turn:
    return Turn(id=1, asked=asked, replied="x", author=author, created_ms=NOW_MS - age_ms)


def _circles(text: str, recent: list[Turn], most_answers: int = 6) -> bool:
    unused: Any = None
    guard = LoopGuard(store=unused, people=unused, wording=unused, account="utama", most_answers=most_answers)
    said: Any = SimpleNamespace(text=text, shown=text, rows=[SimpleNamespace(recorded_ms=NOW_MS)])
    return guard._circles(said, recent)


@pytest.mark.parametrize(
    ("trips", "text", "recent"),
    [
        (True, "sama", [_turn("sama"), _turn("sama")]),
        (False, "sama", [_turn("sama")]),
        (False, "sama", [_turn("sama"), _turn("lain")]),
        (False, "lain", [_turn("sama"), _turn("sama")]),
        (False, "", [_turn(""), _turn("")]),
        (False, "sama", [_turn("sama", age_ms=WINDOW_MS), _turn("sama")]),
        # The relayed answer of a person repeats the question; the customer asked it twice, not three times.
        (False, "sama", [_turn("sama"), _turn("sama", Author.HUMAN)]),
        (True, "sama", [_turn("sama"), _turn("sama", Author.HUMAN), _turn("sama")]),
        # Not answered because the bot was off: still the same message three times.
        (True, "sama", [_turn("sama", Author.NONE), _turn("sama", Author.NONE)]),
    ],
)
def test_three_identical_messages_in_a_row_are_a_loop(trips: bool, text: str, recent: list[Turn]) -> None:
    assert _circles(text, recent) is trips


@pytest.mark.parametrize(
    ("trips", "recent"),
    [
        (True, [_turn(str(n)) for n in range(6)]),
        (False, [_turn(str(n)) for n in range(5)]),
        (False, [_turn(str(n), Author.HUMAN) for n in range(8)]),
        (False, [_turn(str(n), age_ms=WINDOW_MS + n) for n in range(6)]),
    ],
)
def test_six_answers_within_three_minutes_are_a_loop(trips: bool, recent: list[Turn]) -> None:
    assert _circles("baru", recent) is trips


async def test_zero_switches_the_guard_off() -> None:
    unused: Any = None
    guard = LoopGuard(store=unused, people=unused, wording=unused, account="utama", most_answers=0)
    said: Any = SimpleNamespace(text="sama", rows=[SimpleNamespace(recorded_ms=NOW_MS)])
    assert not await guard.trips(said, [_turn("sama")] * 8)


def test_what_goes_on_does_not_go_round() -> None:
    step = Turn(
        id=1, asked="1", replied="x", author=Author.BOT, created_ms=NOW_MS - 500, source_ids=("jual:langkah",)
    )
    # "1" for the group, "1" for the item, "1" for the way to pay.
    assert not _circles("1", [step, step])
    assert not _circles("baru", [*[_turn(str(n)) for n in range(6)], step])
    # Behind the last step it is counted as ever.
    assert _circles("baru", [step, *[_turn(str(n)) for n in range(6)]])
    assert _circles("sama", [step, _turn("sama"), _turn("sama")])
