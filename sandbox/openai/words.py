"""Informal Indonesian words, as far as an extractive reader needs them: tokens, stems, typos, weights.

The reader has its own small word knowledge on purpose. Sharing the product's normaliser would let one mistake
hide in the product and in the stand-in that is there to expose it.
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

_WORD = re.compile(r"[a-z]+[a-z0-9]*|[0-9]+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_THOUSANDS_DOT = re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))")
_RUPIAH = re.compile(r"\brp\.?\s?(?=\d)")
_THOUSANDS_WORD = re.compile(r"(\d+)\s?(?:rb|ribu|k)\b")
_VOWELS = re.compile(r"[aiueo]")
# The last three are Javanese and chat spelling ("regane", "rumahe", "hargany").
_PARTICLES = ("nya", "kah", "lah", "pun", "ku", "mu", "ne", "ny", "e")
_LOOSE_PARTICLES = ("ne", "ny", "e")
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
# Long enough that "disk", "beras" or "lemari es" are not taken for verbs.
_SHORTEST_ACTION = 7
_ACTION_PREFIXES = ("di", "nge", "ng", "meng", "meny", "mem", "men", "ber", "ter", "ke")
_ACTION_SUFFIXES = ("kan", "in")
_NO_STEM = re.compile(r"di(?:s[tpk]|pl|fr|gl|bl)")


def _chat_words() -> dict[str, str]:
    """Chat spelling as a public word list has it; read as a file, because importing its package is slow."""
    package = importlib.util.find_spec("indoNLP")
    if package is None or package.origin is None:
        return {}
    path = Path(package.origin).with_name("preprocessing") / "slang_data.py"
    namespace: dict[str, dict[str, str]] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    return {chat: " ".join(_WORD.findall(plain)) or chat for chat, plain in namespace["SLANG_DATA"].items()}


VOCABULARY = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
_SLANG: dict[str, str] = {
    spelt: word for word, spellings in VOCABULARY["slang"].items() for spelt in spellings.split()
}
_EMPTY = frozenset(VOCABULARY["empty"].split())
_COMMON = frozenset(VOCABULARY["common"].split())
MEASURES = frozenset(VOCABULARY["measures"].split())
_ACTIONS = frozenset(VOCABULARY["actions"].split())
_CONCEPTS: dict[str, frozenset[str]] = {}
for _name, _group in VOCABULARY["concepts"].items():
    for _word in _group.split():
        _CONCEPTS[_word] = _CONCEPTS.get(_word, frozenset()) | {_name}
_PLAIN_WORDS = _EMPTY | _COMMON | _ACTIONS | _CONCEPTS.keys() | frozenset(_SLANG.values())
# After the plain words: chat spelling among these is still to be written out.
_SYNONYMS = Path(__file__).with_name("synonyms.txt").read_text(encoding="utf-8").splitlines()
for _number, _line in enumerate(_SYNONYMS):
    if not _line.startswith("#"):
        for _word in _line.split():
            _CONCEPTS[_word] = _CONCEPTS.get(_word, frozenset()) | {f"synonym {_number}"}
_HINTS: dict[str, str] = VOCABULARY["hints"]
_CHAT = _chat_words()
# Rank by frequency in spoken Indonesian, the commonest first.
_RANK: dict[str, int] = {}
for _line in Path(__file__).with_name("frequent.txt").read_text(encoding="utf-8").splitlines():
    if not _line.startswith("#"):
        for _word in _line.split():
            _RANK.setdefault(_word, len(_RANK))
# Words up to this rank are told in every story; the shop's wares are called by rarer ones.
_EVERYDAY_RANK = 600
_CHATTY_WORDS = 3
_BY_BONES: dict[str, str] = {}
for _word, _rank in _RANK.items():
    if _rank < 4000 and len(_bones := _VOWELS.sub("", _word)) >= 3:
        _BY_BONES.setdefault(_bones, _word)
# What follows one of these words is what the question turns on.
POINTERS = frozenset(VOCABULARY["pointers"].split())


def fold(text: str) -> str:
    """Lower case without diacritics or stretched letters; thousands written as plain digits."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _STRETCHED.sub(r"\1", text.lower())
    text = _RUPIAH.sub("rp ", text)
    text = _THOUSANDS_DOT.sub("", text.replace("di mana", "dimana").replace("luar jawa", "luarjawa"))
    return _THOUSANDS_WORD.sub(r"\g<1>000", text)


def tokens(text: str) -> list[str]:
    """Words and numbers in order, slang written out: "brp hrg 20Mbps" gives berapa, harga, 20, mbps."""
    found: list[str] = []
    for word in _WORD.findall(fold(text)):
        if word in MEASURES and found and found[-1].isdigit():
            found.append(word)
        else:
            found.extend(_plain(word))
    return found


