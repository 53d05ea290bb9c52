from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.terbilang import MOST, terbilang

_WORDS = {
    word: value
    for value, word in enumerate(
        ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh")
    )
} | {"sebelas": 11}


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "nol"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (17, "tujuh belas"),
        (21, "dua puluh satu"),
        (100, "seratus"),
        (111, "seratus sebelas"),
        (1_000, "seribu"),
        (1_100, "seribu seratus"),
        (2_000, "dua ribu"),
        (11_000, "sebelas ribu"),
        (101_000, "seratus satu ribu"),
        (1_001_000, "satu juta seribu"),
        (21_001_001, "dua puluh satu juta seribu satu"),
        (1_000_000_000, "satu miliar"),
        (768_500, "tujuh ratus enam puluh delapan ribu lima ratus"),
        (-5_000, "minus lima ribu"),
    ],
)
def test_amounts_are_said_as_people_say_them(amount: int, words: str) -> None:
    assert terbilang(amount) == words


@given(st.integers(min_value=0, max_value=MOST))
def test_the_words_stand_for_exactly_the_amount(amount: int) -> None:
    assert _value(terbilang(amount)) == amount


def test_nobody_sells_for_a_quadrillion() -> None:
    with pytest.raises(ValueError, match="no invoice"):
        terbilang(MOST + 1)


def _value(words: str) -> int:
    """Reads the words back by the rules of Indonesian numbers."""
    scales = {"ribu": 10**3, "juta": 10**6, "miliar": 10**9, "triliun": 10**12}
    total = group = unit = 0
    for word in words.split():
        if word in scales:
            total, group, unit = total + (group + unit) * scales[word], 0, 0
        elif word == "seribu":
            total += 1000
        elif word == "seratus":
            group += 100
        elif word == "ratus":
            group, unit = group + 100 * unit, 0
        elif word == "puluh":
            group, unit = group + 10 * unit, 0
        elif word == "belas":
            group, unit = group + 10 + unit, 0
        else:
            unit = _WORDS[word]
    return total + group + unit
