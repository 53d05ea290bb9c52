"""Weighs what a passage says against a question: which of its words, in which sentence, of which kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.openai import intents
from sandbox.openai.passages import Passage, Span, Variant
from sandbox.openai.question import Question, Wants, Word
from sandbox.openai.words import bare, concepts, forms, similar

_CONCEPT = 0.7
_TYPO = 0.9
# What a word is worth that stands beside the sentence, or only somewhere in the same document.
_NEARBY = 0.7
_FAR = 0.3
# A word that the passage does not name itself by, where the question is whether the shop has it.
_MENTIONED = 0.3
COVERED = 0.5
_SOFT_UNKNOWN = 0.1
_HARD_UNKNOWN = 0.5
_ENOUGH = 0.3
# A document that covers a question with words from all over covers none of it.
_ENOUGH_OF_A_DOCUMENT = 0.4
_MANY_HARD = 5
_DIALECT_WORDS = 2
_TITLE_SHARE = 0.5
_ALIKE_SHARE = 0.3
_HINT_SHARE = 0.1
# What a word counts that no passage knows, where two questions are compared.
_STORY = 0.3
# How much a question must be one of those that a FAQ entry answers: at all, unless the entry says nearly
# every word of it; with a word that stands in another passage; with one that stands in none; and with one
# that may be dialect.
# From here on two questions are taken for one.
SAME_QUESTION = 0.85
_ALIKE = 0.2
_COVERS_MOST = 0.7
_ALIKE_ELSEWHERE = 0.52
_ALIKE_STRANGE = 0.5
_ALIKE_ODD = 0.4


@dataclass(frozen=True, slots=True)
class Looked:
    """A word of the question as the passages know it: typos resolved, and rarer ones weigh more."""

    word: Word
    forms: frozenset[str]
    concepts: frozenset[str]
    weight: float
    trust: float
    known: bool
    hard: bool


@dataclass(frozen=True, slots=True)
class Match:
    """The best place of one passage: its score for the choice, and what it covers for the verdict."""

    span: Span
    score: float
    covers: tuple[float, ...]  # one for each word of the question
    fits: bool
    alike: float  # how much the question is one of those that a FAQ entry answers, 0 to 1


def look_up(question: Question, passages: Sequence[Passage]) -> list[Looked]:
    """Each word of the question, looked up in the passages."""
    return [_looked(word, passages) for word in question.words]


def _looked(word: Word, passages: Sequence[Passage]) -> Looked:
    stems, trust = word.forms, 1.0
    holding = _holding(stems, passages)
    if not holding and (meant := _as_spelt(word.text, passages)):
        stems, trust = forms(meant), _TYPO
        holding = _holding(stems, passages)
    meanings = word.concepts or frozenset().union(*(concepts(stem) for stem in stems))
    known = holding > 0 or any(not meanings.isdisjoint(passage.concepts) for passage in passages)
    rarity = math.log(1 + (len(passages) + 0.5) / (max(holding, 1) + 0.5))
    # "Vivo 12": without another Vivo with a number beside it the number proves nothing.
    hard = word.hard and (not word.text.isdigit() or bool(word.unit) or _comparable(word, passages))
    return Looked(word, stems, meanings, word.weight * rarity, trust, known, hard)


def _comparable(word: Word, passages: Sequence[Passage]) -> bool:
    return word.name == "yang" or any(f"{word.name} " in passage.measures for passage in passages)


def _holding(stems: frozenset[str], passages: Sequence[Passage]) -> int:
    return sum(not stems.isdisjoint(passage.forms) for passage in passages)


def _as_spelt(word: str, passages: Sequence[Passage]) -> str | None:
    """The word of a passage that this one is a misspelling of; the first passage with one wins."""
    for spelt in bare(word):
        for passage in passages:
            for other in passage.by_initial.get(spelt[0], ()):
                if other != spelt and similar(spelt, other):
                    return other
    return None


def best_match(question: Question, asked: Sequence[Looked], passage: Passage) -> Match:
    """The place in the passage that says most about the question."""
    return max((_match(question, asked, passage, span) for span in passage.spans), key=lambda m: m.score)


def _match(question: Question, asked: Sequence[Looked], passage: Passage, span: Span) -> Match:
    covers = tuple(_covers(looked, passage, span) for looked in asked)
    covered = sum(looked.weight * cover for looked, cover in zip(asked, covers, strict=True))
    about = frozenset().union(*(looked.forms for looked in asked)) if asked else frozenset[str]()
    meant = frozenset().union(*(looked.concepts for looked in asked)) if asked else frozenset[str]()
    total = sum(weight for _, _, weight in passage.headings)
    shared = sum(
        weight if not stems.isdisjoint(about) else _CONCEPT * weight * (not meanings.isdisjoint(meant))
        for stems, meanings, weight in passage.headings
    )
    hinted = _HINT_SHARE * len(question.hints & span.concepts) if covered else 0.0
    alike = max((_alike(asked, variant, about, meant) for variant in passage.variants), default=0.0)
    named = max(_TITLE_SHARE * (shared / total if total else 0.0), _ALIKE_SHARE * alike)
    # Whatever kind of thing is asked for: the shop itself says that this answers the very same question.
    fits = alike >= SAME_QUESTION or _fits(question, span)
    return Match(span, covered * (1 + named) + hinted, covers, fits, alike)


def _alike(asked: Sequence[Looked], variant: Variant, about: frozenset[str], meant: frozenset[str]) -> float:
    """How much two questions are one: the shares of either that stand in the other, averaged."""
    total = there = 0.0
    in_words = False
    for looked in asked:
        own = looked.weight * _told(looked)
        both = _shared(looked.forms, looked.concepts, variant.forms, variant.concepts)
        total += own
        there += own * both
        in_words = in_words or (both > 0 and not looked.word.text.isdigit())
    if not in_words:
        return 0.0  # Two questions that share a number are not one.
    back = sum(weight * _shared(stems, meanings, about, meant) for stems, meanings, weight in variant.words)
    there, back = there / total, back / variant.total
    return 2 * there * back / (there + back) if back else 0.0


def _told(looked: Looked) -> float:
    """What no passage knows and the question does not turn on is mostly the customer's own story."""
    return 1.0 if looked.known or looked.hard or looked.word.telling else _STORY


