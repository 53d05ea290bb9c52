"""The one adapter of the model: embeddings and chat completions through the ``openai`` library.

It decides nothing about customers. It bounds every call (time-out, attempts, calls in flight), owns
the only retry layer (the library's own is switched off) and translates the library's errors. Chat
Completions rather than Responses, because every OpenAI-compatible server (Ollama, vLLM, OpenRouter)
speaks it; nothing outside this file knows which of the two is used.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

import numpy as np
import openai
from openai.types.chat import ChatCompletionMessageParam

from config.settings import ModelSettings
from rag.errors import Cause, ModelMisconfigured, ModelRubbish, ModelUnavailable, Trouble
from store.breaker import Breaker
from store.vectors import Vector

T = TypeVar("T")
Message = ChatCompletionMessageParam

# A provider that asks for a longer pause than this is treated as down for this answer.
MAX_RETRY_AFTER_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingBatch:
    """Unit vectors in the order of the texts, and what they cost in tokens."""

    vectors: list[Vector]
    tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """The model's raw content and what it cost in tokens."""

    content: str
    input_tokens: int
    output_tokens: int


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def model(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> EmbeddingBatch:
        """One request for all texts. Raises ``rag.errors.ModelError``."""
        ...


class ModelClient:
    """One shared client for embeddings and chat; open it with ``async with``."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        # One for each service: embeddings that work must not hide a chat model that is down.
        self._chat_breaker = Breaker()
        self._embedding_breaker = Breaker()
        self._slots = asyncio.Semaphore(settings.max_in_flight)
        self._client = make_client(settings)
        self.embedder: Embedder | None = None
        if settings.embedding_model is not None:
            self.embedder = _OpenAIEmbedder(self, settings.embedding_model, settings.embedding_dimensions)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._client.close()

    async def check(self) -> None:
        """Ask once whether key and models are accepted.

        Raises ``ModelMisconfigured`` with what to change, ``ModelUnavailable`` when nobody can tell now.
        """
        names = [self._settings.chat_model]
        if self.embedder is not None:
            names.append(self.embedder.model)
        for name in names:
            try:
                await self._client.models.retrieve(name)
            except openai.NotFoundError as exc:
                # Servers that have no such address answer 404 too, without OpenAI's code for it.
                if exc.code == "model_not_found":
                    error = translate(exc, self._settings)
                    if isinstance(error, ModelMisconfigured):
                        error.model = name
                    raise error from exc
            except openai.OpenAIError as exc:
                error = translate(exc, self._settings)
                if isinstance(error, ModelRubbish):
                    raise ModelUnavailable(f"{self._settings.base_url} cannot say: {error}") from exc
                raise error from exc
            except ValueError as exc:
                # The library lets a body that is not JSON through as the parser's own error.
                raise ModelUnavailable(f"{self._settings.base_url} does not answer in JSON") from exc

    async def chat(
        self, messages: Sequence[Message], *, schema_name: str, schema: dict[str, Any]
    ) -> Completion:
        """One structured completion; ``content`` is the model's JSON text, not yet checked."""
        body: dict[str, Any] = {
            "model": self._settings.chat_model,
            "messages": list(messages),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": schema_name, "schema": schema, "strict": True},
            },
            "max_completion_tokens": self._settings.max_output_tokens,
        }
        if self._settings.reasoning_effort is not None:
            body["reasoning_effort"] = self._settings.reasoning_effort

        async def call() -> Completion:
            return _completion_from(await self._ask("/chat/completions", body))

        return await self._bounded(call, self._chat_breaker)

    async def embed(self, model: str, dimensions: int, texts: Sequence[str]) -> EmbeddingBatch:
        """One embedding request for all texts."""
        # base64 is a third of the size of numbers, and is read without making a float of each.
        body = {
            "model": model,
            "input": list(texts),
            "dimensions": dimensions,
            "encoding_format": "base64",
        }

        async def call() -> EmbeddingBatch:
            response = await self._ask("/embeddings", body)
            return _batch_from(response, count=len(texts), dimensions=dimensions)

        return await self._bounded(call, self._embedding_breaker)

    async def _ask(self, path: str, body: dict[str, Any]) -> Any:
        """The response's JSON as it came; raises the library's errors, and ValueError for what is no JSON.

        By the library's generic door, for its typed ones compare every message with all types that it could
        have and make an object of every field of the response: 3 ms of CPU for what is used as it is.
        """
        return json.loads(await self._client.post(path, body=body, cast_to=str))

    async def _bounded(self, call: Callable[[], Awaitable[T]], breaker: Breaker) -> T:
        """``call`` with our attempts, pauses and circuit breaker; raises ``rag.errors.ModelError`` only."""
        possibly_charged = False
        for attempt in range(1, self._settings.attempts + 1):
            if not breaker.allow():
                raise ModelUnavailable(
                    "the model failed repeatedly; not asked again for some seconds",
                    possibly_charged=possibly_charged,
                )
            try:
                async with self._slots:
                    result = await call()
            except openai.OpenAIError as exc:
                error = translate(exc, self._settings)
                if not isinstance(error, ModelUnavailable):
                    raise error from exc
                breaker.failed()
                # Whatever the last attempt comes to, an earlier one may be on the bill.
                possibly_charged = error.possibly_charged = possibly_charged or error.possibly_charged
                pause_s = error.retry_after_s or random.uniform(0.2, 0.6) * attempt
                if attempt == self._settings.attempts or pause_s > MAX_RETRY_AFTER_S:
                    raise error from exc
                await asyncio.sleep(pause_s)
            except asyncio.CancelledError:
                # The caller's deadline came first: for him the service failed like any that hangs.
                breaker.failed()
                raise
            except ValueError as exc:
                raise ModelRubbish("the response is not JSON") from exc
            else:
                breaker.succeeded()
                return result
        raise AssertionError("attempts is at least 1, so the loop returned or raised")


