"""An extractive reader: chooses the passage that covers the question, judges whether it does, quotes it.

It knows nothing but the conversation in front of it. A question whose decisive word stands in no passage
comes out as not answerable, so a product that retrieves the wrong passages gets wrong answers here as it
would from a real model, and a product that retrieves nothing gets none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.openai import intents
from sandbox.openai.conversation import Conversation, Source
from sandbox.openai.passages import Passage, analyse
from sandbox.openai.words import POINTERS, concepts, forms, hint, similar, tokens, weight

MAX_ANSWER_CHARACTERS = 600
# Share of the question's weight that the chosen passages must carry.
_ENOUGH = 0.45
_CONCEPT_MATCH = 0.7
_TYPO_MATCH = 0.9
_CONTEXT_SHARE = 0.4
# Customers tell stories around their question, so a word that no passage knows counts less than a known one,
# unless the question turns on it; in a brief question there is no room for a story.
_STRANGE_SHARE = 0.2
_STRANGE_SHARE_BRIEF = 0.75
# Retrieval puts the likelier passage first; each place further back costs this share of the score.
_PLACE_COST = 0.04
# What a passage keeps of its score when it states no amount or time although one is asked for.
_WRONG_KIND = 0.6
_MOST_QUESTION_WORDS = 60
_BRIEF_QUESTION_WORDS = 5

_UNKNOWN = "Maaf Kak, untuk yang ini aku belum punya informasinya."
_UNDERSTOOD = "Baik Kak, aku mengerti. Maaf ya atas ketidaknyamanannya."
_PERSON_WANTED = "Baik Kak, aku mengerti Kakak ingin bicara dengan orangnya langsung."
_GREETING = "Halo Kak, ada yang bisa aku bantu?"
_WELCOME = "Sama-sama, Kak 🙏"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The reader's finding; the fields are those of the structured answer."""

    answer: str
    source_ids: tuple[str, ...] = ()
    answerable: bool = False
    needs_human: bool = False


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One word of the question; `decisive` when no passage knows it and the question turns on it."""

    forms: frozenset[str]
    concepts: frozenset[str]
    weight: float
    trust: float
    known: bool
    decisive: bool


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    source: Source
    passage: Passage


def read(conversation: Conversation) -> Reading:
    """Answer the conversation's last message from its sources, and from nothing else."""
    question = conversation.question
    needs_human = intents.wants_person(question)
    if conversation.tool_results:
        return Reading(answer=_shorten(f"Baik Kak. {conversation.tool_results[-1]}"), answerable=True)
    reading = _read_sources(conversation, question)
    if not needs_human:
        return reading
    if (
        reading.answerable
        and not intents.COMPLAINT.search(question)
        and not intents.ASKS_PERSON.search(question)
    ):
        return Reading(
            answer=reading.answer, source_ids=reading.source_ids, answerable=True, needs_human=True
        )
    answer = _PERSON_WANTED if intents.ASKS_PERSON.search(question) else _UNDERSTOOD
    return Reading(answer=answer, answerable=False, needs_human=True)


def _read_sources(conversation: Conversation, question: str) -> Reading:
    knowledge = [_Candidate(source=s, passage=analyse(s)) for s in conversation.sources if not s.remembered]
    if intents.about_own_words(question) and (reading := _recall(conversation, question, sure=True)):
        return reading
    asked = _asked(question, knowledge)
    if not any(word.weight >= 0.35 for word in asked):
        earlier = _earlier_words(conversation, knowledge)
        if not earlier or not intents.REFERS_BACK.search(question):
            return _small_talk(question, asked)
        asked = [*asked, *earlier]
    reading = _best_reading(conversation, question, asked, knowledge)
    if not reading.answerable and intents.OWN.search(question):
        return _recall(conversation, question, sure=False) or reading
    return reading


