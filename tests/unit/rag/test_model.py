"""The model's adapter: the real client library against servers on loopback, every failure mapped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from aiohttp import web

from config.secret import Secret
from config.settings import ModelSettings
from rag import model as adapter
from rag.errors import Cause, ModelError, ModelMisconfigured, ModelRubbish, ModelUnavailable
from rag.model import Message, ModelClient
from rag.prompt import SCHEMA
from sandbox.openai import OpenAIStandIn
from sandbox.ports import free_port

MESSAGES: list[Message] = [
    {"role": "system", "content": "aturan, balas JSON"},
    {
        "role": "user",
        "content": '<pengetahuan>\n<sumber id="faq:cod" judul="COD">\n'
        "T: Bisa COD?\nJ: Bisa COD, Kak.\n</sumber>\n"
        "</pengetahuan>\n<pesan>\nbisa cod?\n</pesan>",
    },
]


def _settings(base_url: str, **changed: Any) -> ModelSettings:
    values = {"api_key": Secret("sk-uji"), "embedding_dimensions": 16, "call_timeout_s": 5.0} | changed
    return ModelSettings(base_url=base_url, **values)


async def _chat(client: ModelClient) -> adapter.Completion:
    return await client.chat(MESSAGES, schema_name="jawaban", schema=SCHEMA)


async def _embed(client: ModelClient) -> adapter.EmbeddingBatch:
    assert client.embedder is not None
    return await client.embedder.embed(["bisa cod?", "ongkir"])


CALLS = pytest.mark.parametrize("call", [_chat, _embed], ids=["chat", "embeddings"])
Call = Callable[[ModelClient], Any]


@pytest.fixture
async def stand_in() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn() as server:
        yield server


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter.random, "uniform", lambda low, high: 0.001)


@asynccontextmanager
async def _server(
    *answers: web.Response | Callable[[], web.Response],
) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn (the last one for ever) and lists what was asked."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        answer = answers[min(len(asked), len(answers)) - 1]
        return answer() if callable(answer) else answer

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", asked
    finally:
        await runner.cleanup()


def _refusing(status: int, *, code: str | None = None, headers: dict[str, str] | None = None) -> Any:
    body = {"error": {"message": "tidak", "type": "x", "param": None, "code": code}}
    return lambda: web.json_response(body, status=status, headers=headers)


async def test_a_good_answer_comes_back_with_its_tokens(stand_in: OpenAIStandIn) -> None:
    async with ModelClient(_settings(stand_in.base_url)) as client:
        completion = await _chat(client)
        batch = await _embed(client)
    assert "Bisa COD" in completion.content
    assert completion.input_tokens > 0
    assert completion.output_tokens > 0
    assert batch.tokens > 0
    assert [vector.shape for vector in batch.vectors] == [(16,), (16,)]
    assert all(abs(float(vector @ vector) - 1) < 1e-5 for vector in batch.vectors)
    assert stand_in.requests()["by_endpoint"] == {"/v1/chat/completions": 1, "/v1/embeddings": 1}


async def test_plain_numbers_instead_of_base64_are_taken(stand_in: OpenAIStandIn) -> None:
    numbers = {"embedding": [3.0, 4.0], "index": 0, "object": "embedding"}
    body = {
        "object": "list",
        "model": "m",
        "data": [numbers],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
    async with (
        _server(lambda: web.json_response(body)) as (url, _),
        ModelClient(_settings(url, embedding_dimensions=2)) as client,
    ):
        batch = await client.embed("m", 2, ["x"])
    assert batch.vectors[0].tolist() == pytest.approx([0.6, 0.8])


@CALLS
async def test_a_wrong_key_is_the_owners_affair_and_is_asked_once(
    stand_in: OpenAIStandIn, call: Call
) -> None:
    async with ModelClient(_settings(stand_in.base_url, api_key=Secret("sk-wrong-key"))) as client:
        with pytest.raises(ModelMisconfigured, match="OPENAI_API_KEY"):
            await call(client)
        with pytest.raises(ModelMisconfigured, match="OPENAI_API_KEY"):
            await client.check()
    assert stand_in.requests()["by_status"] == {"401": 2}


@CALLS
async def test_an_unknown_model_is_the_owners_affair(stand_in: OpenAIStandIn, call: Call) -> None:
    settings = _settings(stand_in.base_url, chat_model="gpt-0", embedding_model="embed-0")
    async with ModelClient(settings) as client:
        with pytest.raises(ModelMisconfigured, match=r"CHAT_MODEL \(gpt-0\)"):
            await call(client)
        with pytest.raises(ModelMisconfigured, match="gpt-0"):
            await client.check()


@CALLS
@pytest.mark.parametrize(
    ("mode", "kind"), [("429", "slow down"), ("500", "failed \\(500\\)"), ("reset", "cannot reach")]
)
async def test_what_may_pass_by_itself_is_tried_as_often_as_set_and_no_more(
    stand_in: OpenAIStandIn, call: Call, mode: str, kind: str
) -> None:
    stand_in.control(mode=mode)
    async with ModelClient(_settings(stand_in.base_url, attempts=3)) as client:
        with pytest.raises(ModelUnavailable, match=kind) as caught:
            await call(client)
    assert not caught.value.possibly_charged
    assert stand_in.requests()["total"] == 3


@CALLS
async def test_one_failure_is_mended_by_the_second_attempt(stand_in: OpenAIStandIn, call: Call) -> None:
    stand_in.control(mode="500", count=1)
    async with ModelClient(_settings(stand_in.base_url)) as client:
        assert await call(client)
    assert stand_in.requests()["by_status"] == {"500": 1, "200": 1}


@CALLS
async def test_a_model_that_hangs_is_left_after_the_time_out_and_may_be_on_the_bill(
    stand_in: OpenAIStandIn, call: Call
) -> None:
    stand_in.control(mode="hang")
    async with ModelClient(_settings(stand_in.base_url, call_timeout_s=0.1)) as client:
        with pytest.raises(ModelUnavailable, match="within 0 s") as caught:
            await call(client)
    assert caught.value.possibly_charged
    assert stand_in.requests()["total"] == 2


async def test_an_attempt_that_may_be_on_the_bill_is_not_forgotten_when_the_next_one_is_not(
    stand_in: OpenAIStandIn,
) -> None:
    stand_in.control(mode="hang", count=1)
    async with ModelClient(_settings(stand_in.base_url, call_timeout_s=0.1)) as client:
        calling = asyncio.create_task(_chat(client))
        while stand_in.requests()["total"] < 1:  # noqa: ASYNC110 - the server offers a count, no event
            await asyncio.sleep(0.005)
        stand_in.control(mode="500")
        with pytest.raises(ModelUnavailable, match="500") as caught:
            await calling
    assert caught.value.possibly_charged


async def test_nobody_at_the_address_is_said_with_what_to_check() -> None:
    async with ModelClient(_settings(f"http://127.0.0.1:{free_port()}/v1")) as client:
        for call in (_chat(client), _embed(client), client.check()):
            with pytest.raises(ModelUnavailable, match="OPENAI_BASE_URL"):
                await call


async def test_every_kind_of_garbage_is_rubbish_or_content_that_the_check_rejects(
    stand_in: OpenAIStandIn,
) -> None:
    stand_in.control(mode="garbage")
    async with ModelClient(_settings(stand_in.base_url)) as client:
        for _ in range(6):
            try:
                completion = await _chat(client)
            except ModelRubbish:
                continue
            # Content that is a string is for the check of the answer to judge.
            assert completion.content
        for _ in range(5):
            with pytest.raises(ModelRubbish):
                await _embed(client)


@CALLS
@pytest.mark.parametrize(
    "response",
    [
        web.Response(text="<html>Bad Gateway</html>", content_type="text/html"),
        web.Response(text="", content_type="application/json"),
        web.Response(text="{", content_type="application/json"),
        web.Response(text="[]", content_type="application/json"),
        web.Response(text="null", content_type="application/json"),
        web.Response(text="{}", content_type="application/json"),
        web.Response(text='{"choices": [], "data": []}', content_type="application/json"),
        web.Response(text='{"choices": [{}], "data": [{}]}', content_type="application/json"),
        web.Response(text='{"choices": 3, "data": 3}', content_type="application/json"),
        web.Response(
            text='{"choices": [{"message": {"content": ["x"]}}], "data": [{"embedding": [null]}]}',
            content_type="application/json",
        ),
        web.Response(
            text='{"choices": [{"message": {"content": " "}}], "data": [{"embedding": "***"}]}',
            content_type="application/json",
        ),
        web.Response(
            text='{"choices": [{"message": {"content": null}}], "data": [{"embedding": "AAAA"}]}',
            content_type="application/json",
        ),
    ],
    ids=lambda response: response.text[:40],
)
async def test_a_response_of_any_other_shape_is_rubbish_and_is_not_asked_for_again(
    response: web.Response, call: Call
) -> None:
    def copy() -> web.Response:
        return web.Response(text=response.text, content_type=response.content_type)

    async with _server(copy) as (url, asked), ModelClient(_settings(url)) as client:
        with pytest.raises(ModelRubbish):
            await call(client)
    assert len(asked) == 1


async def test_json_by_any_other_name_is_read_and_need_not_say_what_it_cost() -> None:
    def answer() -> web.Response:
        return web.Response(text='{"choices": [{"message": {"content": "ya"}}]}', content_type="text/plain")

    async with _server(answer) as (url, _), ModelClient(_settings(url)) as client:
        completion = await _chat(client)
    assert (completion.content, completion.input_tokens, completion.output_tokens) == ("ya", 0, 0)


async def test_a_refusal_is_no_answer(stand_in: OpenAIStandIn) -> None:
    stand_in.control(mode="refusal")
    async with ModelClient(_settings(stand_in.base_url)) as client:
        with pytest.raises(ModelRubbish, match="refused to answer"):
            await _chat(client)


@CALLS
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, ModelMisconfigured),
        (401, None, ModelMisconfigured),
        (403, None, ModelMisconfigured),
        (404, "model_not_found", ModelMisconfigured),
        (409, None, ModelUnavailable),
        (422, None, ModelMisconfigured),
        (429, None, ModelUnavailable),
        (429, "insufficient_quota", ModelMisconfigured),
        (500, None, ModelUnavailable),
        (503, None, ModelUnavailable),
    ],
)
async def test_every_status_is_mapped(
    status: int, code: str | None, kind: type[ModelError], call: Call
) -> None:
    async with _server(_refusing(status, code=code)) as (url, asked), ModelClient(_settings(url)) as client:
        with pytest.raises(kind) as caught:
            await call(client)
    assert isinstance(caught.value.__cause__, openai.OpenAIError)
    assert len(asked) == (2 if kind is ModelUnavailable else 1)


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (401, None, Cause.KEY),
        (403, None, Cause.KEY),
        (404, "model_not_found", Cause.MODEL),
        (404, None, Cause.ADDRESS),
        (429, "insufficient_quota", Cause.CREDIT),
        (400, None, Cause.REQUEST),
    ],
)
async def test_what_a_person_must_look_at_is_named_apart(status: int, code: str | None, cause: Cause) -> None:
    async with _server(_refusing(status, code=code)) as (url, _), ModelClient(_settings(url)) as client:
        with pytest.raises(ModelMisconfigured) as caught:
            await _chat(client)
    assert caught.value.cause is cause


def _errors(kind: type[openai.OpenAIError]) -> set[type[openai.OpenAIError]]:
    return {kind}.union(*(_errors(child) for child in kind.__subclasses__()))


def test_no_error_of_the_library_is_left_untranslated() -> None:
    import httpx

    request = httpx.Request("POST", "http://127.0.0.1/v1")
    found = {error for error in _errors(openai.OpenAIError) if error.__module__.startswith("openai")}
    assert openai.APITimeoutError in found
    for kind in found:
        error = kind.__new__(kind)
        # Whatever its constructor wants: these are what the translation reads.
        vars(error).update(
            message="x",
            code=None,
            status_code=418,
            request=request,
            response=httpx.Response(418, request=request),
        )
        assert isinstance(adapter.translate(error, _settings("http://127.0.0.1/v1")), ModelError)


@pytest.mark.parametrize(
    ("header", "attempts"),
    [
        ("0.01", 2),
        ("0", 2),
        ("60", 1),
        ("nan", 2),
        ("-3", 2),
        ("inf", 2),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 2),
    ],
)
async def test_the_pause_that_the_server_asks_for_is_kept_or_is_too_long_for_an_answer(
    header: str, attempts: int
) -> None:
    slow_down = _refusing(429, headers={"retry-after": header})
    async with _server(slow_down) as (url, asked), ModelClient(_settings(url)) as client:
        with pytest.raises(ModelUnavailable):
            await asyncio.wait_for(_chat(client), 3)
    assert len(asked) == attempts


async def test_a_model_that_keeps_failing_is_left_alone_for_a_while(stand_in: OpenAIStandIn) -> None:
    stand_in.control(mode="500", for_="chat")
    async with ModelClient(_settings(stand_in.base_url, attempts=1)) as client:
        for _ in range(8):
            # Embeddings that work must not keep the chat model's circuit closed.
            assert await _embed(client)
            with pytest.raises(ModelUnavailable):
                await _chat(client)
    assert stand_in.requests()["by_endpoint"] == {"/v1/embeddings": 8, "/v1/chat/completions": 5}


async def test_a_request_that_is_ours_to_mend_opens_no_circuit(stand_in: OpenAIStandIn) -> None:
    async with ModelClient(_settings(stand_in.base_url, chat_model="gpt-0")) as client:
        for _ in range(8):
            with pytest.raises(ModelMisconfigured):
                await _chat(client)
    assert stand_in.requests()["total"] == 8


async def test_no_more_calls_are_in_flight_than_set(stand_in: OpenAIStandIn) -> None:
    stand_in.control(mode="slow", delay_s=0.03)
    async with ModelClient(_settings(stand_in.base_url, max_in_flight=2)) as client:
        await asyncio.gather(*(_chat(client) for _ in range(6)))
    assert stand_in.requests()["max_in_flight"] == 2


@pytest.mark.parametrize(
    "answer",
    [
        _refusing(404),
        lambda: web.json_response({"id": "m"}),
        lambda: web.Response(text="<html></html>", content_type="text/html"),
    ],
)
async def test_a_server_that_lists_no_models_is_no_reason_not_to_start(answer: Any) -> None:
    async with _server(answer) as (url, asked), ModelClient(_settings(url)) as client:
        await client.check()
    assert len(asked) == 2


async def test_a_check_that_nobody_understands_is_an_unreachable_model() -> None:
    answer = web.Response(text="{", content_type="application/json")
    async with _server(answer) as (url, _), ModelClient(_settings(url)) as client:
        with pytest.raises(ModelUnavailable, match="JSON"):
            await client.check()


async def test_without_an_embedding_model_there_is_no_embedder_and_none_is_checked(
    stand_in: OpenAIStandIn,
) -> None:
    async with ModelClient(_settings(stand_in.base_url, embedding_model=None)) as client:
        assert client.embedder is None
        await client.check()
    assert stand_in.requests()["total"] == 1


async def test_the_reasoning_effort_is_sent_only_when_it_is_set(stand_in: OpenAIStandIn) -> None:
    stand_in.control(record=True)
    for effort in (None, "low"):
        async with ModelClient(_settings(stand_in.base_url, reasoning_effort=effort)) as client:
            await _chat(client)
    sent = [entry["body"].get("reasoning_effort") for entry in stand_in.requests()["bodies"]]
    assert sent == [None, "low"]
