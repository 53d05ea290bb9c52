"""Informal Indonesian words, as far as an extractive reader needs them: tokens, stems, typos, weights.

The reader has its own small word knowledge on purpose. Sharing the product's normaliser would let one mistake
hide in the product and in the stand-in that is there to expose it.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

_WORD = re.compile(r"[a-z]+[a-z0-9]*|[0-9]+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_THOUSANDS_DOT = re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))")
_THOUSANDS_WORD = re.compile(r"(\d+)\s?(?:rb|ribu|k)\b")
_VOWELS = re.compile(r"[aiueo]")
_PARTICLES = ("nya", "kah", "lah", "pun", "ku", "mu")
_SUFFIXES = ("kan", "an", "in", "i")
# A prefix and the first letters that it may have swallowed (meng + kirim gives mengirim).
_PREFIXES = (
    ("meny", ("s",)),
    ("peny", ("s",)),
    ("meng", ("", "k")),
    ("peng", ("", "k")),
    ("mem", ("", "p")),
    ("pem", ("", "p")),
    ("men", ("", "t")),
    ("pen", ("", "t")),
    ("ber", ("",)),
    ("ter", ("",)),
    ("per", ("",)),
    ("ng", ("", "k")),
    ("ny", ("s", "c")),
    ("me", ("",)),
    ("pe", ("",)),
    ("di", ("",)),
    ("ke", ("",)),
    ("se", ("",)),
    ("n", ("t",)),
    ("m", ("p",)),
)
_SHORTEST_STEM = 4

_VOCABULARY = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
_SLANG: dict[str, str] = {
    spelt: word for word, spellings in _VOCABULARY["slang"].items() for spelt in spellings.split()
}
_EMPTY = frozenset(_VOCABULARY["empty"].split())
_COMMON = frozenset(_VOCABULARY["common"].split())
_CONCEPTS = {word: name for name, group in _VOCABULARY["concepts"].items() for word in group.split()}
_HINTS: dict[str, str] = _VOCABULARY["hints"]
# What follows one of these words is what the question turns on.
POINTERS = frozenset(_VOCABULARY["pointers"].split())


def fold(text: str) -> str:
    """Lower case without diacritics or stretched letters; thousands written as plain digits."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _STRETCHED.sub(r"\1", text.lower())
    text = _THOUSANDS_DOT.sub("", text.replace("di mana", "dimana").replace("luar jawa", "luarjawa"))
    return _THOUSANDS_WORD.sub(r"\g<1>000", text)


def tokens(text: str) -> list[str]:
    """Words and numbers in order, slang written out: "brp hrg 20Mbps" gives berapa, harga, 20, mbps."""
    return [_plain(word) for word in _WORD.findall(fold(text))]


def _plain(word: str) -> str:
    if word[0].isdigit():
        return word.lstrip("0") or "0"
    if len(word) > 4 and word[-1] == "2" and word[:-1].isalpha():
        word = word[:-1]  # "kedip2" is a doubled word, not a code.
    return _SLANG.get(word, word)


@lru_cache(maxsize=32768)
def forms(word: str) -> frozenset[str]:
    """The word and the stems that it may come from; two words are one when these sets meet."""
    found = {word}
    if word.isalpha():
        _add_stems(word, found)
    return frozenset(found)


def _add_stems(word: str, found: set[str]) -> None:
    for particle in _PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= 3:
            word = word[: -len(particle)]
            found.add(_SLANG.get(word, word))
            break
    bases = [word]
    bases += [word[: -len(s)] for s in _SUFFIXES if word.endswith(s) and len(word) - len(s) >= _SHORTEST_STEM]
    found.update(bases)
    for base in bases:
        for prefix, lost in _PREFIXES:
            if base.startswith(prefix):
                stems = (first + base[len(prefix) :] for first in lost)
                found.update(stem for stem in stems if len(stem) >= _SHORTEST_STEM)


@lru_cache(maxsize=32768)
def concepts(word: str) -> frozenset[str]:
    """The groups of meaning that the word belongs to, if any."""
    return frozenset(_CONCEPTS[form] for form in forms(word) if form in _CONCEPTS)


def hint(word: str) -> str | None:
    """The concept that a question word points at."""
    return _HINTS.get(word)


@lru_cache(maxsize=32768)
def weight(word: str) -> float:
    """How much the word says by itself: 0 for politeness, 0.35 for everyday words, 1 for the rest."""
    if not forms(word).isdisjoint(_EMPTY):
        return 0.0
    if len(word) == 1 and (word.isalpha() or word in "0123456"):
        # A lone small number is mostly a quantity ("2 ya kak") that no passage states.
        return 0.0 if word.isalpha() else 0.2
    return 0.35 if not forms(word).isdisjoint(_COMMON) else 1.0


@lru_cache(maxsize=65536)
def similar(one: str, other: str) -> bool:
    """True when one word is probably a typo or an abbreviation of the other; never for codes and numbers."""
    if not (one.isalpha() and other.isalpha()):
        return False
    short, long = sorted((one, other), key=len)
    if len(short) < 5:
        return len(short) >= 3 and not _VOWELS.search(short) and short == _VOWELS.sub("", long)
    if len(long) - len(short) > 2:
        return False
    return _one_edit(short, long) or (len(short) >= 7 and _bigram_overlap(one, other) >= 0.7)


def _one_edit(short: str, long: str) -> bool:
    """One letter missing or doubled, two swapped, or (from six letters on) one replaced."""
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    if len(short) < len(long):
        return len(long) - len(short) == 1 and short[start:] == long[start + 1 :]
    if short[start + 2 :] == long[start + 2 :] and short[start : start + 2] == long[start : start + 2][::-1]:
        return True
    return len(short) >= 6 and short[start + 1 :] == long[start + 1 :]


def _bigram_overlap(one: str, other: str) -> float:
    """Dice coefficient of the letter pairs."""
    pairs, others = _bigrams(one), _bigrams(other)
    return 2 * len(pairs & others) / (len(pairs) + len(others))


@lru_cache(maxsize=32768)
def _bigrams(word: str) -> frozenset[str]:
    return frozenset(word[i : i + 2] for i in range(len(word) - 1))
