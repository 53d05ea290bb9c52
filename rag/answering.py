"""One question answered: search, prompt, model, check, and the honest way out when that fails.

At most one embedding and one chat call an answer (each with the adapter's few attempts), within one
deadline and one reservation of money. Whatever goes wrong with the model ends in an outcome here,
never in an exception for the conversation.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import structlog

from config.settings import ModelSettings
from config.shop import Shop
from rag import prompt as prompts
from rag.answer import CheckedAnswer, Verdict, Wanted, check
from rag.errors import ModelError, ModelMisconfigured
from rag.model import ModelClient
from rag.retrieval import faq_that_fits, phrasings, query_from
from store import metrics
from store.memory.index import MemoryIndex, Passage
from store.turns import Turn
from store.usage import Spent
from store.vectors import Vector

log = structlog.get_logger(__name__)

PASSAGES = 5
RECALLED = 3
# Every part of the prompt is bounded, so an answer's price has an upper bound before it is asked for.
MAX_PROMPT_TOKENS = 11_000
MAX_EMBEDDING_TOKENS = 4_000
# Embeddings that hang may use up this share of the deadline: words can search without them, and the
# chat model needs the rest.
EMBEDDING_SHARE = 1 / 3
NOTHING_SPENT = Spent()


class Outcome(Enum):
    """How the question ended."""

    ANSWERED = auto()  # the model's checked answer
    ORDER = auto()  # he wants to buy what ``order`` proposes; what he is told is code's affair
    FAQ = auto()  # an FAQ entry, word for word, because the model could not be used
    UNKNOWN = auto()  # the shop's knowledge has no answer
    HUMAN = auto()  # a person is needed
    TROUBLE = auto()  # the model could not be used and no FAQ entry fits


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked, by whom, after what."""

    customer_id: int
    message: str
    recent: Sequence[Turn]
    context: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """The outcome; ``text`` is empty unless ANSWERED or FAQ. ``vector`` is the question's, for the memory."""

    outcome: Outcome
    text: str = ""
    source_ids: tuple[str, ...] = ()
    vector: Vector | None = None
    spent: Spent = NOTHING_SPENT
    misconfigured: ModelMisconfigured | None = None  # what a person must change before the model can work
    order: tuple[Wanted, ...] = ()


