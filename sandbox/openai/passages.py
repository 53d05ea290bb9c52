"""A supplied source, taken apart once: its words, its parts (question and answer, price line, sentences)."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from sandbox.openai.conversation import Source
from sandbox.openai.intents import OFFERS, SELLS, STATES_MONEY
from sandbox.openai.words import concepts, forms, tokens, weight

# FAQ passages read "T: question" and "J: answer"; other phrasings of the question may stand between the two.
_FAQ = re.compile(r"\A\s*T:\s*(?P<asked>.*?)\n\s*J:\s*(?P<answer>.*)\Z", re.DOTALL)
_ALSO_ASKED = re.compile(r"^\s*Juga ditanya:\s*", re.MULTILINE)
# Catalogue passages read "Name (kode X1): Rp10.000 per unit. More."
_CATALOGUE = re.compile(r"\A[^\n:]{1,120}\(kode\s[^)]+\)\s*:\s*Rp", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\s])|\n+")
_ABBREVIATED = re.compile(
    r"(?:\b(?:jl|no|dll|dsb|dst|gg|rp|tgl|kec|kab|min|maks|a\.n|s\.d)|\b\d{1,2})\.$", re.IGNORECASE
)
_HEADING_WORDS = 9
_RANGE = re.compile(
    r"(?P<word>sampai|maksimal|maks|paling (?:banyak|lama|berat)|minimal|mulai|di atas|lebih dari|hingga)\s+"
    r"(?P<number>\d+)\s*(?P<unit>[a-z]+)"
)
_FROM_TO = re.compile(r"(?P<low>\d+)\s*(?:-|sampai|hingga)\s*(?P<high>\d+)\s*(?P<unit>[a-z]+)")
_NO_LIMIT = 10**9
_LIST_MARK = re.compile(r"^\s*(?:#{1,6}\s+|[-*•]\s+)")


@dataclass(frozen=True)
class Span:
    """One place of a passage that can answer by itself: a sentence, or a whole FAQ entry or price line.

    ``text`` is what it states, ``about`` what it is told under, ``beside`` what stands before and after it.
    """

    text: str
    about: str = ""
    beside: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(tokens(self.text))

    @cached_property
    def forms(self) -> frozenset[str]:
        """Every word and stem of the place and its heading."""
        return frozenset(form for word in (*self.words, *tokens(self.about)) for form in forms(word))

    @cached_property
    def concepts(self) -> frozenset[str]:
        """The groups of meaning that it touches; an amount of money is about a price."""
        found = {name for word in (*self.words, *tokens(self.about)) for name in concepts(word)}
        return frozenset(found | {"harga"} if self.states_money else found)

    @cached_property
    def nearby_forms(self) -> frozenset[str]:
        return frozenset(form for word in tokens(self.beside) for form in forms(word))

    @cached_property
    def nearby_concepts(self) -> frozenset[str]:
        return frozenset(name for word in tokens(self.beside) for name in concepts(word))

    @cached_property
    def states_money(self) -> bool:
        """An amount, a share, or that it costs nothing."""
        return STATES_MONEY.search(self.text) is not None

    @cached_property
    def offers(self) -> bool:
        """Whether it says of something that it is to be had (or not)."""
        return OFFERS.search(self.text) is not None

    @cached_property
    def sells(self) -> bool:
        """Whether it says of something that it is for sale (or not)."""
        return SELLS.search(self.text) is not None

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(word for word in (*self.words, *tokens(self.about)) if word.isdigit())

    @cached_property
    def measures(self) -> dict[str, frozenset[str]]:
        """The numbers by the unit behind them ("20 Mbps"), and by the name before them, marked by a space."""
        return _measures(f"{self.about} {self.text}")

    @cached_property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """The numbers that a stated limit includes, by unit ("minimal 3 hari", "2 sampai 5 kg")."""
        found: dict[str, tuple[int, int]] = {}
        plain = " ".join(self.words)
        for match in _RANGE.finditer(plain):
            number, upward = (
                int(match["number"]),
                match["word"] in ("minimal", "mulai", "di atas", "lebih dari"),
            )
            found[match["unit"]] = (number, _NO_LIMIT) if upward else (0, number)
        for match in _FROM_TO.finditer(plain):
            found[match["unit"]] = (int(match["low"]), int(match["high"]))
        return found


@dataclass(frozen=True)
class Variant:
    """One wording of the question that an FAQ entry answers."""

    text: str

    @cached_property
    def words(self) -> tuple[tuple[frozenset[str], frozenset[str], float], ...]:
        """Forms, meanings and weight of each word that says anything."""
        found = dict.fromkeys(tokens(self.text))
        return tuple((forms(word), concepts(word), weight(word)) for word in found if weight(word) > 0)

    @cached_property
    def forms(self) -> frozenset[str]:
        return frozenset().union(*(stems for stems, _, _ in self.words))

    @cached_property
    def concepts(self) -> frozenset[str]:
        return frozenset().union(*(meanings for _, meanings, _ in self.words))

    @cached_property
    def total(self) -> float:
        return sum(weight for _, _, weight in self.words)


def _measures(text: str) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in pairwise(tokens(text)):
        if one.isdigit() and other.isalpha():
            found[other].add(one)
        elif one.isalpha() and other.isdigit():
            found[f"{one} "].add(other)
    return {unit: frozenset(numbers) for unit, numbers in found.items()}


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
        """The groups of meaning that the passage touches."""
        return frozenset().union(*(span.concepts for span in self.spans))

    @cached_property
    def measures(self) -> dict[str, frozenset[str]]:
        return _measures(f"{self.title} {self.text}")

    @cached_property
    def is_catalogue(self) -> bool:
        return _CATALOGUE.match(self.text) is not None

    @cached_property
    def is_document(self) -> bool:
        """Neither a price line nor a FAQ entry: many sentences about many things."""
        return not self.is_catalogue and self.faq_answer is None

    @cached_property
    def faq_answer(self) -> str | None:
        """The J part of a FAQ passage."""
        found = _FAQ.match(self.text)
        return found.group("answer").strip() if found else None

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Every wording of the question that an FAQ passage answers; the T part comes first."""
        found = _FAQ.match(self.text)
        if found is None:
            return ()
        asked, *also = _ALSO_ASKED.split(found.group("asked"), maxsplit=1)
        texts = [asked, *(text for line in also for text in line.split(" / "))]
        return tuple(variant for text in texts if (variant := Variant(text.strip())).words)

    @cached_property
    def _about(self) -> str:
        """What the passage says it is about: the T part, the name in a price line, the title."""
        if self.variants:
            return f"{self.title} {self.variants[0].text}"
        return f"{self.title} {self.text.split(':', 1)[0] if self.is_catalogue else ''}"

    @cached_property
    def headings(self) -> tuple[tuple[frozenset[str], frozenset[str], float], ...]:
        """Forms, meanings and weight of each word that the passage is about."""
        words = dict.fromkeys(tokens(self._about))
        return tuple((forms(word), concepts(word), weight(word)) for word in words if weight(word) > 0)

    @cached_property
    def naming(self) -> frozenset[str]:
        """Every form of what the passage is about."""
        return frozenset(form for stems, _, _ in self.headings for form in stems)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The places that can answer by themselves."""
        if not self.is_document:
            asked = " ".join(variant.text for variant in self.variants)
            return (Span(self.faq_answer or self.text, about=f"{self._about} {asked}"),)
        found, heading = [], self.title
        for at, sentence in enumerate(self.sentences):
            if sentence[-1] not in ".!?:;," and len(sentence.split()) <= _HEADING_WORDS:
                heading = f"{self.title} {sentence}"
                continue
            beside = " ".join(self.sentences[max(0, at - 1) : at] + self.sentences[at + 1 : at + 2])
            found.append(Span(sentence, about=heading, beside=beside))
        return tuple(found) or (Span(self.text, about=self.title),)

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
