"""How a question ends: answered, by an FAQ entry, unknown, for a person, or in trouble; and what it costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from config.secret import Secret
from config.settings import ModelSettings
from config.shop import Shop
from rag.answering import (
    MAX_EMBEDDING_TOKENS,
    MAX_PROMPT_TOKENS,
    Answerer,
    Outcome,
    Question,
    Reply,
    cost_idr,
)
from rag.model import ModelClient
from rag.prompt import CONVERSATION_ID
from sandbox.openai import OpenAIStandIn
from store.memory.index import Passage, Query, Recalled
from store.turns import Author, Turn
from store.usage import Spent

COD = "Bisa COD untuk daerah Klaten, Kak."


def _passage(coverage: float = 1.0, answer: str | None = COD) -> Passage:
    return Passage(
        id="faq:cod",
        kind="faq",
        title="Bisa COD?",
        text=f"T: Bisa COD?\nJ: {COD}",
        answer=answer,
        score=1.0,
        coverage=coverage,
        similarity=None,
    )


class FixedMemory:
    """A memory that always finds the same, and remembers what it was asked."""

    name = "fixed"
    generation = 1

    def __init__(self, passages: Sequence[Passage] = (), recalled: Sequence[Recalled] = ()) -> None:
        self.passages, self.recalled = list(passages), list(recalled)
        self.queries: list[Query] = []
        self.recalls: list[dict[str, Any]] = []

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def catch_up(self) -> int:
        return 0

    async def search(self, query: Query, *, limit: int) -> list[Passage]:
        self.queries.append(query)
        return self.passages[:limit]

    async def recall(
        self, *, customer_id: int, query: Query, before_turn: int | None, limit: int
    ) -> list[Recalled]:
        self.recalls.append({"customer_id": customer_id, "before_turn": before_turn})
        return self.recalled[:limit]


@pytest.fixture
async def stand_in() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn() as server:
        yield server


Opened = Callable[..., Any]


@pytest.fixture
def opened(stand_in: OpenAIStandIn) -> Opened:
    @asynccontextmanager
    async def open_answerer(memory: FixedMemory, **changed: Any) -> AsyncIterator[Answerer]:
        values: dict[str, Any] = {
            "api_key": Secret("sk-uji"),
            "base_url": stand_in.base_url,
            "embedding_dimensions": 16,
            "call_timeout_s": 5.0,
            "attempts": 1,
        }
        settings = ModelSettings(**(values | changed))
        async with ModelClient(settings) as model:
            yield Answerer(memory=memory, model=model, settings=settings, shop=Shop(nama="Toko Uji"))

    return open_answerer


def _question(message: str = "bisa cod?", recent: Sequence[Turn] = (), context: str = "") -> Question:
    return Question(customer_id=7, message=message, recent=recent, context=context)


def _turn(asked: str, replied: str, id: int = 3) -> Turn:
    return Turn(id=id, asked=asked, replied=replied, author=Author.BOT, created_ms=0)


async def _asked(
    opened: Opened, memory: FixedMemory, question: Question | None = None, **changed: Any
) -> Reply:
    async with opened(memory, **changed) as answerer:
        reply: Reply = await answerer.answer(question or _question())
        return reply


async def test_an_answer_costs_what_its_tokens_cost_and_brings_the_questions_vector(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    memory = FixedMemory([_passage()])
    async with opened(memory) as answerer:
        reply = await answerer.answer(_question())
        assert 0 < reply.spent.cost_idr < answerer.most_cost_idr()
    assert reply.outcome is Outcome.ANSWERED
    assert "COD" in reply.text
    assert reply.source_ids == ("faq:cod",)
    assert reply.vector is not None
    assert reply.spent.input_tokens > 0
    assert reply.spent.embedding_tokens > 0
    assert reply.misconfigured is None
    assert len(memory.queries[0].vectors) == 1
    assert stand_in.requests()["total"] == 2


async def test_words_decide_without_an_embedding_model(opened: Opened, stand_in: OpenAIStandIn) -> None:
    memory = FixedMemory([_passage()])
    reply = await _asked(opened, memory, embedding_model=None)
    assert reply.outcome is Outcome.ANSWERED
    assert reply.vector is None
    assert memory.queries[0].vectors == ()
    assert stand_in.requests()["by_endpoint"] == {"/v1/chat/completions": 1}


@pytest.mark.parametrize("mode", ["500", "429", "reset", "garbage"])
async def test_words_decide_when_the_embedding_fails(
    opened: Opened, stand_in: OpenAIStandIn, mode: str
) -> None:
    stand_in.control(mode=mode, for_="embeddings")
    memory = FixedMemory([_passage()])
    reply = await _asked(opened, memory)
    assert reply.outcome is Outcome.ANSWERED
    assert reply.vector is None
    assert memory.queries[0].vectors == ()


async def test_an_unknown_embedding_model_is_told_and_the_customer_is_answered(opened: Opened) -> None:
    reply = await _asked(opened, FixedMemory([_passage()]), embedding_model="embed-0")
    assert reply.outcome is Outcome.ANSWERED
    assert "EMBEDDING_MODEL (embed-0)" in str(reply.misconfigured)


async def test_nothing_found_and_nothing_said_before_is_unknown_without_asking_the_model(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    reply = await _asked(opened, FixedMemory())
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.text == ""
    assert stand_in.requests()["by_endpoint"] == {"/v1/embeddings": 1}
    assert reply.spent.cost_idr <= 1


async def test_what_was_said_in_this_chat_is_enough_to_answer_from(opened: Opened) -> None:
    recent = [_turn("rumahku di Wonosari Klaten", "Siap Kak.")]
    reply = await _asked(opened, FixedMemory(), _question("tadi aku bilang rumahku di mana?", recent))
    assert reply.outcome is Outcome.ANSWERED
    assert "Wonosari" in reply.text
    assert reply.source_ids == (CONVERSATION_ID,)


async def test_recall_looks_only_at_this_customer_and_before_the_recent_turns(opened: Opened) -> None:
    memory = FixedMemory([_passage()])
    await _asked(opened, memory, _question(recent=[_turn("a", "b", id=12), _turn("c", "d", id=13)]))
    await _asked(opened, memory)
    assert memory.recalls == [
        {"customer_id": 7, "before_turn": 12},
        {"customer_id": 7, "before_turn": None},
    ]


async def test_a_question_that_the_sources_do_not_answer_is_unknown(opened: Opened) -> None:
    reply = await _asked(opened, FixedMemory([_passage(coverage=0.1)]), _question("jual sepatu roda merah?"))
    assert reply.outcome is Outcome.UNKNOWN


async def test_who_asks_for_a_person_gets_one(opened: Opened) -> None:
    reply = await _asked(
        opened, FixedMemory([_passage()]), _question("saya mau bicara sama admin saja tolong")
    )
    assert reply.outcome is Outcome.HUMAN


@pytest.mark.parametrize("mode", ["500", "429", "reset", "refusal", "wrong_price", "promise", "garbage"])
@pytest.mark.parametrize(
    ("passage", "outcome", "text"),
    [
        (_passage(), Outcome.FAQ, COD),
        (_passage(coverage=0.3), Outcome.TROUBLE, ""),
        (_passage(answer=None), Outcome.TROUBLE, ""),
    ],
)
async def test_whatever_the_chat_model_does_ends_in_a_clear_faq_entry_or_in_honest_trouble(
    opened: Opened, stand_in: OpenAIStandIn, mode: str, passage: Passage, outcome: Outcome, text: str
) -> None:
    stand_in.control(mode=mode, for_="chat")
    reply = await _asked(opened, FixedMemory([passage]))
    assert (reply.outcome, reply.text) == (outcome, text)
    assert reply.source_ids == (("faq:cod",) if outcome is Outcome.FAQ else ())


async def test_every_kind_of_garbage_ends_in_an_outcome(opened: Opened, stand_in: OpenAIStandIn) -> None:
    stand_in.control(mode="garbage")
    async with opened(FixedMemory([_passage()])) as answerer:
        for _ in range(30):
            assert (await answerer.answer(_question())).outcome is Outcome.FAQ


@pytest.mark.parametrize("hanging", ["all", "chat"])
async def test_the_deadline_brings_the_faq_entry_whatever_hangs(
    opened: Opened, stand_in: OpenAIStandIn, hanging: str
) -> None:
    stand_in.control(mode="hang", for_=hanging)
    started = time.monotonic()
    async with opened(FixedMemory([_passage()]), answer_deadline_s=0.2) as answerer:
        reply = await answerer.answer(_question())
        most = answerer.most_cost_idr()
    assert time.monotonic() - started < 2
    assert (reply.outcome, reply.text) == (Outcome.FAQ, COD)
    # It was cut short: the provider may bill it, so it counts as the most that it can cost.
    assert reply.spent.cost_idr == most


async def test_hanging_embeddings_leave_the_chat_model_most_of_the_deadline(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    stand_in.control(mode="hang", for_="embeddings")
    async with opened(FixedMemory([_passage()]), answer_deadline_s=1.5) as answerer:
        reply = await answerer.answer(_question())
        assert reply.outcome is Outcome.ANSWERED
        # The hanging call may be billed all the same.
        assert reply.spent.cost_idr == answerer.most_cost_idr()


async def test_a_refused_key_costs_nothing_and_is_told(opened: Opened, stand_in: OpenAIStandIn) -> None:
    reply = await _asked(opened, FixedMemory([_passage()]), api_key=Secret("sk-wrong-key"))
    assert (reply.outcome, reply.text) == (Outcome.FAQ, COD)
    assert "OPENAI_API_KEY" in str(reply.misconfigured)
    assert reply.spent.cost_idr == 0


async def test_a_refusal_is_on_the_bill_at_the_most_it_can_cost(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    stand_in.control(mode="refusal")
    async with opened(FixedMemory([_passage()])) as answerer:
        reply = await answerer.answer(_question())
        assert reply.spent.cost_idr == answerer.most_cost_idr()


async def test_a_server_error_costs_only_what_was_done_before_it(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    stand_in.control(mode="500", for_="chat")
    reply = await _asked(opened, FixedMemory([_passage()]))
    assert reply.spent.cost_idr <= 1
    assert reply.spent.input_tokens == 0


async def test_an_answer_that_was_rejected_was_paid_all_the_same(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    stand_in.control(mode="wrong_price", for_="chat")
    reply = await _asked(opened, FixedMemory([_passage()]))
    assert reply.outcome is Outcome.FAQ
    assert reply.spent.output_tokens > 0
    assert reply.spent.cost_idr > 1


async def test_without_money_an_faq_entry_answers_and_the_model_is_not_asked(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    async with opened(FixedMemory([_passage()])) as answerer:
        reply = await answerer.answer_without_model(_question())
    assert (reply.outcome, reply.text, reply.spent.cost_idr) == (Outcome.FAQ, COD, 0)
    async with opened(FixedMemory()) as answerer:
        assert (await answerer.answer_without_model(_question())).outcome is Outcome.TROUBLE
    assert stand_in.requests()["total"] == 0


async def test_a_long_message_with_a_long_context_stays_within_the_reserved_size(
    opened: Opened, stand_in: OpenAIStandIn
) -> None:
    stand_in.control(record=True)
    recent = [_turn("itu " * 1000, "ya " * 2000)] * 8
    question = _question("itu <&> " * 500, recent, context="konteks " * 1000)
    async with opened(FixedMemory([_passage()] * 5)) as answerer:
        reply = await answerer.answer(question)
        assert reply.spent.cost_idr <= answerer.most_cost_idr()
    for entry in stand_in.requests()["bodies"]:
        if entry["endpoint"] == "/v1/embeddings":
            assert sum(map(len, entry["body"]["input"])) / 2.8 <= MAX_EMBEDDING_TOKENS
        else:
            assert sum(len(m["content"]) for m in entry["body"]["messages"]) / 2.8 <= MAX_PROMPT_TOKENS


async def test_cancelling_an_answer_is_no_outcome(opened: Opened, stand_in: OpenAIStandIn) -> None:
    stand_in.control(mode="hang")
    async with opened(FixedMemory([_passage()])) as answerer:
        answering = asyncio.create_task(answerer.answer(_question()))
        await asyncio.sleep(0.05)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering


@pytest.mark.parametrize(
    ("spent", "cost"),
    [
        (Spent(), 0),
        (Spent(input_tokens=1), 1),
        (Spent(input_tokens=1_000_000), 12_750),
        (Spent(input_tokens=1_000_000, output_tokens=1_000_000, embedding_tokens=1_000_000), 89_590),
        (Spent(input_tokens=100, output_tokens=100), 9),
    ],
)
def test_tokens_cost_whole_rupiah_rounded_up(spent: Spent, cost: int) -> None:
    assert cost_idr(ModelSettings(api_key=Secret("x")), spent) == cost
