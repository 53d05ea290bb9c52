"""Where a long answer is parted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.bubbles import split

PARAGRAPH = "Bisa Kak, ongkirnya Rp18.000 ke Solo dan sampai dalam dua hari."


def test_a_short_answer_is_one_bubble() -> None:
    assert split(PARAGRAPH, 700) == [PARAGRAPH]


def test_a_channel_without_a_limit_gets_the_answer_whole() -> None:
    assert split(PARAGRAPH * 50, None) == [PARAGRAPH * 50]


def test_a_long_answer_is_parted_between_the_paragraphs_nearest_the_middle() -> None:
    parts = [f"{number}. {PARAGRAPH}" for number in range(4)]
    assert split("\n\n".join(parts), 100) == ["\n\n".join(parts[:2]), "\n\n".join(parts[2:])]


def test_without_paragraphs_it_is_parted_between_lines_and_without_lines_between_sentences() -> None:
    assert split(f"{PARAGRAPH}\n{PARAGRAPH}", 80) == [PARAGRAPH, PARAGRAPH]
    assert split(f"{PARAGRAPH} {PARAGRAPH}", 80) == [PARAGRAPH, PARAGRAPH]


def test_a_closing_line_does_not_become_a_bubble_of_its_own() -> None:
    first, second = split(f"{PARAGRAPH} {PARAGRAPH} {PARAGRAPH}\n\nAda lagi, Kak?", 100)
    assert first.endswith("hari.")
    assert second.endswith("\n\nAda lagi, Kak?")
    assert len(second) > 60


def test_a_text_that_has_no_border_stays_whole() -> None:
    assert split("a" * 900, 700) == ["a" * 900]


@given(st.text(max_size=400), st.integers(min_value=1, max_value=200))
def test_nothing_but_white_space_at_the_border_is_lost_and_two_bubbles_are_the_most(
    text: str, most: int
) -> None:
    parts = split(text, most)
    assert 1 <= len(parts) <= 2
    assert "".join("".join(parts).split()) == "".join(text.split())