def make_client(settings: ModelSettings) -> openai.AsyncOpenAI:
    """The library's client with our bounds; its own retries are off, because we own the one retry layer."""
    timeout = openai.Timeout(settings.call_timeout_s, connect=min(5.0, settings.call_timeout_s))
    return openai.AsyncOpenAI(
        api_key=settings.api_key.reveal(),
        base_url=settings.base_url,
        timeout=timeout,
        max_retries=0,
    )


@dataclass(frozen=True, slots=True)
class _OpenAIEmbedder:
    """``Embedder`` for one model and size."""

    client: ModelClient
    model: str
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> EmbeddingBatch:
        return await self.client.embed(self.model, self.dimensions, texts)


def _completion_from(response: Any) -> Completion:
    """Read the parts that we use; a proxy's own JSON or an empty choice is rubbish, not a crash."""
    try:
        message = response["choices"][0]["message"]
        content, refusal = message.get("content"), message.get("refusal")
    except (AttributeError, LookupError, TypeError) as exc:
        raise ModelRubbish("the model's response has no message") from exc
    if refusal:
        raise ModelRubbish("the model refused to answer")
    if not isinstance(content, str) or not content.strip():
        raise ModelRubbish("the model's message is empty")
    return Completion(
        content=content,
        input_tokens=_tokens(response, "prompt_tokens"),
        output_tokens=_tokens(response, "completion_tokens"),
    )


def _batch_from(response: Any, *, count: int, dimensions: int) -> EmbeddingBatch:
    try:
        vectors = [_unit_vector(item["embedding"]) for item in response["data"]]
    except (LookupError, TypeError, ValueError) as exc:
        raise ModelRubbish("the embedding response cannot be read") from exc
    if len(vectors) != count or any(vector.shape != (dimensions,) for vector in vectors):
        raise ModelRubbish(f"the embedding response does not hold {count} vectors of {dimensions} numbers")
    return EmbeddingBatch(vectors=vectors, tokens=_tokens(response, "total_tokens"))


def _tokens(response: dict[str, Any], name: str) -> int:
    """What the response says that it cost; not every compatible server does."""
    usage = response.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) else 0


def _unit_vector(embedding: object) -> Vector:
    if isinstance(embedding, str):
        vector = np.frombuffer(base64.b64decode(embedding), dtype="<f4")
    else:
        # Some compatible servers ignore encoding_format and send plain numbers.
        vector = np.asarray(cast("Sequence[float]", embedding), dtype=np.float32)
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0.0:
        raise ValueError("not a direction")
    return (vector / norm).astype(np.float32)


def translate(
    error: openai.OpenAIError, settings: ModelSettings
) -> ModelUnavailable | ModelMisconfigured | ModelRubbish:
    """Our error for the library's. The library's tree is in its ``_exceptions`` module."""
    if isinstance(error, openai.APITimeoutError):
        return ModelUnavailable(
            f"no answer from {settings.base_url} within {settings.call_timeout_s:.0f} s",
            trouble=Trouble.SILENT,
            possibly_charged=True,
        )
    if isinstance(error, openai.APIResponseValidationError):
        return ModelRubbish("the response is not what the API promises")
    if isinstance(error, openai.APIConnectionError):
        return ModelUnavailable(
            f"cannot reach {settings.base_url}; check OPENAI_BASE_URL and the network", trouble=Trouble.AWAY
        )
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return ModelMisconfigured(
            f"{settings.base_url} refuses the key; check OPENAI_API_KEY", cause=Cause.KEY
        )
    if isinstance(error, openai.NotFoundError):
        return ModelMisconfigured(
            f"{settings.base_url} does not know this model; check CHAT_MODEL ({settings.chat_model}) "
            f"and EMBEDDING_MODEL ({settings.embedding_model})",
            # OpenAI has a code of its own for a model; a wrong path of the address gives the bare 404.
            cause=Cause.MODEL if error.code == "model_not_found" else Cause.ADDRESS,
        )
    if isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota":
        return ModelMisconfigured(
            f"the account at {settings.base_url} has no credit left; top it up", cause=Cause.CREDIT
        )
    if isinstance(error, openai.RateLimitError):
        return ModelUnavailable(
            "the model asks us to slow down (429)",
            trouble=Trouble.BUSY,
            status=error.status_code,
            retry_after_s=_retry_after_s(error),
        )
    if isinstance(error, openai.InternalServerError | openai.ConflictError):
        return ModelUnavailable(
            f"the model's server failed ({error.status_code})",
            trouble=Trouble.BROKEN,
            status=error.status_code,
        )
    if isinstance(error, openai.APIStatusError):
        return ModelMisconfigured(
            f"the model refuses our request ({error.status_code}): {error.message}", status=error.status_code
        )
    return ModelRubbish(f"the model's response cannot be used ({type(error).__name__})")


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    """The pause that the server asks for in seconds; the date form is not used by the known providers."""
    try:
        pause_s = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return pause_s if math.isfinite(pause_s) and pause_s >= 0 else None
