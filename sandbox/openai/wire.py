"""OpenAI's shapes: requests checked, responses and errors written. Pure; the server only carries the bytes.

Source of the shapes: the types of the `openai` client 3.54 (chat completions, responses, embeddings, models).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.bodies import json_object
from sandbox.openai.embeddings import LABEL
from sandbox.openai.schema import Material, fill, strict_problem
from sandbox.openai.words import forms, tokens, weight

# Informal Indonesian runs at about 2.8 characters a token.
_CHARACTERS_PER_TOKEN = 2.8
_MOST_INPUTS = 2048
_NATIVE_DIMENSIONS = {"text-embedding-3-large": 3072}
_JSON_WORD = re.compile("json", re.IGNORECASE)
_TOOL_SHARE = 0.5


class ApiError(Exception):
    """A refusal in OpenAI's error shape."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error",
        param: str | None = None, code: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A function that the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What form the request wants the answer in. `forced` is a tool's name, "required", or nothing."""

    schema: Mapping[str, Any] | None = None
    any_json: bool = False
    tools: tuple[Tool, ...] = ()
    forced: str | None = None
    most_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class Produced:
    """What the model says: text, a refusal, or a tool call (its name and arguments)."""

    text: str = ""
    refusal: str | None = None
    tool: str | None = None
    cut: bool = False

    @property
    def tokens(self) -> int:
        return estimated_tokens(len(self.refusal or self.text))


def estimated_tokens(characters: int) -> int:
    """Tokens of informal Indonesian text, by its length."""
    return max(1, round(characters / _CHARACTERS_PER_TOKEN))


# Requests


def parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request body."""
    if (body := json_object(raw)) is None:
        raise ApiError(400, "We could not parse the JSON body of your request.")
    return body


def check_key(header: str | None) -> None:
    """Any bearer key does, but none at all or one that starts with sk-wrong."""
    key = (header or "").removeprefix("Bearer ").strip()
    if not key:
        raise ApiError(401, "You didn't provide an API key.", code="invalid_api_key")
    if key.startswith("sk-wrong"):
        shown = f"{key[:8]}***{key[-4:]}"
        raise ApiError(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def check_model(model: object, known: Sequence[str]) -> str:
    """The model's name, if this server has it."""
    if not isinstance(model, str) or not model:
        raise ApiError(400, "you must provide a model parameter", param="model")
    if model not in known:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise ApiError(404, message, code="model_not_found")
    return model


def refuse_stream(body: Mapping[str, Any]) -> None:
    """Streaming is not part of the stand-in."""
    if body.get("stream"):
        message = "This stand-in does not stream: leave out 'stream' or set it to false."
        raise ApiError(400, message, param="stream", code="unsupported_value")


def chat_wanted(body: Mapping[str, Any], everything: str) -> Wanted:
    """The form that a chat completion asks for."""
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise ApiError(400, "Missing required parameter: 'messages'.", param="messages")
    tools = tuple(
        _tool(t.get("function") or {}) for t in body.get("tools") or () if t.get("type") == "function"
    )
    if tools and body.get("reasoning_effort") not in (None, "none"):
        # The real API takes function tools in chat completions only without reasoning (gpt-5.4 and later).
        message = "Function tools with reasoning_effort are not supported here; use /v1/responses or 'none'."
        raise ApiError(400, message, param="reasoning_effort")
    form = body.get("response_format") or {}
    return _wanted(
        form, form.get("json_schema") or {}, "response_format", tools=tools,
        choice=_chat_choice(body.get("tool_choice")), everything=everything,
        most_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
    )  # fmt: skip


def responses_wanted(body: Mapping[str, Any], everything: str) -> Wanted:
    """The form that a response asks for."""
    if body.get("previous_response_id"):
        raise ApiError(400, "This stand-in stores no responses.", param="previous_response_id")
    if not body.get("input"):
        raise ApiError(400, "Missing required parameter: 'input'.", param="input")
    form = (body.get("text") or {}).get("format") or {}
    choice = body.get("tool_choice")
    return _wanted(
        form, form, "text.format",
        tools=tuple(_tool(t) for t in body.get("tools") or () if t.get("type") == "function"),
        choice=choice.get("name") if isinstance(choice, dict) else choice,
        everything=everything, most_tokens=body.get("max_output_tokens"),
    )  # fmt: skip