def _small_talk(question: str, asked: Sequence[_Asked]) -> Reading:
    if intents.THANKS.search(question):
        return Reading(answer=_WELCOME, answerable=True)
    if intents.ASKING.search(question) or asked:
        return Reading(answer=_UNKNOWN)
    return Reading(answer=_GREETING, answerable=True)


# Choosing and judging


def _asked(question: str, candidates: Sequence[_Candidate]) -> list[_Asked]:
    """The words of the question that carry weight, each looked up in the passages, typos resolved."""
    found: dict[str, _Asked] = {}
    words = tokens(question)[: _MOST_QUESTION_WORDS * 2]
    brief = sum(weight(word) >= 1 for word in set(words)) <= _BRIEF_QUESTION_WORDS
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        own = weight(word)
        if own == 0 or word in found:
            continue
        # A code ("IH99"), a measure that the shop also uses ("500 Mbps"), and in a brief question what
        # follows "ke", "rasa", "merek": a passage that does not know these is about something else.
        code = len(word) > 3 and not word.isalpha() and not word.isdigit()
        measure = word.isdigit() and any(after in c.passage.units for c in candidates)
        turning = code or measure or (brief and before in POINTERS)
        found[word] = _look_up(word, own, turning=turning, candidates=candidates)
    return list(found.values())[:_MOST_QUESTION_WORDS]


def _look_up(word: str, own: float, *, turning: bool, candidates: Sequence[_Candidate]) -> _Asked:
    stems, trust = forms(word), 1.0
    holding = _holding(stems, candidates)
    if not holding and (meant := _as_spelt(word, candidates)):
        stems, trust = forms(meant), _TYPO_MATCH
        holding = _holding(stems, candidates)
    meanings = concepts(word) or frozenset().union(*(concepts(stem) for stem in stems))
    known = holding > 0 or any(not meanings.isdisjoint(c.passage.concepts) for c in candidates)
    rarity = math.log(1 + (len(candidates) + 0.5) / (max(holding, 1) + 0.5))
    return _Asked(
        forms=stems,
        concepts=meanings,
        weight=own * rarity,
        trust=trust,
        known=known,
        decisive=not known and own >= 1 and turning,
    )


def _holding(stems: frozenset[str], candidates: Sequence[_Candidate]) -> int:
    return sum(not stems.isdisjoint(c.passage.forms) for c in candidates)


def _as_spelt(word: str, candidates: Sequence[_Candidate]) -> str | None:
    """The word of a passage that this one is a misspelling of; the first passage with one wins."""
    for candidate in candidates:
        for other in candidate.passage.by_initial.get(word[0], ()):
            if other != word and similar(word, other):
                return other
    return None


def _covers(word: _Asked, passage: Passage) -> float:
    """0 to 1: how well the passage speaks of the word."""
    if not word.forms.isdisjoint(passage.forms):
        return word.trust
    return _CONCEPT_MATCH if not word.concepts.isdisjoint(passage.concepts) else 0.0


def _score(asked: Sequence[_Asked], hints: Iterable[str], passage: Passage) -> float:
    """Covered weight, and a share for what the passage's own heading is about being asked."""
    covered = sum(word.weight * _covers(word, passage) for word in asked)
    all_forms = frozenset().union(*(word.forms for word in asked)) if asked else frozenset()
    total = sum(own for _, own in passage.headings)
    shared = sum(own for stems, own in passage.headings if not stems.isdisjoint(all_forms))
    hinted = 0.15 * sum(name in passage.concepts for name in hints)
    return covered * (1 + 0.5 * (shared / total if total else 0.0)) + (hinted if covered else 0.0)


