"""Long answers in bubbles that people read on a phone: parted between paragraphs, two at most. Pure."""

from __future__ import annotations

import re

_PARAGRAPH = re.compile(r"\n\s*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


def split(text: str, most_chars: int | None) -> list[str]:
    """The text as one bubble, or as two when it is longer than ``most_chars`` (None: never).

    Parted where the two are most alike in length, between paragraphs rather than lines, lines rather than
    sentences; a text without any of these stays whole.
    """
    if most_chars is None or len(text) <= most_chars:
        return [text]
    for border in (_PARAGRAPH, _LINE, _SENTENCE):
        found = [match for match in border.finditer(text) if text[: match.start()].strip()]
        if found:
            middle = min(found, key=lambda match: abs(2 * match.start() - len(text)))
            first, second = text[: middle.start()].rstrip(), text[middle.end() :].lstrip()
            # A lone closing line is no bubble of its own.
            if min(len(first), len(second)) * 4 >= len(text) or border is _SENTENCE:
                return [part for part in (first, second) if part]
    return [text]
