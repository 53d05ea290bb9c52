"""The loopback server: bytes in, bytes out, counted; what they mean is decided by the pure modules."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.faults import reset
from sandbox.openai import faults, wire
from sandbox.openai.conversation import Conversation, from_chat, from_responses
from sandbox.openai.embeddings import EmbeddingCache
from sandbox.openai.faults import Faults, Mode, Rule, RuleError
from sandbox.openai.reader import read
from sandbox.openai.request_log import RequestLog
from sandbox.openai.schema import Material

DEFAULT_MODELS = (
    "gpt-5.4-mini",
    "text-embedding-3-small",
    "gpt-5.6-luna",
    "gpt-6-luna",
    "text-embedding-3-large",
)
_LARGEST_BODY = 8 * 1024 * 1024
_HTML = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"

Handler = Callable[[web.Request], Awaitable[web.Response]]


class NotLoopbackError(ValueError):
    """The stand-in has no real keys to check, so it listens on loopback addresses only."""


def require_loopback(host: str) -> str:
    """The host itself, if nothing outside this machine can reach it."""
    try:
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NotLoopbackError(f"{host} is not a loopback address; use 127.0.0.1")
    return host


class OpenAIStandIn:
    """The server, as an asynchronous context manager; `base_url` is what the client is given."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        models: Sequence[str] = DEFAULT_MODELS,
        latency_ms_per_token: float = 0.0,
        record_file: Path | None = None,
    ) -> None:
        self._host = require_loopback(host)
        self._port = port
        self._models = tuple(models)
        self._latency_s = latency_ms_per_token / 1000
        self._faults = Faults()
        self._log = RequestLog(record_file)
        self._vectors = EmbeddingCache()
        self._number = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(
            [
                web.get("/v1/models", self._counted("/v1/models", self._list_models)),
                web.get("/v1/models/{model:.+}", self._counted("/v1/models/{id}", self._one_model)),
                web.post("/v1/embeddings", self._counted("/v1/embeddings", self._embeddings)),
                web.post("/v1/chat/completions", self._counted("/v1/chat/completions", self._chat)),
                web.post("/v1/responses", self._counted("/v1/responses", self._responses)),
                web.get("/_control", self._get_control),
                web.post("/_control", self._post_control),
                web.get("/_requests", self._get_requests),
                web.delete("/_requests", self._delete_requests),
            ]
        )
        # A hanging request ends with its client, and never holds up the server's own end.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, self._host, self._port).start()
        self._port = runner.addresses[0][1]
        self._runner = runner
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()
        self._log.close()

    @property
    def base_url(self) -> str:
        """The address for `OPENAI_BASE_URL`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    # Control from the same process

    def control(self, **command: Any) -> dict[str, Any]:
        """What `POST /_control` does; `for_` stands for the keyword `for`. Gives the state."""
        if "for_" in command:
            command["for"] = command.pop("for_")
        return self._command(command)

    def state(self) -> dict[str, Any]:
        """What `GET /_control` gives."""
        return {**self._faults.as_json(), "record": self._log.recording}

    def requests(self) -> dict[str, Any]:
        """What `GET /_requests` gives."""
        return self._log.as_json()

    def reset_requests(self) -> None:
        """What `DELETE /_requests` does."""
        self._log.reset()

    def _command(self, command: Mapping[str, Any]) -> dict[str, Any]:
        rest = dict(command)
        record = rest.pop("record", None)
        rule = Rule.from_json(rest) if rest or record is None else None
        if record is not None:
            self._log.recording = bool(record)
        if rule:
            self._faults.command(rule)
        return self.state()

    async def _get_control(self, _: web.Request) -> web.Response:
        return web.json_response(self.state())

    async def _post_control(self, request: web.Request) -> web.Response:
        try:
            command = json.loads(await request.read())
            if not isinstance(command, dict):
                raise RuleError("a JSON object is wanted")
            return web.json_response(self._command(command))
        except ValueError as error:
            return web.json_response({"error": {"message": str(error)}}, status=400)

    async def _get_requests(self, _: web.Request) -> web.Response:
        return web.json_response(self.requests())

    async def _delete_requests(self, _: web.Request) -> web.Response:
        self.reset_requests()
        return web.json_response(self.requests())

    # The imitated endpoints

    def _counted(self, endpoint: str, handler: Handler) -> Handler:
        """Check the key, count the request, and turn refusals into OpenAI's error shape."""

        async def handle(request: web.Request) -> web.Response:
            self._log.started(endpoint)
            status = "gone"
            try:
                try:
                    wire.check_key(request.headers.get("Authorization"))
                    response = await handler(request)
                except wire.ApiError as error:
                    response = web.json_response(error.body, status=error.status)
                status = str(response.status)
                return response
            except _ConnectionReset:
                status = "reset"
                reset(request)
                return web.Response(status=500)
            finally:
                self._log.finished(status)

        return handle

    async def _list_models(self, _: web.Request) -> web.Response:
        await self._suffer(self._faults.strike("models", ""))
        return _json_text(wire.models_body(self._models))

    async def _one_model(self, request: web.Request) -> web.Response:
        name = wire.check_model(request.match_info["model"], self._models)
        await self._suffer(self._faults.strike("models", name))
        return web.json_response(wire.model_entry(name))

    async def _embeddings(self, request: web.Request) -> web.Response:
        body = wire.parsed(await request.read())
        model = wire.check_model(body.get("model"), self._models)
        self._log.record("/v1/embeddings", body)
        texts, dimensions, encoding = wire.embedding_inputs(body)
        rule = self._faults.strike("embeddings", "\n".join(texts))
        await self._suffer(rule)
        if rule and rule.mode is Mode.GARBAGE:
            return self._garbage_embeddings(model, dimensions, encoding)
        vectors = [self._vectors.as_json(t, dimensions=dimensions, encoding=encoding) for t in texts]
        return _json_text(wire.embeddings_body(vectors, model=model, characters=sum(map(len, texts))))

    def _garbage_embeddings(self, model: str, dimensions: int, encoding: str) -> web.Response:
        kinds = faults.EMBEDDING_GARBAGE_KINDS
        match kinds[(self._faults.struck - 1) % len(kinds)]:
            case "html":
                return _html()
            case "invalid_json":
                return _json_text('{"object": "list", "data": [{')
            case "empty_list":
                return _json_text(wire.embeddings_body([], model=model, characters=1))
            case "wrong_dimensions":
                short = self._vectors.as_json("pendek", dimensions=max(1, dimensions // 2), encoding=encoding)
                return _json_text(wire.embeddings_body([short], model=model, characters=1))
        return _json_text('{"object": "list", "model": "x"}')

    async def _chat(self, request: web.Request) -> web.Response:
        body = wire.parsed(await request.read())
        model = wire.check_model(body.get("model"), self._models)
        self._log.record("/v1/chat/completions", body)
        wire.refuse_stream(body)
        conversation = from_chat(_objects(body.get("messages")))
        wanted = wire.chat_wanted(body, conversation.everything)
        produced = await self._produced(conversation, wanted)
        if isinstance(produced, web.Response):
            return produced
        number, created, used = self._stamp(conversation)
        return _json_text(
            wire.chat_body(produced, number=number, created=created, model=model, prompt_tokens=used)
        )

    async def _responses(self, request: web.Request) -> web.Response:
        body = wire.parsed(await request.read())
        model = wire.check_model(body.get("model"), self._models)
        self._log.record("/v1/responses", body)
        wire.refuse_stream(body)
        given = body.get("input")
        conversation = from_responses(
            given if isinstance(given, str) else _objects(given), body.get("instructions")
        )
        wanted = wire.responses_wanted(body, conversation.everything)
        produced = await self._produced(conversation, wanted)
        if isinstance(produced, web.Response):
            return produced
        number, created, used = self._stamp(conversation)
        return _json_text(
            wire.responses_body(
                produced, body, number=number, created=created, model=model, prompt_tokens=used
            )
        )

    def _stamp(self, conversation: Conversation) -> tuple[int, int, int]:
        self._number += 1
        return self._number, int(time.time()), wire.estimated_tokens(conversation.characters)

    async def _produced(
        self, conversation: Conversation, wanted: wire.Wanted
    ) -> wire.Produced | web.Response:
        rule = self._faults.strike("chat", conversation.question)
        await self._suffer(rule)
        mode = rule.mode if rule else Mode.OK
        if mode is Mode.REFUSAL:
            return wire.Produced(refusal=faults.REFUSAL_TEXT)
        reading = read(conversation)
        if mode is Mode.WRONG_PRICE:
            reading = faults.wrong_price(reading, conversation.question, conversation.everything)
        elif mode is Mode.PROMISE:
            reading = faults.promise(reading, self._faults.struck)
        material = Material(reading=reading, question=conversation.question)
        produced = wire.produce(wanted, material, after_tool=bool(conversation.tool_results))
        if mode is Mode.GARBAGE:
            kind = faults.GARBAGE_KINDS[(self._faults.struck - 1) % len(faults.GARBAGE_KINDS)]
            if kind == "html":
                return _html()
            supplied = {source.id for source in conversation.sources}
            spoilt = faults.garbage_content(kind, produced.text, supplied)
            produced = replace(produced, text=spoilt, cut=kind == "truncated")
        if self._latency_s:
            await asyncio.sleep(self._latency_s * produced.tokens)
        return produced

    async def _suffer(self, rule: Rule | None) -> None:
        """The part of a fault that has nothing to do with what is said."""
        if rule is None:
            return
        if rule.wait_s:
            await asyncio.sleep(rule.wait_s)
        if rule.mode is Mode.RATE_LIMITED:
            message = "Rate limit reached for requests. Please try again later."
            raise wire.ApiError(429, message, kind="requests", code="rate_limit_exceeded")
        if rule.mode is Mode.SERVER_ERROR:
            raise wire.ApiError(
                500, "The server had an error while processing your request.", kind="server_error"
            )
        if rule.mode is Mode.RESET:
            raise _ConnectionReset


class _ConnectionReset(Exception):
    """The connection is to be reset instead of answered."""


def _objects(given: Any) -> list[dict[str, Any]]:
    """The messages, if they are a list of objects."""
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise wire.ApiError(400, "A list of message objects is wanted.", param="messages")
    return given


def _json_text(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


def _html() -> web.Response:
    return web.Response(text=_HTML, content_type="text/html")
