"""A customer's question as anybody could ask it: without greetings, forms of address and the story."""

from __future__ import annotations

import re

from sandbox.openai.question import understand

_CLAUSE = re.compile(r"(?<=[^\W\d])[.,;!](?=\s|$)|\n+|(?<=\?)\s+")
_WORD = re.compile(r"[^\s]+")
_GREETINGS = (
    "halo hallo helo hai hi hey p permisi punten misi assalamualaikum salam pagi siang sore malam selamat "
    "kak kakak kk min mimin admin gan sis sist bang bg mas mbak mba pak bu bos boss om tante"
)
_AROUND = "ya yah dong donk sih nih deh kok loh lho tolong maaf numpang mau tanya nanya bertanya tny"
_DROPPED = frozenset(f"{_GREETINGS} {_AROUND}".split())
_MOST_CHARACTERS = 110


def general_question(text: str) -> str:
    """The clause that asks, as one plain question; the text itself when nothing else is left of it."""
    clauses = [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()]
    asking = [clause for clause in clauses if "?" in clause] or [
        clause for clause in clauses if understand(clause).words
    ]
    chosen = asking[-1] if asking else text
    words = [word for word in _WORD.findall(chosen) if word.strip("?!.,").casefold() not in _DROPPED]
    plain = " ".join(words).strip(" ?!.,")[:_MOST_CHARACTERS].strip()
    if not plain:
        return text.strip()
    return f"{plain[0].upper()}{plain[1:]}?"
