"""An extractive reader: chooses the passage that covers the question, judges whether it does, quotes it.

It knows nothing but the conversation in front of it. A question whose decisive word stands in no passage
comes out as not answerable, so a product that retrieves the wrong passages gets wrong answers here as it
would from a real model, and a product that retrieves nothing gets none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.openai import intents
from sandbox.openai.conversation import Conversation, Source
from sandbox.openai.evidence import COVERED, SAME_QUESTION, Looked, Match, best_match, convinces, look_up
from sandbox.openai.judging import answers, evidence
from sandbox.openai.ordering import Ordered, ordered
from sandbox.openai.passages import Passage, analyse
from sandbox.openai.question import Question, Wants, understand
from sandbox.openai.quoting import MAX_ANSWER_CHARACTERS, price_line, quote, shorten, warm
from sandbox.openai.recalling import recall

__all__ = ["MAX_ANSWER_CHARACTERS", "Reading", "read"]

_CONTEXT_SHARE = 0.5
# Retrieval puts the likelier passage first; each place further back costs this share of the score.
_PLACE_COST = 0.15
# What a passage keeps of its score when it states no amount or time although one is asked for.
_WRONG_KIND = 0.5
# "Bolu berapa?": any number may be meant, but mostly the price is.
_LESS_LIKELY_KIND = 0.5
# A second passage is quoted only for what a second question adds.
_SECOND_SHARE = 0.3
_SHORT_WORDS = 3
_KINDRED_QUESTION = 0.5
_LONGEST_LIST = 6
_TURN_CHARACTERS = 400

_UNKNOWN = "Maaf Kak, untuk yang ini aku belum punya informasinya."
_UNDERSTOOD = "Baik Kak, aku mengerti. Maaf ya atas ketidaknyamanannya."
_PERSON_WANTED = "Baik Kak, aku mengerti Kakak ingin bicara dengan orangnya langsung."
_GREETING = "Halo Kak, ada yang bisa aku bantu?"
_NOTED = "Siap Kak, kucatat ya."
_WELCOME = "Sama-sama, Kak 🙏"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The reader's finding; the fields are those of the structured answer."""

    answer: str
    source_ids: tuple[str, ...] = ()
    answerable: bool = False
    needs_human: bool = False
    order: tuple[Ordered, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    source: Source
    passage: Passage
    match: Match
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What was chosen for a question. ``leans``: what was said before took part in the choice."""

    asked: Sequence[Looked]
    candidates: Sequence[_Candidate]
    chosen: Sequence[_Candidate]
    lead: float
    leans: bool

    @property
    def evidence(self) -> dict[str, float]:
        """What speaks for and against it."""
        matches = [candidate.match for candidate in self.chosen]
        return evidence(self.asked, matches, self.chosen[0].passage, lead=self.lead)

    @property
    def source_ids(self) -> tuple[str, ...]:
        return tuple(candidate.source.id for candidate in self.chosen)


def read(conversation: Conversation) -> Reading:
    """Answer the conversation's last message from its sources, and from nothing else."""
    question = conversation.question
    if conversation.tool_results:
        return Reading(answer=shorten(f"Baik Kak. {conversation.tool_results[-1]}"), answerable=True)
    if not intents.wants_person(question) and (order := ordered(conversation)):
        sources = tuple(dict.fromkeys(one.source for one in order))
        return Reading(answer=_NOTED, source_ids=sources, answerable=True, order=order)
    reading = _read_sources(conversation, question)
    if not intents.wants_person(question):
        return reading
    complains, asks_person = intents.COMPLAINT.search(question), intents.ASKS_PERSON.search(question)
    if reading.answerable and not complains:
        # "Sudah bayar tapi masih mati, nunggu berapa jam?": the shop's own texts may have this very question.
        share = _KINDRED_QUESTION if intents.ASKS_MORE.search(question) else SAME_QUESTION
        known = intents.ASKING.search(question) is not None and _is_known_question(conversation, share=share)
        if known or not asks_person:
            return replace(reading, needs_human=not known)
    answer = _PERSON_WANTED if asks_person else _UNDERSTOOD
    return Reading(answer=answer, answerable=False, needs_human=True)


def _read_sources(conversation: Conversation, text: str) -> Reading:
    if intents.about_own_words(text) and (reading := _recalled(conversation, text, sure=True)):
        return reading
    question = understand(text)
    knowledge = [source for source in conversation.sources if not source.remembered]
    # "Sudah halal belum?" sounds like a customer's order, unless the shop answers that very question.
    if intents.about_status(text) and not _asked_before(question, knowledge):
        return Reading(answer=_UNKNOWN)
    if not question.says_enough and not (conversation.turns and question.refers_back):
        return _small_talk(question)
    reading = _best_reading(conversation, question, knowledge) if knowledge else Reading(answer=_UNKNOWN)
    if not reading.answerable and intents.OWN.search(text):
        return _recalled(conversation, text, sure=False) or reading
    return reading


def _is_known_question(conversation: Conversation, *, share: float) -> bool:
    knowledge = [source for source in conversation.sources if not source.remembered]
    return _asked_before(understand(conversation.question), knowledge, share=share)


def _asked_before(question: Question, sources: Sequence[Source], *, share: float = SAME_QUESTION) -> bool:
    passages = [analyse(source) for source in sources]
    asked = look_up(question, passages)
    return any(best_match(question, asked, passage).alike >= share for passage in passages)


def _small_talk(question: Question) -> Reading:
    """Friendly words that rest on nothing, so they answer nothing."""
    if intents.THANKS.search(question.text):
        return Reading(answer=_WELCOME)
    return Reading(answer=_UNKNOWN if intents.ASKING.search(question.text) or question.words else _GREETING)


def _recalled(conversation: Conversation, question: str, *, sure: bool) -> Reading | None:
    found = recall(conversation, question, sure=sure)
    if found is None:
        return None
    words = (
        f'Sebelumnya Kakak bilang: "{found.said}"'
        if found.by_customer
        else f"Seperti tadi, Kak: {found.said}"
    )
    return Reading(answer=shorten(words), source_ids=(found.source,), answerable=True)


def choose(conversation: Conversation, question: Question, sources: Sequence[Source]) -> Choice:
    """The passages that say most about the question, whether they answer it or not; there is at least one."""
    passages = [analyse(source) for source in sources]
    asked = look_up(question, passages)
    context = _context(conversation, question, passages)
    candidates = []
    for place, (source, passage) in enumerate(zip(sources, passages, strict=True)):
        match = best_match(question, asked, passage)
        score = match.score * _kind_share(question, match) * (1 - _PLACE_COST * min(place, 10))
        candidates.append(_Candidate(source, passage, match, score))
    highest = max(candidate.score for candidate in candidates) or 1.0
    totals = [candidate.score + highest * extra for candidate, extra in zip(candidates, context, strict=True)]
    order = sorted(range(len(candidates)), key=lambda at: -totals[at])
    chosen = [candidates[order[0]]]
    if question.parts > 1 and (second := _second(asked, chosen[0], [candidates[at] for at in order[1:3]])):
        chosen.append(second)
    return Choice(
        asked=asked,
        candidates=candidates,
        chosen=chosen,
        lead=_lead([candidates[at].score for at in order]),
        leans=any(context),
    )


def _best_reading(conversation: Conversation, question: Question, sources: Sequence[Source]) -> Reading:
    choice = choose(conversation, question, sources)
    asked, chosen, first = choice.asked, choice.chosen, choice.chosen[0]
    if not _is_convincing(choice):
        return Reading(answer=_UNKNOWN)
    if intents.WANTS_LIST.search(question.text) and first.passage.is_catalogue:
        chosen = [c for c in choice.candidates if c.passage.is_catalogue][:_LONGEST_LIST]
        return _quoted([price_line(c.passage, question.text, asked) for c in chosen], chosen)
    return _quoted([quote(c.passage, c.match.span, question.text, asked) for c in chosen], chosen)


def _is_convincing(choice: Choice) -> bool:
    matches = [candidate.match for candidate in choice.chosen]
    if not choice.leans:
        return bool(choice.asked) and answers(choice.evidence)
    # The evidence is weighed for questions that stand alone; of one that goes on, half was said before.
    if not matches[0].fits:
        return False
    if not any(looked.hard for looked in choice.asked):
        return True
    return convinces(choice.asked, matches, choice.chosen[0].passage)


def _kind_share(question: Question, match: Match) -> float:
    """What a passage keeps of its score for the kind of thing that it states."""
    if not match.fits:
        return _WRONG_KIND
    other_number = Wants.AMOUNT in question.wants and not match.span.states_money
    return _LESS_LIKELY_KIND if other_number else 1.0


def _lead(scores: Sequence[float]) -> float:
    """By what share the first is ahead of the second; they come in the order of choice."""
    if len(scores) == 1 or scores[0] <= 0:
        return 1.0
    return max(0.0, 1 - scores[1] / scores[0])


def _second(asked: Sequence[Looked], first: _Candidate, others: Sequence[_Candidate]) -> _Candidate | None:
    """The next passage, if it covers much of what the first leaves open."""
    total = sum(looked.weight for looked in asked)
    for other in others:
        gained = sum(
            looked.weight * other.match.covers[at]
            for at, looked in enumerate(asked)
            if first.match.covers[at] < COVERED
        )
        if gained >= _SECOND_SHARE * total:
            return other
    return None


def _context(conversation: Conversation, question: Question, passages: Sequence[Passage]) -> list[float]:
    """What the last turns add to each passage when the message is short or refers back; never to judging."""
    telling = sum(word.weight >= 0.35 for word in question.words)
    recent = " ".join(turn.text[:_TURN_CHARACTERS] for turn in conversation.turns[-2:])
    if not recent or (telling > _SHORT_WORDS and not question.refers_back):
        return [0.0] * len(passages)
    earlier = understand(recent)
    asked = [looked for looked in look_up(earlier, passages) if looked.known]
    matches = [best_match(earlier, asked, passage) for passage in passages]
    # "Tart 16 cm berapa?", "kalau yang 20?": the second asks for the same kind of thing as the first.
    scores = [match.score * _kind_share(earlier, match) for match in matches]
    # The message itself must be able to outweigh what was spoken of before.
    return [_CONTEXT_SHARE * score / (max(scores) or 1.0) for score in scores]


def _quoted(texts: Sequence[str], chosen: Sequence[_Candidate]) -> Reading:
    text = ("\n" if len(texts) > 2 else " ").join(dict.fromkeys(texts))
    return Reading(answer=warm(text), source_ids=tuple(c.source.id for c in chosen), answerable=True)
