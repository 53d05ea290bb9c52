"""What customers type around an order as bare words: "3x  IH20 yaa kak!" is 3, x, ih, 20, ya, kak. Pure."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLE_END = re.compile(r"([^\W\d_])\1+\Z")
QUESTION_MARKS = frozenset("?？¿؟❓❔⁇⁉")


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for lists that are longer than a line."""
    return frozenset(text.split())


# Words that say nothing about what is wanted: forms of address and particles.
CALLS = word_set(
    "kak kakak ka kk min mimin gan sis sista bang bro mas mba mbak pak bu bun bunda om tante bos boss"
)
PARTICLES = word_set(
    "ya yah y dong donk deh dah nih sih aja saja ajah kok lah loh lho oh eh hehe hehehe hihi "
    "wkwk tolong mohon"
)


def spoken(text: str) -> list[str]:
    """Lower-case words and numbers, parted from each other; "okeee" is "oke" and "gasss" is "gas"."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return [_squeezed(token) for token in _TOKEN.findall(plain)]


def without(words: list[str], *fillers: frozenset[str]) -> list[str]:
    """The words that are none of these."""
    return [word for word in words if not any(word in group for group in fillers)]


def asks(text: str) -> bool:
    """Whether there is a question mark: whoever asks has not decided."""
    return not QUESTION_MARKS.isdisjoint(text)


def _squeezed(token: str) -> str:
    if token[0].isdigit():
        return token
    return _DOUBLE_END.sub(r"\1", _LONG_RUN.sub(r"\1", token))