def _chat_choice(choice: Any) -> str | None:
    if isinstance(choice, dict):
        choice = (choice.get("function") or {}).get("name")
    return str(choice) if choice else None


def _tool(given: Mapping[str, Any]) -> Tool:
    return Tool(
        name=str(given.get("name", "")),
        description=str(given.get("description") or ""),
        parameters=given.get("parameters") or {},
    )


def _wanted(
    form: Mapping[str, Any], described: Mapping[str, Any], param: str, *, tools: tuple[Tool, ...],
    choice: str | None, everything: str, most_tokens: int | None,
) -> Wanted:  # fmt: skip
    kind = form.get("type", "text")
    schema = described.get("schema") if kind == "json_schema" else None
    if kind == "json_schema":
        name = described.get("name")
        if not name or not isinstance(schema, dict):
            raise ApiError(400, f"Missing required parameter: '{param}.name' or its schema.", param=param)
        if described.get("strict") and (problem := strict_problem(schema)):
            raise ApiError(400, f"Invalid schema for response_format '{name}': {problem}", param=param)
    elif kind == "json_object" and not _JSON_WORD.search(everything):
        message = (
            f"'messages' must contain the word 'json' in some form, to use '{param}' of type 'json_object'."
        )
        raise ApiError(400, message, param=param)
    elif kind not in ("text", "json_object"):
        raise ApiError(400, f"Invalid value: '{kind}'.", param=f"{param}.type")
    forced = None if choice in (None, "auto") else choice
    if forced not in (None, "none", "required") and forced not in {tool.name for tool in tools}:
        raise ApiError(400, f"Tool choice '{forced}' not found in 'tools' parameter.", param="tool_choice")
    return Wanted(
        schema=schema, any_json=kind == "json_object", tools=tools if forced != "none" else (),
        forced=forced, most_tokens=most_tokens,
    )  # fmt: skip


def embedding_inputs(body: Mapping[str, Any]) -> tuple[list[str], int, str]:
    """The texts, the dimensions and the encoding of an embeddings request."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise ApiError(400, "'input' must be a non-empty string or a list of such.", param="input")
    if len(texts) > _MOST_INPUTS:
        raise ApiError(400, f"'input' may hold at most {_MOST_INPUTS} texts.", param="input")
    largest = _NATIVE_DIMENSIONS.get(str(body.get("model")), 1536)
    dimensions = body.get("dimensions") or largest
    if not isinstance(dimensions, int) or not 1 <= dimensions <= largest:
        raise ApiError(400, f"'dimensions' must be between 1 and {largest}.", param="dimensions")
    encoding = body.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise ApiError(400, f"Invalid value: '{encoding}'.", param="encoding_format")
    return texts, dimensions, encoding


# Answers


def produce(wanted: Wanted, material: Material, *, after_tool: bool) -> Produced:
    """Put a reading in the wanted form."""
    tool = None if after_tool and wanted.forced is None else _tool_for(wanted, material.question)
    if tool is not None:
        return Produced(text=_json(fill(tool.parameters, material)), tool=tool.name)
    reading = material.reading
    if wanted.schema is not None:
        text = _json(fill(wanted.schema, material))
    elif wanted.any_json:
        text = _json(
            {
                "answer": reading.answer,
                "source_ids": list(reading.source_ids),
                "answerable": reading.answerable,
                "needs_human": reading.needs_human,
            }
        )
    else:
        text = reading.answer
    most = wanted.most_tokens
    if most and estimated_tokens(len(text)) > most:
        return Produced(text=text[: int(most * _CHARACTERS_PER_TOKEN)], cut=True)
    return Produced(text=text)


def _tool_for(wanted: Wanted, question: str) -> Tool | None:
    """The forced tool; else the one whose description speaks of at least half of what the message says."""
    if not wanted.tools:
        return None
    if wanted.forced and wanted.forced != "required":
        return next(tool for tool in wanted.tools if tool.name == wanted.forced)
    # Codes and numbers of the message are a call's arguments; they say nothing about which tool is meant.
    words = [word for word in dict.fromkeys(tokens(question)) if word.isalpha() and weight(word) > 0]
    total = sum(map(weight, words))
    shares = [_share(tool, words) / total if total else 0.0 for tool in wanted.tools]
    best = max(range(len(shares)), key=lambda i: (shares[i], -i))
    return wanted.tools[best] if wanted.forced or shares[best] >= _TOOL_SHARE else None


def _share(tool: Tool, words: list[str]) -> float:
    about = {
        form
        for word in tokens(f"{tool.name} {tool.description} {_json(tool.parameters)}")
        for form in forms(word)
    }
    return sum(weight(word) for word in words if not forms(word).isdisjoint(about))


def chat_body(produced: Produced, *, number: int, created: int, model: str, prompt_tokens: int) -> str:
    """A chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": produced.text, "refusal": produced.refusal}
    finish = "length" if produced.cut else "stop"
    if produced.refusal is not None:
        message["content"] = None
    elif produced.tool is not None:
        function = {"name": produced.tool, "arguments": produced.text}
        message["content"] = None
        message["tool_calls"] = [{"id": f"call_sandbox{number}", "type": "function", "function": function}]
        finish = "tool_calls"
    return _json(
        {
            "id": f"chatcmpl-sandbox{number}",
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": produced.tokens,
                "total_tokens": prompt_tokens + produced.tokens,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        }
    )


