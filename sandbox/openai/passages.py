"""A supplied source, taken apart once: its words, its parts (question and answer, price line, sentences)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from sandbox.openai.conversation import Source
from sandbox.openai.intents import STATES_MONEY, STATES_TIME
from sandbox.openai.words import concepts, forms, tokens, weight

# FAQ passages read "T: question" and "J: answer"; paraphrases may stand between the two.
_FAQ = re.compile(r"\A\s*T:\s*(?P<asked>.*?)\n\s*J:\s*(?P<answer>.*)\Z", re.DOTALL)
# Catalogue passages read "Name (kode X1): Rp10.000 per unit. More."
_CATALOGUE = re.compile(r"\A[^\n:]{1,120}\(kode\s[^)]+\)\s*:\s*Rp", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\s])|\n+")
_ABBREVIATED = re.compile(
    r"(?:\b(?:jl|no|dll|dsb|dst|gg|rp|tgl|kec|kab|min|maks|a\.n|s\.d)|\b\d{1,2})\.$", re.IGNORECASE
)
_LIST_MARK = re.compile(r"^\s*(?:#{1,6}\s+|[-*•]\s+)")


@dataclass(frozen=True)
class Passage:
    """The analysed text of a source; equal texts share one analysis."""

    title: str
    text: str

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word of title and text."""
        return frozenset(tokens(f"{self.title}\n{self.text}"))

    @cached_property
    def forms(self) -> frozenset[str]:
        """Every word and stem."""
        return frozenset(form for word in self.vocabulary for form in forms(word))

    @cached_property
    def by_initial(self) -> dict[str, tuple[str, ...]]:
        """Words by first letter, where the search for typos looks."""
        grouped: dict[str, list[str]] = {}
        for word in sorted(self.vocabulary):
            if word.isalpha():
                grouped.setdefault(word[0], []).append(word)
        return {letter: tuple(words) for letter, words in grouped.items()}

    @cached_property
    def concepts(self) -> frozenset[str]:
        """The groups of meaning that the passage touches; an amount of money is about a price."""
        found = {name for word in self.vocabulary for name in concepts(word)}
        return frozenset(found | {"harga"} if self.states_money else found)

    @cached_property
    def states_money(self) -> bool:
        """An amount, a share, or that it costs nothing."""
        return STATES_MONEY.search(self.faq_answer or self.text) is not None

    @cached_property
    def states_time(self) -> bool:
        """A duration, a time of day or a date."""
        return STATES_TIME.search(self.faq_answer or self.text) is not None

    @cached_property
    def units(self) -> frozenset[str]:
        """The words that stand after a number ("20 Mbps", "3 kg")."""
        words = tokens(self.text)
        return frozenset(unit for number, unit in pairwise(words) if number.isdigit() and unit.isalpha())

    @cached_property
    def is_catalogue(self) -> bool:
        return _CATALOGUE.match(self.text) is not None

    @cached_property
    def faq_answer(self) -> str | None:
        """The J part of a FAQ passage."""
        found = _FAQ.match(self.text)
        return found.group("answer").strip() if found else None

    @cached_property
    def headings(self) -> tuple[tuple[frozenset[str], float], ...]:
        """What the passage says it is about: forms and weight of each word of the T part and the title."""
        found = _FAQ.match(self.text)
        about = found.group("asked") if found else self.text.split(":", 1)[0] if self.is_catalogue else ""
        words = dict.fromkeys(tokens(f"{self.title} {about}"))
        return tuple((forms(word), weight(word)) for word in words if weight(word) > 0)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The answer part (or the whole text) cut into sentences; amounts, times and "Jl." stay whole."""
        found: list[str] = []
        for piece in _SENTENCE_END.split(self.faq_answer or self.text):
            piece = _LIST_MARK.sub("", piece).strip()
            if found and _ABBREVIATED.search(found[-1]):
                found[-1] += f" {piece}"
            elif piece:
                found.append(piece)
        return tuple(found)


@lru_cache(maxsize=2048)
def _analysed(title: str, text: str) -> Passage:
    return Passage(title, text)


def analyse(source: Source) -> Passage:
    """The passage of a source; the same text is taken apart only once while it is remembered."""
    return _analysed(source.title, source.text)