@lru_cache(maxsize=32768)
def _plain(word: str) -> tuple[str, ...]:
    if word[0].isdigit():
        return (word.lstrip("0") or "0",)
    if (
        word[-1] == "2"
        and word[:-1].isalpha()
        and (len(word) > 4 or word[:-1] in _PLAIN_WORDS | _CHAT.keys())
    ):
        word = word[:-1]  # "kedip2" is a doubled word, not a code.
    if word in _SLANG:
        return (_SLANG[word],)
    if word in _PLAIN_WORDS or not word.isalpha():
        return (word,)
    if word not in _RANK and word not in _CHAT and not _VOWELS.search(word) and word in _BY_BONES:
        return (_BY_BONES[word],)  # "brngkt" is what is left of "berangkat".
    return tuple(_SLANG.get(part, part) for part in _CHAT.get(word, word).split())


@lru_cache(maxsize=32768)
def is_everyday(word: str, rank: int = _EVERYDAY_RANK) -> bool:
    """True for the words that people use all the time, whatever they talk about."""
    return any(_RANK.get(form, rank) < rank for form in forms(word))


def is_chatty(text: str) -> bool:
    """True when so much is chat spelling or dialect that a word nobody knows may be one more of it."""
    strange = [
        word
        for word in _WORD.findall(fold(text))
        if word.isalpha() and word not in _EMPTY and (_plain(word) != (word,) or not is_recognised(word))
    ]
    return len(strange) >= _CHATTY_WORDS


@lru_cache(maxsize=32768)
def is_recognised(word: str) -> bool:
    """True for words of the language, as far as they are in our lists."""
    return any(form in _RANK or form in _PLAIN_WORDS for form in forms(word))


@lru_cache(maxsize=32768)
def forms(word: str) -> frozenset[str]:
    """The word and the stems that it may come from; two words are one when these sets meet."""
    found = {word}
    if word.isalpha():
        _add_stems(word, found)
    return frozenset(found)


@lru_cache(maxsize=32768)
def bare(word: str) -> tuple[str, ...]:
    """The word as it stands and without its ending ("brownisnya", "brownis"), where a typo may be."""
    for particle in _PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= max(4, _shortest_base(particle)):
            return (word, word[: -len(particle)])
    return (word,)


def _shortest_base(particle: str) -> int:
    """How much must be left for the ending to be one: "hpnya" has it, "kode" has not."""
    return 2 if particle in ("nya", "ku") else 4 if particle in _LOOSE_PARTICLES else 3


def _add_stems(word: str, found: set[str]) -> None:
    for particle in _PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= _shortest_base(particle):
            word = word[: -len(particle)]
            found.add(_SLANG.get(word, word))
            break
    found.add(_SLANG.get(word, word))
    bases = [word]
    bases += [word[: -len(s)] for s in _SUFFIXES if word.endswith(s) and len(word) - len(s) >= _SHORTEST_STEM]
    found.update(bases)
    for base in bases:
        for prefix, lost in _PREFIXES:
            if base.startswith(prefix):
                stems = (first + base[len(prefix) :] for first in lost)
                found.update(_SLANG.get(stem, stem) for stem in stems if len(stem) >= _SHORTEST_STEM)


@lru_cache(maxsize=32768)
def concepts(word: str) -> frozenset[str]:
    """The groups of meaning that the word belongs to, if any."""
    return frozenset().union(*(_CONCEPTS[form] for form in forms(word) if form in _CONCEPTS))


@lru_cache(maxsize=32768)
def is_action(word: str) -> bool:
    """True for verbs ("dikirimin", "mengurus", "bawa"): what they say can be said in other ways."""
    if not forms(word).isdisjoint(_ACTIONS):
        return True
    if len(word) < _SHORTEST_ACTION or not word.isalpha():
        return False
    # "Distributor" begins like a verb, but no Indonesian stem begins as the rest of it does.
    return word.endswith(_ACTION_SUFFIXES) or (
        word.startswith(_ACTION_PREFIXES) and _NO_STEM.match(word) is None
    )


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
    if len(short) >= 3 and _VOWELS.sub("", short) == (bones := _VOWELS.sub("", long)) and len(bones) >= 3:
        # Vowels left out ("brngkat"); the ones that stand must stand in the long word too.
        return len(short) < len(long) and _is_within(short, long)
    if len(short) < 5:
        return False
    if len(long) - len(short) > 2:
        return False
    return _one_edit(short, long) or (len(short) >= 7 and _bigram_overlap(one, other) >= 0.7)


def _is_within(short: str, long: str) -> bool:
    """Whether the letters of one word stand in the other in this order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


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
