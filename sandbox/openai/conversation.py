"""What a request says, freed from the two API shapes: turns, the supplied sources, the customer's message.

Sources are `<sumber id="...">text</sumber>` blocks of the last user message, earlier turns of the customer
those inside `<riwayat>`, and the message is the `<pesan>` block (without one: the whole message).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

_SOURCE = re.compile(r"<sumber\b([^>]*)>\s*(.*?)\s*</sumber>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w-]+)\s*=\s*"([^"]*)"')
_MESSAGE = re.compile(r"<pesan>\s*(.*?)\s*</pesan>", re.DOTALL)
_HISTORY = re.compile(r"<riwayat>.*?</riwayat>", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One supplied passage. `remembered` marks an earlier turn of this customer."""

    id: str
    title: str
    text: str
    remembered: bool = False


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message before the last one."""

    role: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A request as the reader sees it. `characters` is the length of all text, for the token estimate."""

    question: str
    sources: tuple[Source, ...] = ()
    turns: tuple[Turn, ...] = ()
    tool_results: tuple[str, ...] = ()
    characters: int = 0
    everything: str = field(default="", repr=False)


def from_chat(messages: Sequence[Mapping[str, Any]]) -> Conversation:
    """Read the `messages` of a chat completion."""
    return _from_turns([(str(m.get("role", "")), _text(m.get("content"))) for m in messages])


def from_responses(given: str | Sequence[Mapping[str, Any]], instructions: str | None) -> Conversation:
    """Read the `input` and `instructions` of a response."""
    pairs = [("system", instructions)] if instructions else []
    if isinstance(given, str):
        pairs.append(("user", given))
    else:
        pairs.extend(_responses_pairs(given))
    return _from_turns(pairs)


def _responses_pairs(items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in items:
        if item.get("type") == "function_call_output":
            yield "tool", _text(item.get("output"))
        elif "role" in item:
            yield str(item["role"]), _text(item.get("content"))


def _text(content: Any) -> str:
    """The text of a message whose content is a string, a list of parts, or nothing (a tool call)."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(p.get("text", "")) for p in content if isinstance(p, dict) and "text" in p)
    return ""


def _from_turns(pairs: list[tuple[str, str]]) -> Conversation:
    last = max((i for i, (role, _) in enumerate(pairs) if role == "user"), default=-1)
    final = pairs[last][1] if last >= 0 else ""
    messages = _MESSAGE.findall(final)
    everything = "\n".join(text for _, text in pairs)
    return Conversation(
        question=unescape(messages[-1]) if messages else final.strip(),
        sources=tuple(_sources(final)) if "<sumber" in final else (),
        turns=tuple(
            Turn(role=role, text=_question_of(text))
            for role, text in pairs[: max(last, 0)]
            if role in ("user", "assistant") and text
        ),
        tool_results=tuple(text for role, text in pairs[last + 1 :] if role == "tool"),
        characters=len(everything),
        everything=everything,
    )


def _question_of(text: str) -> str:
    """An earlier turn may have been kept with its blocks; only what the customer wrote counts."""
    found = _MESSAGE.search(text) if "<pesan>" in text else None
    return unescape(found.group(1)) if found else text


def _sources(text: str) -> Iterator[Source]:
    """Each identified source, in order; a forged block can't occur, for customers' text arrives escaped."""
    history = [match.span() for match in _HISTORY.finditer(text)]
    for match in _SOURCE.finditer(text):
        attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(match.group(1))}
        if identity := attributes.get("id"):
            yield Source(
                id=identity,
                title=attributes.get("judul", ""),
                text=unescape(match.group(2)),
                remembered=any(start <= match.start() < end for start, end in history),
            )
