"""A customer's question taken apart: what it turns on, what is told around it, what kind of answer fits.

Words are *hard* when the question turns on them: names, codes and measures in the clause that asks. A
passage without them is about something else. Verbs and everyday words can be said in many ways, and what
a customer tells around the question decides nothing: those are *soft*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property, lru_cache

from sandbox.openai import intents
from sandbox.openai.words import (
    MEASURES,
    POINTERS,
    VOCABULARY,
    concepts,
    forms,
    hint,
    is_action,
    is_chatty,
    is_everyday,
    is_recognised,
    tokens,
    weight,
)

MOST_WORDS = 60
_BREAK = re.compile(
    r"(?<=[a-z)])[.,;](?=\s|$)|[?!\n]+|\s-\s|\b(?:soalnya|karena|krn|karna|tapi|tp)\b", re.IGNORECASE
)
_ASKING_WORDS = frozenset(VOCABULARY["asking"].split())
TIME_UNITS = frozenset(VOCABULARY["time_units"].split())
_ATTRIBUTES = frozenset(VOCABULARY["attributes"].split())
# "Merek apa?", "distributor mana?": an answer names one of these.
_WHICH = frozenset({"apa", "mana"})
_OWNED = frozenset(VOCABULARY["owned"].split())
_CIRCUMSTANCE = frozenset(VOCABULARY["circumstance"].split())
_SELVES = frozenset(VOCABULARY["selves"].split())
# So far from a word its neighbours say what part it plays in its clause.
_REACH = 2
_PARTITIVE = frozenset(VOCABULARY["partitive"].split())
# "Berapa satu?" asks for the price of one, and counts nothing.
_NUMERALS = frozenset(VOCABULARY["numerals"].split())


# Words up to this rank by frequency may be missing from what answers a question.
_TELLING_RANK = 2500


class Role(Enum):
    """What part a word plays in its clause, as far as its neighbours tell; a word may play several."""

    LAST = "one of the last words"
    ASKED = "before a question word"  # "gorden berapa"
    WARE = "after a word of having"  # "terima gorden"
    NAMED = "after a word that points"  # "ke Solo", "merek Anu"
    CIRCUMSTANCE = "why or when"  # "buat kado", "habis hujan"
    OWN = "the customer's own"  # "anak saya"


class Wants(Enum):
    """The kind of expression that an answer must contain."""

    MONEY = auto()
    AMOUNT = auto()  # "dp berapa": money, a share or another number
    TIME = auto()
    MOMENT = auto()  # "kapan": a time, or what it comes after
    PERSON = auto()
    NAME = auto()
    PLACE = auto()
    PHONE = auto()
    ACCOUNT = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the question. ``unit`` is what a number counts; ``name`` the word before a number."""

    text: str
    weight: float
    hard: bool
    offered: bool = False  # the question is whether the shop has it
    sold: bool = False  # ... and sells it
    unit: str = ""
    name: str = ""
    pointed: bool = False  # a place, a colour, a brand that is named as such ("ke Solo")
    counted: bool = False  # "berapa gram": a number of these is asked for
    telling: bool = False  # stands in what is asked, and is no word for all occasions
    odd: bool = False  # ... and perhaps only one more piece of chat spelling or dialect
    roles: frozenset[Role] = frozenset()

    @property
    def forms(self) -> frozenset[str]:
        return forms(self.text)

    @property
    def concepts(self) -> frozenset[str]:
        return concepts(self.text)

    @property
    def exact(self) -> bool:
        """Numbers, codes, places and what is counted or offered: there is no other word for these."""
        return self.counted or self.offered or self.pointed or not self.text.isalpha()


@dataclass(frozen=True)
class Question:
    """The question as the reader understands it; equal texts share one."""

    text: str
    words: tuple[Word, ...]
    wants: frozenset[Wants]
    hints: frozenset[str]
    parts: int  # clauses that ask something of their own

    @cached_property
    def refers_back(self) -> bool:
        """Whether it leans on what was said before."""
        return intents.REFERS_BACK.search(self.text) is not None

    @cached_property
    def says_enough(self) -> bool:
        """Whether anything in it can be looked for at all."""
        return any(word.weight >= 0.35 for word in self.words)


@lru_cache(maxsize=4096)
def understand(text: str) -> Question:
    """Take the question apart."""
    clauses = [found for piece in _BREAK.split(text) if (found := tokens(piece))]
    asking = [clause for clause in clauses if not _ASKING_WORDS.isdisjoint(clause)]
    if not any(weight(word) >= 1 for clause in asking for word in clause):
        asking = clauses
    chatty = is_chatty(text)
    words: dict[str, Word] = {}
    for clause in sorted(clauses, key=lambda clause: clause not in asking):
        for word in _words_of(clause, asked=clause in asking):
            if chatty and word.text.isalpha() and not is_recognised(word.text):
                word = replace(word, hard=False, odd=word.telling)
            words.setdefault(word.text, word)
    plain = [word for clause in clauses for word in clause]
    wants = _wanted(plain)
    if not wants.isdisjoint({Wants.PERSON, Wants.NAME}):
        # "Pemiliknya siapa?" turns on the role, however common its word.
        words = {w.text: replace(w, hard=w.hard or w.weight >= 0.35) for w in words.values()}
    return Question(
        text=text,
        words=tuple(words.values())[:MOST_WORDS],
        wants=wants,
        hints=frozenset(name for name in map(hint, plain) if name),
        parts=sum(any(weight(word) >= 0.35 for word in clause) for clause in asking),
    )


