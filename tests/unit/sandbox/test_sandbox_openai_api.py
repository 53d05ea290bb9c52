"""The real client works against the stand-in, and is refused in OpenAI's own shapes."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from sandbox.openai import DEFAULT_MODELS, OpenAIStandIn
from sandbox.openai.embeddings import EmbeddingCache, embed

CHAT = "gpt-5.4-mini"
EMBEDDING = "text-embedding-3-small"
STOCK_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "cek_stok",
        "description": "Cek stok roti menurut kode",
        "parameters": {
            "type": "object",
            "properties": {
                "kode": {"type": "string"},
                "jumlah": {"type": "integer"},
                "kota": {"enum": ["Sleman", "Bantul"]},
            },
            "required": ["kode", "jumlah", "kota"],
            "additionalProperties": False,
        },
    },
}


async def test_the_models_are_listed_and_found(client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == list(DEFAULT_MODELS)
    assert (await client.models.retrieve(CHAT)).id == CHAT


async def test_a_grounded_answer_comes_as_structured_output(
    client: AsyncOpenAI, bakery_prompt: Callable[..., str], answer_format: Any
) -> None:
    completion = await client.chat.completions.create(
        model=CHAT,
        messages=[
            {"role": "system", "content": "Kamu asisten toko roti."},
            {"role": "user", "content": bakery_prompt("roti sobek cokelat harganya berapa kak")},
        ],
        response_format=answer_format,
    )
    found = json.loads(completion.choices[0].message.content or "")
    assert found["source_ids"] == ["katalog:RS1"]
    assert found["answerable"] is True
    assert "Rp28.000" in found["answer"]
    assert completion.usage is not None
    assert completion.usage.prompt_tokens > 100
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )


async def test_plain_text_and_a_free_json_object_are_given_when_asked_for(
    client: AsyncOpenAI, bakery_prompt: Callable[..., str]
) -> None:
    question: Any = [{"role": "user", "content": bakery_prompt("harga RS1?") + " json"}]
    plain = await client.chat.completions.create(model=CHAT, messages=question)
    assert "Rp28.000" in (plain.choices[0].message.content or "")
    free = await client.chat.completions.create(
        model=CHAT, messages=question, response_format={"type": "json_object"}
    )
    assert json.loads(free.choices[0].message.content or "")["answerable"] is True


async def test_any_other_schema_is_filled_by_names_and_types(client: AsyncOpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {
            "query": {"type": "string"},
            "catatan": {"type": "string"},
            "nilai": {"type": "number"},
            "suasana": {"type": "string", "enum": ["biasa", "kesal"]},
            "bagian": {"type": "array", "items": {"type": "string"}},
            "rinci": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/rinci"}]},
        },
        "$defs": {"rinci": {"type": "object", "properties": {"ada": {"type": "boolean"}}}},
    }
    completion = await client.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": "roti apa yang enak"}],
        response_format={"type": "json_schema", "json_schema": {"name": "lain", "schema": schema}},
    )
    assert json.loads(completion.choices[0].message.content or "") == {
        "query": "roti apa yang enak",
        "catatan": "",
        "nilai": 0,
        "suasana": "biasa",
        "bagian": [],
        "rinci": {"ada": False},
    }


async def test_a_fitting_tool_is_called_with_arguments_from_the_message(client: AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "cek stok roti RS1 3 loyang di Bantul"}]
    completion = await client.chat.completions.create(model=CHAT, messages=messages, tools=[STOCK_TOOL])
    message = completion.choices[0].message
    assert completion.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    call: Any = message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"kode": "RS1", "jumlah": 3, "kota": "Bantul"}
    result = {"role": "tool", "tool_call_id": call.id, "content": "Stok RS1 tinggal 4 loyang."}
    after = await client.chat.completions.create(
        model=CHAT, messages=[*messages, message.model_dump(exclude_none=True), result], tools=[STOCK_TOOL]
    )
    assert "tinggal 4 loyang" in (after.choices[0].message.content or "")


async def test_tool_choice_forces_forbids_and_is_checked(client: AsyncOpenAI) -> None:
    messages: Any = [{"role": "user", "content": "halo"}]

    async def finish(choice: Any) -> str:
        made = await client.chat.completions.create(
            model=CHAT, messages=messages, tools=[STOCK_TOOL], tool_choice=choice
        )
        return made.choices[0].finish_reason

    assert await finish("auto") == "stop"
    assert await finish("none") == "stop"
    assert await finish("required") == "tool_calls"
    assert await finish({"type": "function", "function": {"name": "cek_stok"}}) == "tool_calls"
    with pytest.raises(openai.BadRequestError, match="not found in 'tools'"):
        await finish({"type": "function", "function": {"name": "lain"}})


async def test_responses_give_structured_text_and_tool_calls(
    client: AsyncOpenAI, bakery_prompt: Callable[..., str], answer_format: Any
) -> None:
    described = answer_format["json_schema"]
    structured = await client.responses.create(
        model=CHAT,
        instructions="Kamu asisten toko roti.",
        input=[{"role": "user", "content": [{"type": "input_text", "text": bakery_prompt("harga RS1?")}]}],
        text={"format": {"type": "json_schema", **described}},
        store=False,
    )
    assert json.loads(structured.output_text)["source_ids"] == ["katalog:RS1"]
    assert structured.usage is not None
    assert structured.usage.input_tokens > 100
    called = await client.responses.create(
        model=CHAT,
        input="cek stok roti RS1",
        tools=[{"type": "function", "strict": True, **STOCK_TOOL["function"]}],
        tool_choice={"type": "function", "name": "cek_stok"},
    )
    item: Any = called.output[0]
    assert (item.type, item.name) == ("function_call", "cek_stok")
    assert json.loads(item.arguments)["kode"] == "RS1"


async def test_an_answer_is_cut_at_the_token_limit(client: AsyncOpenAI) -> None:
    made = await client.chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": "roti apa?"}], max_completion_tokens=4
    )
    assert made.choices[0].finish_reason == "length"
    assert len(made.choices[0].message.content or "") <= 12


async def test_base64_and_float_vectors_are_the_same_and_of_length_one(client: AsyncOpenAI) -> None:
    texts = ["roti sobek cokelat", "roti sobek coklat enak", "jadwal kereta"]
    packed = await client.embeddings.create(model=EMBEDDING, input=texts, dimensions=512)
    listed = await client.embeddings.create(
        model=EMBEDDING, input=texts, dimensions=512, encoding_format="float"
    )
    for one, other in zip(packed.data, listed.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-7)
        assert math.sqrt(sum(x * x for x in one.embedding)) == pytest.approx(1, abs=1e-5)
    first, near, far = (item.embedding for item in packed.data)
    assert sum(map(operator.mul, first, near)) > 0.4 > sum(map(operator.mul, first, far))
    assert packed.model_extra is not None
    assert "not semantic" in packed.model_extra["note"]


async def test_vectors_have_the_models_own_size_unless_told(client: AsyncOpenAI) -> None:
    small = await client.embeddings.create(model=EMBEDDING, input="roti")
    large = await client.embeddings.create(model="text-embedding-3-large", input="roti")
    assert (len(small.data[0].embedding), len(large.data[0].embedding)) == (1536, 3072)
    with pytest.raises(openai.BadRequestError, match="dimensions"):
        await client.embeddings.create(model=EMBEDDING, input="roti", dimensions=2000)
    with pytest.raises(openai.BadRequestError, match="non-empty"):
        await client.embeddings.create(model=EMBEDDING, input=["roti", ""])


def test_a_text_of_symbols_has_a_vector_and_the_cache_is_bounded() -> None:
    assert float((embed("🙏", 7) ** 2).sum()) == pytest.approx(1)
    cache = EmbeddingCache(capacity=3)
    for number in range(10):
        cache.as_json(f"roti {number}", dimensions=8, encoding="base64")
    assert len(cache) == 3


async def test_wrong_keys_and_unknown_models_are_refused_as_openai_does(
    ai: OpenAIStandIn, client: AsyncOpenAI
) -> None:
    messages: Any = [{"role": "user", "content": "halo"}]
    wrong = client.with_options(api_key="sk-wrong-key")
    with pytest.raises(openai.AuthenticationError) as refused:
        await wrong.chat.completions.create(model=CHAT, messages=messages)
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="gpt-3.5-turbo", messages=messages)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-3.5-turbo")
    assert ai.requests()["by_status"] == {"401": 1, "404": 2}


async def test_the_list_of_models_is_a_setting() -> None:
    async with (
        OpenAIStandIn(models=["qwen3"]) as other,
        AsyncOpenAI(api_key="sk-test", base_url=other.base_url, max_retries=0) as client,
    ):
        assert [model.id async for model in client.models.list()] == ["qwen3"]
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve(CHAT)


async def test_streaming_loose_strict_schemas_and_broken_requests_are_refused_clearly(
    client: AsyncOpenAI,
) -> None:
    messages: Any = [{"role": "user", "content": "halo"}]
    loose: Any = {"name": "x", "strict": True, "schema": {"type": "object", "properties": {}}}
    with pytest.raises(openai.BadRequestError, match="does not stream"):
        await client.chat.completions.create(model=CHAT, messages=messages, stream=True)
    with pytest.raises(openai.BadRequestError, match="additionalProperties"):
        await client.chat.completions.create(
            model=CHAT, messages=messages, response_format={"type": "json_schema", "json_schema": loose}
        )
    with pytest.raises(openai.BadRequestError, match="word 'json'"):
        await client.chat.completions.create(
            model=CHAT, messages=messages, response_format={"type": "json_object"}
        )
    with pytest.raises(openai.BadRequestError, match="messages"):
        await client.chat.completions.create(model=CHAT, messages=[])
    with pytest.raises(openai.BadRequestError, match="stores no responses"):
        await client.responses.create(model=CHAT, input="halo", previous_response_id="resp_1")
