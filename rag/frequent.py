"""What a shop was asked most often, with a person's own answers, out of its chats. Pure; no model is needed.

Two questions are the same when their words are, apart from greetings and little words, in any order and in
chat language. Only what may stand as it is becomes an entry: no prices (those are the catalogue's), no
telephone or account numbers, no "wait a moment".
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from billing.rupiah import amounts_in
from rag.characters import readable
from rag.normalise import search_text
from rag.private import is_private

# What only one customer asks is no frequent question.
LEAST_CHATS = 2
MOST = 20
# This share of all the words of two questions must be common to both.
_ALIKE = 0.6
_MOST_QUESTION_CHARS = 200
_MOST_ANSWER_CHARS = 500
_LEAST_ANSWER_WORDS = 2
# One text for so many different questions is a greeting that a program sends.
_TOO_MANY_QUESTIONS = 3
_ASKING_WORDS = "berapa kapan mana bagaimana apa apakah bisa boleh ada kenapa"
_ASKING = frozenset(_ASKING_WORDS.split())
# Said around every question, and no part of what it is about.
_LITTLE_WORDS = (
    "kak kakak min mimin admin gan sis bang mas mbak pak bu om halo hai hi p permisi assalamualaikum "
    "selamat pagi siang sore malam mau tanya nanya maaf tolong ya dong sih nih deh kok kah lagi ini itu "
    "yang di ke dan atau untuk buat dengan kalau apa apakah bisa bisakah boleh ada adakah tidak belum "
    "saya aku kami toko sini"
)
_AROUND = frozenset(_LITTLE_WORDS.split())
_GREETING = re.compile(
    r"^(?:(?:halo|hallo|hai|hi|p|permisi|assalamu'?alaikum|selamat|pagi|siang|sore|malam|kak(?:ak)?|min|admin|gan"
    r"|sis|mau|tanya|nanya|maaf)\b[\s,.!]*)+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?:[\s,]+(?:kak(?:ak)?|min|admin|gan|sis|ya|dong|nih|sih))+\s*(?=[?!.]*$)", re.IGNORECASE
)
_WAITING = re.compile(
    r"\b(?:se?bentar|bntr|tunggu|ditunggu|nanti|cek|dicek|tanyakan|kutanya|kabari|kabarin)\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A customer's message that a person answered."""

    chat: str
    asked: str
    replied: str
    asked_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Frequent:
    """A question with the answer that was given most often; ``chat`` is where it was asked in these words."""

    question: str
    answer: str
    chats: int
    chat: str


@dataclass(slots=True)
class _Group:
    words: frozenset[str]
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def chats(self) -> int:
        return len({exchange.chat for exchange in self.exchanges})


def frequent(exchanges: Iterable[Exchange], *, most: int = MOST) -> list[Frequent]:
    """The questions that most customers asked, the most frequent first."""
    groups = _grouped([exchange for exchange in exchanges if is_question(exchange.asked)])
    automatic = _automatic(groups)
    found = []
    for group in groups:
        group.exchanges = [
            exchange
            for exchange in group.exchanges
            if _is_answer(exchange.replied) and _said(exchange.replied) not in automatic
        ]
        if group.chats >= LEAST_CHATS:
            found.append(_best(group))
    return sorted(found, key=lambda one: -one.chats)[:most]


def is_question(text: str) -> bool:
    """Whether a message asks something that can be asked again."""
    if len(text) > _MOST_QUESTION_CHARS or is_private(text) or not _words(text):
        return False
    return "?" in text or not _ASKING.isdisjoint(search_text(text).split())


def _is_answer(text: str) -> bool:
    return (
        len(text.split()) >= _LEAST_ANSWER_WORDS
        and len(text) <= _MOST_ANSWER_CHARS
        and not _WAITING.search(text)
        and not is_private(text)
        and not amounts_in(text)
    )


def _grouped(exchanges: Sequence[Exchange]) -> list[_Group]:
    """Each exchange in the first group whose question is the same; the commonest words found a group."""
    by_words: dict[frozenset[str], list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        by_words[_words(exchange.asked)].append(exchange)
    groups: list[_Group] = []
    with_word: dict[str, list[_Group]] = defaultdict(list)
    for words, some in sorted(by_words.items(), key=lambda item: (-len(item[1]), sorted(item[0]))):
        kin = {id(group): group for word in words for group in with_word[word]}
        group = max(kin.values(), key=lambda other: _likeness(words, other.words), default=None)
        if group is None or _likeness(words, group.words) < _ALIKE:
            group = _Group(words=words)
            groups.append(group)
            for word in words:
                with_word[word].append(group)
        group.exchanges.extend(some)
    return groups


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def _automatic(groups: Sequence[_Group]) -> set[str]:
    """What was said to quite different questions."""
    times = Counter(said for group in groups for said in {_said(one.replied) for one in group.exchanges})
    return {said for said, count in times.items() if count >= _TOO_MANY_QUESTIONS}


def _best(group: _Group) -> Frequent:
    """The answer that was given most often, the newest of those; the shortest question that got it."""
    times = Counter(_said(exchange.replied) for exchange in group.exchanges)
    newest = max(group.exchanges, key=lambda one: (times[_said(one.replied)], one.asked_ms))
    alike = [one for one in group.exchanges if _said(one.replied) == _said(newest.replied)]
    asked = min(alike, key=lambda one: (len(_tidy(one.asked)), -one.asked_ms))
    return Frequent(
        question=_tidy(asked.asked), answer=newest.replied.strip(), chats=group.chats, chat=asked.chat
    )


def _tidy(text: str) -> str:
    """The question in one line, without the greeting before it and the address behind it."""
    line = " ".join(readable(text, keep="\n").split())
    plain = _ADDRESS.sub("", _GREETING.sub("", line)).strip(" ,.!?") or line.strip(" ?")
    return f"{plain[:1].upper()}{plain[1:]}?"


def _words(text: str) -> frozenset[str]:
    return frozenset(search_text(text).split()) - _AROUND


def _said(text: str) -> str:
    return " ".join(sorted(_words(text)) or search_text(text).split())