def responses_body(
    produced: Produced,
    request: Mapping[str, Any],
    *,
    number: int,
    created: int,
    model: str,
    prompt_tokens: int,
) -> str:
    """A response."""
    if produced.tool is not None:
        item: dict[str, Any] = {
            "type": "function_call", "id": f"fc_sandbox{number}", "call_id": f"call_sandbox{number}",
            "name": produced.tool, "arguments": produced.text, "status": "completed",
        }  # fmt: skip
    else:
        part: dict[str, Any] = {"type": "output_text", "text": produced.text, "annotations": []}
        if produced.refusal is not None:
            part = {"type": "refusal", "refusal": produced.refusal}
        status = "incomplete" if produced.cut else "completed"
        item = {
            "type": "message", "id": f"msg_sandbox{number}", "role": "assistant",
            "status": status, "content": [part],
        }  # fmt: skip
    return _json(
        {
            "id": f"resp_sandbox{number}",
            "object": "response",
            "created_at": created,
            "status": "incomplete" if produced.cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if produced.cut else None,
            "error": None,
            "instructions": request.get("instructions"),
            "metadata": request.get("metadata") or {},
            "model": model,
            "output": [item],
            "parallel_tool_calls": True,
            "temperature": None,
            "top_p": None,
            "text": request.get("text") or {"format": {"type": "text"}},
            "tool_choice": request.get("tool_choice") or "auto",
            "tools": request.get("tools") or [],
            "usage": {
                "input_tokens": prompt_tokens,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": produced.tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": prompt_tokens + produced.tokens,
            },
        }
    )


def embeddings_body(vectors: Sequence[str], *, model: str, characters: int) -> str:
    """An embeddings response from vectors that are JSON already; `note` says what they are not."""
    items = ",".join(
        f'{{"object":"embedding","index":{index},"embedding":{vector}}}'
        for index, vector in enumerate(vectors)
    )
    used = estimated_tokens(characters)
    rest = _json({"model": model, "note": LABEL, "usage": {"prompt_tokens": used, "total_tokens": used}})
    return f'{{"object":"list","data":[{items}],{rest[1:]}'


def model_entry(name: str) -> dict[str, Any]:
    """One model of the list."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "sandbox"}


def models_body(names: Sequence[str]) -> str:
    """The list of models."""
    return _json({"object": "list", "data": [model_entry(name) for name in names]})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