def _words_of(clause: list[str], *, asked: bool) -> list[Word]:
    found = []
    for at, text in enumerate(clause):
        before = clause[at - 1] if at else ""
        after = clause[at + 1] if at + 1 < len(clause) else ""
        if text.isdigit():
            found.append(_number(text, before, after, asked=asked))
        elif own := weight(text):
            counted = before == "berapa" and text not in TIME_UNITS | _PARTITIVE | _NUMERALS
            code = not text.isalpha()
            # A piece that is counted ("2 loyang") is how the customer puts it, not what he asks about.
            told = is_action(text) or is_everyday(text) or before.isdigit()
            offered = asked and own >= 1 and _is_offered(clause, at)
            which = (
                own >= 1
                and not is_action(text)
                and after in _WHICH
                and not any(map(weight, clause[at + 2 :]))
            )
            naming = own >= 1 and (code or offered or which or not told)
            found.append(
                Word(
                    text,
                    (own if naming or own < 1 else 0.6) * (1 if asked else 0.5),
                    hard=(asked or (code and len(text) > 3))
                    and (naming or (counted and own > 0) or before in POINTERS),
                    offered=offered,
                    sold="jual" in clause,
                    pointed=which or (naming and before in POINTERS),
                    counted=counted,
                    telling=asked and own >= 1 and not is_everyday(text, _TELLING_RANK),
                    roles=_roles(clause, at),
                )
            )
    return found


def _roles(clause: list[str], at: int) -> frozenset[Role]:
    before, after = clause[max(0, at - _REACH) : at], clause[at + 1 : at + 1 + _REACH]
    played = {
        Role.LAST: at >= len(clause) - _REACH,
        Role.ASKED: not _ASKING_WORDS.isdisjoint(after),
        Role.WARE: not _OWNED.isdisjoint(before),
        Role.NAMED: not POINTERS.isdisjoint(before[-1:]),
        Role.CIRCUMSTANCE: not _CIRCUMSTANCE.isdisjoint(before),
        Role.OWN: not _SELVES.isdisjoint(before[-1:] + after[:1]),
    }
    return frozenset(role for role, plays in played.items() if plays)


def _number(text: str, before: str, after: str, *, asked: bool) -> Word:
    unit = (
        after if after.isalpha() and (after in TIME_UNITS or after in MEASURES or weight(after) > 0) else ""
    )
    year = len(text) == 4 and text[:2] in ("19", "20") and not unit
    named = before.isalpha() and weight(before) >= 1 and not is_action(before)
    # An amount of money names one thing among others, unless it is what the customer has or pays.
    amount = len(text) >= 4 and text.endswith("000") and not is_action(before)
    telling = amount or unit in MEASURES or (not unit and not year and (named or before == "yang"))
    return Word(text, 1.0 if telling else 0.2, hard=asked and telling, unit=unit, name=before)


def _is_offered(clause: list[str], at: int) -> bool:
    """ "ada jual X ga?", "X ada?": nothing that means anything may stand between."""
    for step in (-1, 1):
        place = at + step
        while 0 <= place < len(clause):
            if clause[place] in _OWNED:
                return True
            if weight(clause[place]) > 0 or clause[place] == "yang":
                break
            place += step
    return False


def _wanted(words: list[str]) -> frozenset[Wants]:
    plain = " ".join(words)
    found: set[Wants] = set()
    if intents.WANTS_TIME.search(plain):
        found.add(Wants.TIME)
    elif "kapan" in words:
        found.add(Wants.MOMENT)
    if "siapa" in words:
        found.add(Wants.NAME if intents.WANTS_NAME.search(plain) else Wants.PERSON)
    if intents.WANTS_PLACE.search(plain):
        found.add(Wants.PLACE)
    if intents.WANTS_PHONE.search(plain):
        found.add(Wants.PHONE)
    if intents.WANTS_ACCOUNT.search(plain):
        found.add(Wants.ACCOUNT)
    if not found and intents.WANTS_MONEY.search(plain):
        found.add(Wants.MONEY)
    elif not found and _bare_how_much(words):
        found.add(Wants.AMOUNT)
    return frozenset(found)


def _bare_how_much(words: list[str]) -> bool:
    """ "nastar berapa kak": nothing that is counted or measured stands beside "berapa"."""
    for at, word in enumerate(words):
        if word not in ("berapa", "berapaan"):
            continue
        beside = words[at - 1 : at] + words[at + 1 : at + 2]
        nouns = [
            w for w in words[at + 1 : at + 2] if weight(w) > 0 and w not in _PARTITIVE and not w.isdigit()
        ]
        return not nouns and _ATTRIBUTES.isdisjoint(beside)
    return False