def _shared(
    stems: frozenset[str], meanings: frozenset[str], about: frozenset[str], meant: frozenset[str]
) -> float:
    if not stems.isdisjoint(about):
        return 1.0
    return 0.0 if meanings.isdisjoint(meant) else _CONCEPT


def _covers(looked: Looked, passage: Passage, span: Span) -> float:
    """0 to 1: how well this place speaks of the word."""
    word = looked.word
    if word.text.isdigit():
        return _number(word, passage, span)
    if word.counted and not _counts(looked, span):
        return 0.0
    if (
        word.offered
        and not (span.sells if word.sold else span.offers)
        and (looked.forms.isdisjoint(passage.naming) or (word.sold and bool(passage.variants)))
        and not (word.sold and "jual" in span.forms)
    ):
        return _MENTIONED if not looked.forms.isdisjoint(span.forms) else 0.0
    for place_forms, place_concepts, share in (
        (span.forms, span.concepts, 1.0),
        (span.nearby_forms, span.nearby_concepts, _NEARBY),
        (passage.forms, passage.concepts, _FAR),
    ):
        if not looked.forms.isdisjoint(place_forms):
            return looked.trust * share
        if not looked.concepts.isdisjoint(place_concepts):
            return _CONCEPT * share
    return 0.0


def _number(word: Word, passage: Passage, span: Span) -> float:
    """A number is there, or lies in a stated range, or it is not; what merely resembles it does not count."""
    if word.unit:
        stated = span.measures.get(word.unit) or passage.measures.get(word.unit) or frozenset()
    else:
        stated = span.numbers | passage.measures.get(f"{word.name} ", frozenset())
    if word.text in stated or (not word.unit and word.text in span.forms):
        return 1.0
    low_high = span.ranges.get(word.unit)
    return 1.0 if low_high and low_high[0] <= int(word.text) <= low_high[1] else 0.0