def _best_reading(
    conversation: Conversation, question: str, asked: list[_Asked], candidates: list[_Candidate]
) -> Reading:
    if not candidates:
        return Reading(answer=_UNKNOWN)
    hints = [name for name in map(hint, tokens(question)) if name]
    context = _context_scores(conversation, question, asked, candidates)
    fits = _fitting(question, candidates)
    own = [_score(asked, hints, c.passage) for c in candidates]
    scores = [
        (score + max(own) * extra) * (1 if fit else _WRONG_KIND) * (1 - _PLACE_COST * min(place, 10))
        for place, (score, extra, fit) in enumerate(zip(own, context, fits, strict=True))
    ]
    order = sorted(range(len(candidates)), key=lambda i: -scores[i])
    chosen = [candidates[order[0]]]
    brief = len(asked) <= _BRIEF_QUESTION_WORDS
    strange = _STRANGE_SHARE_BRIEF if brief else _STRANGE_SHARE
    total = sum(word.weight * (1 if word.known else strange) for word in asked)
    left = [word for word in asked if _covers(word, chosen[0].passage) < 0.5]
    for index in order[1:3]:
        gained = sum(word.weight * _covers(word, candidates[index].passage) for word in left)
        if gained >= 0.3 * total:
            chosen.append(candidates[index])
            break
    covered = sum(word.weight * max(_covers(word, c.passage) for c in chosen) for word in asked)
    wanting = scores[order[0]] <= 0 or not fits[order[0]] or any(word.decisive for word in asked)
    if wanting or covered < _ENOUGH * total:
        return Reading(answer=_UNKNOWN)
    if intents.WANTS_LIST.search(question) and chosen[0].passage.is_catalogue:
        chosen = [c for c in candidates if c.passage.is_catalogue][:6]
        return _quoted([_price_line(c.passage, question, asked) for c in chosen], chosen)
    return _quoted([_quote(c.passage, question, asked) for c in chosen], chosen)


def _fitting(question: str, candidates: Sequence[_Candidate]) -> list[bool]:
    """Whether each passage states the kind of thing that is asked for."""
    plain = " ".join(tokens(question))
    money = intents.WANTS_MONEY.search(plain) is not None
    time = intents.WANTS_TIME.search(plain) is not None
    return [(not money or c.passage.states_money) and (not time or c.passage.states_time) for c in candidates]


def _context_scores(
    conversation: Conversation, question: str, asked: Sequence[_Asked], candidates: list[_Candidate]
) -> list[float]:
    """What the last turns add to each passage when the message is short or refers back; never to judging."""
    if sum(word.weight >= 0.35 for word in asked) > 3 and not intents.REFERS_BACK.search(question):
        return [0.0] * len(candidates)
    earlier = _earlier_words(conversation, candidates)
    scores = [_score(earlier, (), c.passage) for c in candidates]
    # The message itself must be able to outweigh what was spoken of before.
    return [_CONTEXT_SHARE * score / (max(scores) or 1.0) for score in scores]


def _earlier_words(conversation: Conversation, candidates: Sequence[_Candidate]) -> list[_Asked]:
    """The known words of the last exchange."""
    recent = " ".join(turn.text[:400] for turn in conversation.turns[-2:])
    return [word for word in _asked(recent, candidates) if word.known] if recent else []


# Remembering


def _recall(conversation: Conversation, question: str, *, sure: bool) -> Reading | None:
    """Answer from what this customer said before: recalled sources first by fit, then the recent turns."""
    sources = [s for s in conversation.sources if s.remembered]
    sources += [
        Source(id="", title="", text=f"Pelanggan: {turn.text}")
        for turn in conversation.turns
        if turn.role == "user" and turn.text.strip() != question.strip()
    ]
    candidates = [_Candidate(source=s, passage=analyse(s)) for s in sources]
    if not candidates:
        return None
    asked = [
        word
        for word in _asked(intents.PAST.sub(" ", intents.SAID.sub(" ", question)), candidates)
        if word.weight > 0
    ]
    total = sum(word.weight * (1 if word.known else _STRANGE_SHARE) for word in asked)
    # Between equal fits the later one wins: it is what the customer said last.
    scores = [sum(w.weight * _covers(w, c.passage) for w in asked) for c in candidates]
    best = max(range(len(candidates)), key=lambda i: (scores[i], i))
    if total and (scores[best] < _ENOUGH * total or any(word.decisive for word in asked)):
        return None
    if not total and not sure:
        return None
    said = _customer_part(candidates[best].source.text)
    if not sure and intents.ASKING.search(said):
        return None
    used = candidates[best].source.id
    return Reading(
        answer=_shorten(f'Sebelumnya Kakak bilang: "{said}"'),
        source_ids=(used,) if used else (),
        answerable=True,
    )


