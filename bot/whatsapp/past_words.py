"""What was said in the chats from before the pairing, read out of the files that ``past`` keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from bot.whatsapp import content
from rag.frequent import Exchange, is_question

log = structlog.get_logger(__name__)

DAYS = 90
_DAY_S = 24 * 60 * 60
# A question and what was said beside it; a shop that answers later than this answers something else.
_ANSWERED_WITHIN_S = _DAY_S
_MOST_PARTS = 3


def exchanges(folder: Path, *, now_s: float) -> list[Exchange]:
    """Each question of the last ``DAYS`` with the words that a person answered it with. Blocks."""
    found: list[Exchange] = []
    for chat, messages in _chats(folder):
        said = sorted(
            (one for one in messages.values() if one[0] >= now_s - DAYS * _DAY_S), key=lambda one: one[0]
        )
        found.extend(_of_chat(chat, said))
    return found


def has_any(folder: Path) -> bool:
    """Whether anything is kept there."""
    return next(folder.glob("*.chat"), None) is not None


# When it was sent in seconds, whether the shop did, and its words.
_Words = tuple[int, bool, str]


def _chats(folder: Path) -> Iterator[tuple[str, dict[str, _Words]]]:
    """Each chat with its messages by their ids; what the phone told in several portions is one."""
    from google.protobuf.message import DecodeError
    from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation

    chats: dict[str, dict[str, _Words]] = {}
    for path in sorted(folder.glob("*.chat")):
        try:
            chat: Any = Conversation.FromString(path.read_bytes())
        except (OSError, DecodeError) as exc:
            log.warning("past_chat_unreadable", reason=type(exc).__name__)
            continue
        messages = chats.setdefault(chat.ID, {})
        for entry in chat.messages:
            message = entry.message
            read = content.read(message.message) if message.HasField("message") else None
            if read is not None and read.kind == "text" and read.text.strip():
                messages[message.key.ID] = (int(message.messageTimestamp), message.key.fromMe, read.text)
    yield from chats.items()


def _of_chat(chat: str, said: list[_Words]) -> Iterator[Exchange]:
    """Where a customer asked one thing, and the shop spoke next."""
    at = 0
    while at < len(said):
        asked = _run(said, at, by_shop=False)
        replied = _run(said, at + len(asked), by_shop=True)
        at += len(asked) + len(replied)
        questions = [one for one in asked if is_question(one[2])]
        # With two questions nobody can tell which of them the answer is to.
        if len(questions) != 1 or not replied or len(replied) > _MOST_PARTS:
            continue
        if replied[0][0] - questions[0][0] <= _ANSWERED_WITHIN_S:
            yield Exchange(
                chat=chat,
                asked=questions[0][2],
                replied="\n".join(text.strip() for _, _, text in replied),
                asked_ms=questions[0][0] * 1000,
            )


def _run(said: list[_Words], start: int, *, by_shop: bool) -> list[_Words]:
    """The messages from there on that one side said without a word of the other."""
    end = start
    while end < len(said) and said[end][1] is by_shop:
        end += 1
    return said[start:end]