class Answerer:
    """Answers questions from one shop's knowledge and each customer's own history."""

    def __init__(
        self, *, memory: MemoryIndex, model: ModelClient, settings: ModelSettings, shop: Shop
    ) -> None:
        self._memory = memory
        self._model = model
        self._settings = settings
        # A text that only the prompt holds: an answer that contains it repeats its instructions.
        self._canary = secrets.token_hex(6)
        self._system = prompts.system_text(shop, canary=self._canary)

    def most_cost_idr(self) -> int:
        """The most that one answer can cost, in rupiah: what is reserved before the first call."""
        once = cost_idr(
            self._settings,
            Spent(
                input_tokens=MAX_PROMPT_TOKENS,
                output_tokens=self._settings.max_output_tokens,
                embedding_tokens=MAX_EMBEDDING_TOKENS,
            ),
        )
        return once * self._settings.attempts

    async def answer(self, question: Question) -> Reply:
        """The best that can be said within the deadline. Never raises for the model's sake."""
        work = _Work(texts=_texts(question), most_cost_idr=self.most_cost_idr())
        try:
            async with asyncio.timeout(self._settings.answer_deadline_s):
                return await self._ask(question, work)
        except TimeoutError:
            log.warning("model_too_slow", deadline_s=self._settings.answer_deadline_s)
            work.possibly_charged = True
            return await self._fallback(work)
        except ModelError as exc:
            log.warning("model_failed", kind=type(exc).__name__, reason=str(exc))
            work.note(exc)
            return await self._fallback(work)

    async def answer_without_model(self, question: Question) -> Reply:
        """The budget is spent: an FAQ entry that fits clearly, or nothing."""
        return await self._fallback(_Work(texts=_texts(question)))

    async def _ask(self, question: Question, work: _Work) -> Reply:
        query = query_from(work.texts, await self._embedded(work.texts, work))
        oldest_recent = question.recent[0].id if question.recent else None
        # Together: on a server each of them is a journey.
        passages, recalled = await asyncio.gather(
            self._memory.search(query, limit=PASSAGES),
            self._memory.recall(
                customer_id=question.customer_id, query=query, before_turn=oldest_recent, limit=RECALLED
            ),
        )
        work.passages = passages
        if not passages and not recalled and not question.recent:
            return work.reply(Outcome.UNKNOWN, self._settings)
        prompt = prompts.build(
            system=self._system,
            recent=question.recent,
            recalled=recalled,
            passages=passages,
            message=question.message,
            context=question.context,
        )
        completion = await self._model.chat(
            prompt.messages, schema_name=prompts.SCHEMA_NAME, schema=prompts.SCHEMA
        )
        work.spent = replace(
            work.spent, input_tokens=completion.input_tokens, output_tokens=completion.output_tokens
        )
        return await self._judged(check(completion.content, prompt, canary=self._canary), work)

    async def _embedded(self, texts: Sequence[str], work: _Work) -> Sequence[Vector]:
        """The phrasings' vectors; none when there is no embedding model or it fails: then words decide."""
        embedder = self._model.embedder
        if embedder is None:
            return ()
        try:
            async with asyncio.timeout(self._settings.answer_deadline_s * EMBEDDING_SHARE):
                batch = await embedder.embed(texts)
        except TimeoutError:
            log.warning("embedding_too_slow", share=EMBEDDING_SHARE)
            work.possibly_charged = True
            return ()
        except ModelError as exc:
            log.warning("embedding_failed", kind=type(exc).__name__, reason=str(exc))
            work.note(exc)
            return ()
        work.spent = replace(work.spent, embedding_tokens=batch.tokens)
        work.vector = batch.vectors[-1]
        return batch.vectors

    async def _judged(self, checked: CheckedAnswer, work: _Work) -> Reply:
        match checked.verdict:
            case Verdict.SEND:
                reply = work.reply(Outcome.ANSWERED, self._settings)
                return replace(reply, text=checked.text, source_ids=checked.source_ids)
            case Verdict.ORDER:
                return replace(work.reply(Outcome.ORDER, self._settings), order=checked.order)
            case Verdict.UNANSWERABLE:
                return work.reply(Outcome.UNKNOWN, self._settings)
            case Verdict.HUMAN:
                return work.reply(Outcome.HUMAN, self._settings)
            case Verdict.REJECTED:
                # What follows a colon is the model's own words.
                metrics.REJECTS.labels(checked.reason.partition(":")[0]).inc()
                log.warning("answer_rejected", reason=checked.reason)
                return await self._fallback(work)

    async def _fallback(self, work: _Work) -> Reply:
        if work.passages is None:
            # The model failed before anything was searched; words need no model.
            work.passages = await self._memory.search(query_from(work.texts), limit=PASSAGES)
        faq = faq_that_fits(work.passages)
        if faq is None or faq.answer is None:
            return work.reply(Outcome.TROUBLE, self._settings)
        reply = work.reply(Outcome.FAQ, self._settings)
        return replace(reply, text=faq.answer, source_ids=(faq.id,))


@dataclass(slots=True)
class _Work:
    """What is known so far about one answer; the fallback starts from it."""

    texts: Sequence[str]
    most_cost_idr: int = 0
    passages: Sequence[Passage] | None = None  # None: nothing was searched yet
    vector: Vector | None = None
    spent: Spent = NOTHING_SPENT
    possibly_charged: bool = False  # a call was cut short that the provider may bill all the same
    misconfigured: ModelMisconfigured | None = None

    def note(self, exc: ModelError) -> None:
        """What a failed call means for the bill and for the owner. A refused call is never billed."""
        if isinstance(exc, ModelMisconfigured):
            self.misconfigured = exc
        self.possibly_charged |= exc.possibly_charged

    def reply(self, outcome: Outcome, settings: ModelSettings) -> Reply:
        cost = self.most_cost_idr if self.possibly_charged else cost_idr(settings, self.spent)
        return Reply(
            outcome=outcome,
            vector=self.vector,
            spent=replace(self.spent, cost_idr=cost),
            misconfigured=self.misconfigured,
        )


def _texts(question: Question) -> tuple[str, ...]:
    """What is searched for; bounded, for every character of it may be paid for."""
    return phrasings(
        question.message[: prompts.MAX_MESSAGE_CHARS],
        question.recent,
        context=question.context[: prompts.MAX_CONTEXT_CHARS],
    )


def cost_idr(settings: ModelSettings, spent: Spent) -> int:
    """Tokens in whole rupiah, rounded up: a budget must not be passed by crumbs."""
    millionths = (
        spent.input_tokens * settings.input_idr_per_mtok
        + spent.output_tokens * settings.output_idr_per_mtok
        + spent.embedding_tokens * settings.embedding_idr_per_mtok
    )
    return -(-millionths // 1_000_000)
