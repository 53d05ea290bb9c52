"""The terminal's raw events and local commands, pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from bot.channel import IncomingMessage, Unreadable
from store.customers import Address
from store.inbox import RawEvent

CODEC = "terminal/1"
SERVER = "terminal"
OWNER = "owner"
_QUOTE = re.compile(r"^>\s?(\d+)\s+(.*)$", re.DOTALL)
_NAME = re.compile(r"[\w.+@-]{1,64}")


class BadLine(ValueError):
    """The line is not a message; the text says what is expected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One message that somebody typed: who, what, and which message he quoted."""

    person: str
    text: str
    message_id: str
    quoted_id: str | None = None
    name: str | None = None


def from_json(line: str) -> Line:
    """A ``--jsonl`` input line: ``{"id", "from", "text", "quote"?, "name"?}``. Raises ``BadLine``."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise BadLine(f"not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise BadLine('expected an object like {"id": "1", "from": "budi", "text": "halo"}')
    wrong = [key for key in ("id", "from", "text") if not isinstance(data.get(key), str)]
    if wrong:
        raise BadLine(f"these keys must be strings: {', '.join(wrong)}")
    quote, name = data.get("quote"), data.get("name")
    if (quote is not None and not isinstance(quote, str)) or (name is not None and not isinstance(name, str)):
        raise BadLine("quote and name must be strings when they are given")
    if not is_person(data["from"]) or not is_id(data["id"]) or not (quote is None or is_id(quote)):
        raise BadLine("from is a short name without spaces; id and quote are not empty and have no spaces")
    return Line(person=data["from"], text=data["text"], message_id=data["id"], quoted_id=quote, name=name)


def is_person(name: str) -> bool:
    """Whether this can be somebody's name here: it is also his chat's address."""
    return _NAME.fullmatch(name) is not None


def is_id(text: str) -> bool:
    """Whether this can be a message's id: stored as it is, and listed with others between spaces."""
    return 0 < len(text) <= 200 and text.isprintable() and not any(char.isspace() for char in text)


def with_quote(text: str) -> tuple[str, str | None]:
    """``>12 bisa kak`` quotes message 12; everything else is plain text."""
    found = _QUOTE.match(text)
    return (found.group(2), found.group(1)) if found else (text, None)


def encode(line: Line, *, account: str) -> RawEvent:
    """The raw event of a line; a person's chat is his name."""
    raw = {"text": line.text, "quote": line.quoted_id, "name": line.name or line.person.capitalize()}
    return RawEvent(
        account=account,
        chat=line.person,
        sender=line.person,
        message_id=line.message_id,
        kind="text",
        codec=CODEC,
        # Lone surrogates (a broken paste) cannot be encoded; they mean nothing.
        raw=json.dumps(raw, ensure_ascii=False).encode("utf-8", "replace"),
    )


def parse(event: Row[Any]) -> IncomingMessage:
    """Read a stored inbox row; raises ``Unreadable``."""
    if event.codec != CODEC:
        raise Unreadable(f"codec {event.codec} is not the terminal's")
    try:
        raw = json.loads(event.raw)
        text, quote, name = raw["text"], raw["quote"], raw["name"]
    except (ValueError, KeyError, TypeError) as exc:
        raise Unreadable(f"row {event.id} is not a terminal event") from exc
    if not isinstance(text, str):
        raise Unreadable(f"row {event.id} has no text")
    return IncomingMessage(
        chat=event.chat,
        sender=event.sender,
        message_id=event.message_id,
        kind=event.kind,
        text=text,
        addresses=(Address(SERVER, event.sender),),
        name=name,
        quoted_id=quote,
    )
