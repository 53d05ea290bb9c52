"""Characters that no keyboard types and no phone shows: taken out of what customers and the model write."""

from __future__ import annotations

import unicodedata

# Bidirectional marks can make a price read differently from what it is; they carry no meaning here.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
# Control characters, halves of surrogate pairs and private use: the database refuses some of them.
_DROPPED_CATEGORIES = frozenset({"Cc", "Cs", "Co"})


def readable(text: str, *, keep: str = "\n") -> str:
    """The text with plain line ends and without such characters, but for those in ``keep``."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # A text has few different characters, so each of them is looked at once.
    dropped = [
        char
        for char in set(text)
        if char in _BIDI or (char not in keep and unicodedata.category(char) in _DROPPED_CATEGORIES)
    ]
    return text.translate(dict.fromkeys(map(ord, dropped))) if dropped else text