def _customer_part(text: str) -> str:
    """The customer's side of a recalled exchange ("Pelanggan: ..." up to "Balasan: ...")."""
    said = text.split("\nBalasan:", 1)[0]
    return said.removeprefix("Pelanggan:").strip()


# Quoting


def _quote(passage: Passage, question: str, asked: Sequence[_Asked]) -> str:
    if passage.faq_answer is not None:
        if len(passage.faq_answer) <= MAX_ANSWER_CHARACTERS - 60:
            return passage.faq_answer
        return _best_sentences(passage, asked, count=4)
    if passage.is_catalogue:
        return _price_line(passage, question, asked)
    return _best_sentences(passage, asked, count=2)


def _price_line(passage: Passage, question: str, asked: Sequence[_Asked]) -> str:
    """The price sentence, and of the rest what was asked for or says that nothing is left."""
    first, *rest = passage.sentences
    kept = [first]
    for sentence in rest:
        about = {form for word in tokens(sentence) for form in forms(word)}
        wanted = any(word.weight >= 0.5 and not word.forms.isdisjoint(about) for word in asked)
        is_stock = sentence.lower().startswith("stok")
        if intents.SAYS_GONE.search(sentence) or (is_stock and intents.ASKS_STOCK.search(question)) or wanted:
            kept.append(sentence)
    return " ".join(kept)


def _best_sentences(passage: Passage, asked: Sequence[_Asked], *, count: int) -> str:
    """The sentences that cover most of the question, in their order; a heading brings what follows it."""
    sentences = passage.sentences
    pieces = [analyse(Source(id="", title="", text=sentence)) for sentence in sentences]
    scores = [sum(word.weight * _covers(word, piece) for word in asked) for piece in pieces]
    best = max(range(len(sentences)), key=lambda i: (scores[i], -i), default=None)
    if best is None:
        return passage.text
    kept = {best}
    if sentences[best][-1] not in ".!?" or scores[best] == 0:
        kept.update(range(best + 1, min(best + count, len(sentences))))
    for index in sorted(range(len(sentences)), key=lambda i: -scores[i]):
        if len(kept) < count and scores[index] >= 0.5 * scores[best] > 0:
            kept.add(index)
    return " ".join(sentences[i] for i in sorted(kept))


def _quoted(texts: Sequence[str], chosen: Sequence[_Candidate]) -> Reading:
    text = ("\n" if len(texts) > 2 else " ").join(dict.fromkeys(texts))
    return Reading(answer=_warm(text), source_ids=tuple(c.source.id for c in chosen), answerable=True)


def _warm(text: str) -> str:
    """Address the customer, if the passage does not do so itself."""
    text = text.strip()
    if intents.ADDRESSED.search(text):
        return _shorten(text)
    first = text.split(" ", 1)[0]
    plain = first.isalpha() and first[1:].islower() and weight(first.lower()) < 1
    return _shorten(f"Baik Kak, {text[:1].lower()}{text[1:]}" if plain else f"Baik Kak. {text}")


def _shorten(text: str) -> str:
    """At most 600 characters, cut after a sentence where there is one."""
    if len(text) <= MAX_ANSWER_CHARACTERS:
        return text
    cut = text[:MAX_ANSWER_CHARACTERS]
    end = max(cut.rfind(". "), cut.rfind("\n"), cut.rfind("! "))
    return cut[: end + 1].rstrip() if end > 200 else cut.rsplit(" ", 1)[0]
