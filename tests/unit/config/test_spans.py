"""Lengths of time are told as people tell them."""

from __future__ import annotations

import pytest

from config.spans import span, span_ms


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((-3, "0 detik"), (40, "40 detik"), (89.9, "89 detik"), (90, "1 menit"), (720, "12 menit")),
        *((89 * 60, "89 menit"), (90 * 60, "1 jam"), (8 * 3600, "8 jam"), (47.9 * 3600, "47 jam")),
        *((48 * 3600, "2 hari"), (5 * 86_400 + 5, "5 hari")),
    ],
)
def test_a_length_of_time_is_told_in_the_unit_that_people_use(seconds: float, words: str) -> None:
    assert span(seconds) == words
    assert span_ms(int(seconds * 1000)) == words
