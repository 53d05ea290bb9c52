"""Finds the words of a vocabulary that a customer's word may stand for.

Customers write "pengirman", "byr", "dibayar", "ongkos" where the shop's texts say "pengiriman", "bayar",
"pembayaran", "biaya". Slips of the pen are looked for only when the vocabulary lacks the word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from store.memory.stems import possible_stems
from store.memory.synonyms import COMMON, synonyms

# How far each reading is trusted, against 1 for the word itself.
_SLIP = 0.8
_ABBREVIATION = 0.7
_FAMILY = 0.9
_SYNONYM = 0.6
_SYNONYM_FAMILY = 0.5
# Shorter words have too many neighbours one letter away ("beli", "boli", "bela").
_MIN_TYPO_LENGTH = 4
_MIN_SHARED_TRIGRAMS = 0.5
_MOST = 4
# What speech adds to a word, however the word before it is abbreviated: "blikin", "hrganya".
_SPOKEN_ENDINGS = ("", "nya", "ny", "in", "kan")
_MIN_ABBREVIATION = 3
_VOWELS = str.maketrans("", "", "aiueo")


class Vocabulary:
    """The words of one knowledge generation, with the ways to find one that was written differently."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = set(words)
        self._by_deletion: dict[str, list[str]] = defaultdict(list)
        self._by_trigram: dict[str, list[str]] = defaultdict(list)
        self._trigram_counts: dict[str, int] = {}
        self._by_skeleton: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        # Common words too: of one that was misspelt only a synonym may stand in the texts.
        for word in sorted(self._words | COMMON):
            if len(word) < _MIN_TYPO_LENGTH or not word.isalpha():
                continue
            for shorter in _deletions(word):
                self._by_deletion[shorter].append(word)
            trigrams = _trigrams(word)
            self._trigram_counts[word] = len(trigrams)
            for trigram in trigrams:
                self._by_trigram[trigram].append(word)
            self._by_skeleton[_skeleton(word)].append(word)
            for stem in possible_stems(word):
                self._by_stem[stem].append(word)

    def near(self, word: str, also: Iterable[str] = ()) -> list[tuple[str, float]]:
        """Words that this one may stand for, each with how far to trust it (0..1), best first.

        ``also`` are words that say the same where it stands.
        """
        found: dict[str, float] = {}
        if word in self._words:
            found[word] = 1.0
        elif word.isalpha() and len(word) >= 3:
            # Codes and amounts are right or wrong: "ih20" must never find "ih30".
            alike = (*self._typos(word), *self._abbreviated(word), *self._shared_trigrams(word))
            ranked = sorted(alike, key=lambda item: item[1])
            found = dict([item for item in ranked if item[0] in self._words][-_MOST:])
            for meant, slip in [item for item in ranked if item[0] not in self._words][-_MOST:]:
                for other, trust in self._related(meant):
                    found[other] = max(slip * trust, found.get(other, 0.0))
        for other, trust in (*self._related(word), *self._same_thing(also)):
            found[other] = max(trust, found.get(other, 0.0))
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))

    def _related(self, word: str) -> Iterable[tuple[str, float]]:
        for stem in possible_stems(word):
            for other in self._by_stem.get(stem, ()):
                if other in self._words:
                    yield other, _FAMILY
            yield from self._same_thing(synonyms(stem))

    def _same_thing(self, others: Iterable[str]) -> Iterable[tuple[str, float]]:
        for other in others:
            if other in self._words:
                yield other, _SYNONYM
            for relative in self._by_stem.get(other, ()):
                if relative in self._words:
                    yield relative, _SYNONYM_FAMILY

    def _typos(self, word: str) -> Iterable[tuple[str, float]]:
        """Words one slip away: a letter missing, added, replaced, or two swapped."""
        if len(word) < _MIN_TYPO_LENGTH:
            return
        for shorter in _deletions(word):
            for other in self._by_deletion.get(shorter, ()):
                if _one_slip_apart(word, other):
                    yield other, _SLIP

    def _abbreviated(self, word: str) -> Iterable[tuple[str, float]]:
        """Chat abbreviations leave vowels out, all or some: "krm" and "krim" are "kirim"."""
        for ending in _SPOKEN_ENDINGS:
            if word.endswith(ending) and len(short := word[: len(word) - len(ending)]) >= _MIN_ABBREVIATION:
                for other in self._by_skeleton.get(_skeleton(short), ()):
                    if _left_out(short, other):
                        yield other, _ABBREVIATION

    def _shared_trigrams(self, word: str) -> Iterable[tuple[str, float]]:
        """Words that share most three-letter pieces: more than one slip, or joined words."""
        if len(word) < 5:
            return
        own = _trigrams(word)
        shared: dict[str, int] = defaultdict(int)
        for trigram in own:
            for other in self._by_trigram.get(trigram, ()):
                shared[other] += 1
        for other, count in shared.items():
            dice = 2 * count / (len(own) + self._trigram_counts[other])
            if dice >= _MIN_SHARED_TRIGRAMS:
                yield other, _SLIP * dice


def _deletions(word: str) -> set[str]:
    return {word} | {word[:index] + word[index + 1 :] for index in range(len(word))}


def _trigrams(word: str) -> set[str]:
    padded = f"^{word}$"
    return {padded[index : index + 3] for index in range(len(padded) - 2)}


def _skeleton(word: str) -> str:
    return word.translate(_VOWELS)


def _left_out(short: str, word: str) -> bool:
    """Whether ``short`` is ``word`` with letters left out."""
    letters = iter(word)
    return all(letter in letters for letter in short)


def _one_slip_apart(one: str, other: str) -> bool:
    """Damerau's distance is 1; a shared deletion alone also happens at distance 2."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    return (
        rest[1:] == other_rest
        or rest == other_rest[1:]
        or rest[1:] == other_rest[1:]
        or (rest[2:] == other_rest[2:] and rest[:2] == other_rest[1::-1])
    )