def _counts(looked: Looked, span: Span) -> bool:
    """Whether the place states a number of what is counted ("500 gram", "isi 12")."""
    return any(not looked.forms.isdisjoint(forms(unit)) for unit in span.measures) or (
        not looked.forms.isdisjoint(span.forms) and bool(span.numbers)
    )


def _fits(question: Question, span: Span) -> bool:
    """Whether the place states the kind of thing that is asked for."""
    text = span.text
    for wanted in question.wants:
        pattern = _STATES[wanted]
        if wanted in (Wants.MONEY, Wants.AMOUNT) and span.states_money:
            continue
        if pattern.search(text) is None:
            return False
    return True


_STATES = {
    Wants.MONEY: intents.STATES_MONEY,
    Wants.AMOUNT: intents.STATES_AMOUNT,
    Wants.TIME: intents.STATES_TIME,
    Wants.MOMENT: intents.STATES_MOMENT,
    Wants.PERSON: intents.STATES_PERSON,
    Wants.NAME: intents.STATES_NAME,
    Wants.PLACE: intents.STATES_PLACE,
    Wants.PHONE: intents.STATES_PHONE,
    Wants.ACCOUNT: intents.STATES_ACCOUNT,
}


def _is_code(word: str) -> bool:
    return not word.isalpha() and not word.isdigit()


def convinces(asked: Sequence[Looked], chosen: Sequence[Match], passage: Passage) -> bool:
    """Whether what was chosen answers the question, or only sounds like it."""
    covers = [max(match.covers[at] for match in chosen) for at in range(len(asked))]
    total = covered = 0.0
    elsewhere = nowhere = strange = dialect = hard = 0
    for looked, cover in zip(asked, covers, strict=True):
        # What no passage knows is mostly the customer's own story.
        told = 1.0 if looked.known else _HARD_UNKNOWN if looked.hard else _SOFT_UNKNOWN
        total += looked.weight * told
        covered += looked.weight * cover
        hard += looked.hard
        if cover >= COVERED:
            continue
        # A code that another passage names may be the customer's own package, told beside the question.
        if looked.hard and looked.word.exact and not (looked.known and _is_code(looked.word.text)):
            return False
        # A word that another passage knows may be beside the point; one that none knows is the point.
        elsewhere += looked.hard and looked.known
        nowhere += looked.hard and not looked.known
        strange += not looked.known and looked.word.telling
        dialect += not looked.known and looked.word.odd
    # One word that nobody knows is what the question is about; among chat spelling, two are a dialect.
    if dialect >= _DIALECT_WORDS:
        strange -= dialect
    # In a question that turns on many words one may be the customer's own; with few, or about a thing
    # that is named by its code, each decides.
    about_one = any(looked.hard and not looked.word.text.isalpha() for looked in asked)
    if nowhere > (1 if hard >= _MANY_HARD and not about_one else 0):
        return False
    enough = _ENOUGH_OF_A_DOCUMENT if passage.is_document else _ENOUGH
    if covered <= 0 or covered < enough * total:
        return False
    if passage.variants:
        alike = max(match.alike for match in chosen)
        if elsewhere and alike < _ALIKE_ELSEWHERE:
            return False
        # Among chat spelling the word may be one more of it, so less must agree.
        if strange and alike < (_ALIKE_ODD if strange == dialect else _ALIKE_STRANGE):
            return False
        return alike >= _ALIKE or covered >= _COVERS_MOST * total
    return not elsewhere and strange <= 1
