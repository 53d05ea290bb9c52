"""Every misbehaviour that can be commanded happens as commanded, and ends as commanded."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp
import openai
import pytest
from openai import AsyncOpenAI

from sandbox.openai import OpenAIStandIn
from sandbox.openai.faults import EMBEDDING_GARBAGE_KINDS, GARBAGE_KINDS, Faults, Rule, RuleError

CHAT = "gpt-5.4-mini"
Complete = Callable[..., Any]


@pytest.fixture
def complete(client: AsyncOpenAI, bakery_prompt: Callable[..., str], answer_format: Any) -> Complete:
    async def call(message: str = "roti sobek cokelat harganya berapa") -> Any:
        return await client.chat.completions.create(
            model=CHAT,
            messages=[{"role": "user", "content": bakery_prompt(message)}],
            response_format=answer_format,
        )

    return call


@pytest.mark.parametrize(
    ("mode", "error"), [("429", openai.RateLimitError), ("500", openai.InternalServerError)]
)
async def test_errors_come_for_a_number_of_requests_and_stop(
    ai: OpenAIStandIn, complete: Complete, mode: str, error: type[Exception]
) -> None:
    ai.control(mode=mode, count=2)
    for _ in range(2):
        with pytest.raises(error):
            await complete()
    assert (await complete()).choices[0].finish_reason == "stop"
    assert ai.state()["mode"] == "ok"
    assert ai.requests()["by_status"] == {mode: 2, "200": 1}


async def test_a_fault_for_embeddings_leaves_chat_alone(
    ai: OpenAIStandIn, client: AsyncOpenAI, complete: Complete
) -> None:
    ai.control(mode="500", for_="embeddings")
    with pytest.raises(openai.InternalServerError):
        await client.embeddings.create(model="text-embedding-3-small", input="roti")
    await complete()
    ai.control(mode="ok")
    await client.embeddings.create(model="text-embedding-3-small", input="roti")


async def test_a_fault_can_wait_for_a_word_in_the_message(ai: OpenAIStandIn, complete: Complete) -> None:
    ai.control(mode="500", match="bolu KETAN")
    await complete("roti sobek berapa")
    with pytest.raises(openai.InternalServerError):
        await complete("Bolu ketan hitam berapa")


async def test_a_reset_connection_and_a_hang_reach_the_client_as_such(
    ai: OpenAIStandIn, client: AsyncOpenAI, complete: Complete
) -> None:
    ai.control(mode="reset", count=1)
    with pytest.raises(openai.APIConnectionError):
        await complete()
    ai.control(mode="hang", count=1)
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.2).chat.completions.create(
            model=CHAT, messages=[{"role": "user", "content": "halo"}]
        )
    async with asyncio.timeout(5):
        while ai.requests()["in_flight"]:  # noqa: ASYNC110 - the server's counts have no event to wait for
            await asyncio.sleep(0.01)
    assert ai.requests()["by_status"] == {"reset": 1, "gone": 1}


async def test_a_hanging_request_does_not_hold_up_the_end_of_the_server() -> None:
    async with asyncio.timeout(5), aiohttp.ClientSession() as session:
        async with OpenAIStandIn() as server:
            server.control(mode="hang")
            headers = {"Authorization": "Bearer x"}
            call = asyncio.create_task(session.get(f"{server.base_url}/models", headers=headers))
            while not server.requests()["in_flight"]:  # noqa: ASYNC110 - the counts have no event
                await asyncio.sleep(0.01)
        with pytest.raises(aiohttp.ClientError):
            await call


async def test_a_slow_answer_is_late_but_right(ai: OpenAIStandIn, complete: Complete) -> None:
    ai.control(mode="slow", delay_s=0.2, count=1)
    started = asyncio.get_running_loop().time()
    completion = await complete()
    assert asyncio.get_running_loop().time() - started >= 0.2
    assert "Rp28.000" in completion.choices[0].message.content


async def test_a_refusal_fills_the_refusal_field(ai: OpenAIStandIn, complete: Complete) -> None:
    ai.control(mode="refusal", count=1)
    message = (await complete()).choices[0].message
    assert message.refusal
    assert message.content is None


async def test_a_wrong_price_stands_in_no_source(
    ai: OpenAIStandIn, complete: Complete, bakery_prompt: Callable[..., str]
) -> None:
    ai.control(mode="wrong_price", count=1)
    found = json.loads((await complete()).choices[0].message.content)
    amounts = re.findall(r"Rp[\d.]+\d", found["answer"])
    assert len(amounts) == 1
    assert amounts[0] not in bakery_prompt("x")
    assert found["answerable"] is True
    assert found["source_ids"] == ["katalog:RS1"]


async def test_a_promise_speaks_of_people_or_deeds(ai: OpenAIStandIn, complete: Complete) -> None:
    ai.control(mode="promise", count=3)
    answers = [json.loads((await complete()).choices[0].message.content)["answer"] for _ in range(3)]
    assert len(set(answers)) == 3
    assert all(re.search("admin|tim kami|kirim", answer) for answer in answers)


async def test_garbage_takes_turns_through_every_kind(ai: OpenAIStandIn, complete: Complete) -> None:
    ai.control(mode="garbage", count=len(GARBAGE_KINDS))
    seen = []
    for _ in GARBAGE_KINDS:
        completion = await complete()
        # The client hands over the text of a body that is no JSON.
        seen.append(completion if isinstance(completion, str) else completion.choices[0].message.content)
    by_kind = dict(zip(GARBAGE_KINDS, seen, strict=True))
    assert by_kind["html"].startswith("<!DOCTYPE html>")
    assert by_kind["empty"] == ""
    for kind in ("invalid_json", "truncated"):
        with pytest.raises(json.JSONDecodeError):
            json.loads(by_kind[kind])
    assert isinstance(json.loads(by_kind["wrong_shape"])["answer"], list)
    assert json.loads(by_kind["unknown_sources"])["source_ids"] == ["karangan:tidak-ada"]


async def test_garbage_vectors_take_turns_too(ai: OpenAIStandIn) -> None:
    ai.control(mode="garbage", for_="embeddings", count=len(EMBEDDING_GARBAGE_KINDS))
    body = {"model": "text-embedding-3-small", "input": ["roti"], "dimensions": 8}
    seen = []
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session:
        for _ in EMBEDDING_GARBAGE_KINDS:
            async with session.post(f"{ai.base_url}/embeddings", json=body) as response:
                assert response.status == 200
                seen.append(await response.text())
    by_kind = dict(zip(EMBEDDING_GARBAGE_KINDS, seen, strict=True))
    assert by_kind["html"].startswith("<!DOCTYPE html>")
    with pytest.raises(json.JSONDecodeError):
        json.loads(by_kind["invalid_json"])
    assert json.loads(by_kind["empty_list"])["data"] == []
    assert len(json.loads(by_kind["wrong_dimensions"])["data"][0]["embedding"]) == 4
    assert "data" not in json.loads(by_kind["wrong_shape"])


def test_a_rate_strikes_about_as_often_as_told_and_repeats_with_its_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.command(Rule.from_json({"mode": "500", "rate": 0.3, "seed": seed}))
        return [faults.strike("chat", "halo") is not None for _ in range(1000)]

    assert struck(1) == struck(1) != struck(2)
    assert 220 < sum(struck(1)) < 380


@pytest.mark.parametrize(
    "command",
    [
        {"mode": "503"},
        {"mode": "500", "forr": "chat"},
        {"mode": "500", "for": "models"},
        {"mode": "promise", "for": "embeddings"},
        {"mode": "500", "rate": 2},
        {"mode": "500", "count": "many"},
        {},
    ],
)
async def test_a_misspelt_command_is_refused_and_changes_nothing(
    ai: OpenAIStandIn, command: dict[str, Any]
) -> None:
    with pytest.raises(RuleError):
        ai.control(**command)
    root = ai.base_url.removesuffix("/v1")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{root}/_control", json=command) as response,
    ):
        assert response.status == 400
    assert ai.state()["mode"] == "ok"


async def test_requests_are_counted_recorded_and_reset(ai: OpenAIStandIn, complete: Complete) -> None:
    await complete("sebelum direkam")
    ai.control(record=True)
    await asyncio.gather(*(complete(f"pesan {number}") for number in range(5)))
    state = ai.requests()
    assert state["by_endpoint"] == {"/v1/chat/completions": 6}
    assert state["total"] == 6
    assert state["in_flight"] == 0
    assert 1 <= state["max_in_flight"] <= 5
    assert len(state["bodies"]) == 5
    assert state["bodies"][0]["body"]["model"] == CHAT
    ai.reset_requests()
    assert ai.requests()["total"] == 0
    assert ai.requests()["bodies"] == []
