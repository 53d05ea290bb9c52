"""A model that names the codes of the messages it answers, so that a phone can tell which those are."""

from __future__ import annotations

import itertools
import json
import re

from aiohttp import web

from sandbox.openai import OpenAIStandIn, wire
from sandbox.openai.conversation import Conversation

_CODE = re.compile(r"\bK\d{6}\b")
_NUMBERS = itertools.count(1)


def question() -> tuple[str, str]:
    """A question that the shop's knowledge answers, with a code that no other question has; (code, text)."""
    code = f"K{next(_NUMBERS):06}"
    return code, f"bisa cod ga kak {code}?"


def codes_in(text: str) -> list[str]:
    """The codes in a message or an answer, in their order."""
    return _CODE.findall(text)


class EchoModel(OpenAIStandIn):
    """The stand-in for OpenAI, with short answers that repeat the codes of their question."""

    async def _produced(
        self, conversation: Conversation, wanted: wire.Wanted
    ) -> wire.Produced | web.Response:
        produced = await super()._produced(conversation, wanted)
        codes = codes_in(conversation.question)
        if not codes or not conversation.sources or isinstance(produced, web.Response):
            return produced
        answer = {
            "answer": f"Bisa Kak: {' '.join(codes)}",
            "source_ids": [conversation.sources[0].id],
            "answerable": True,
            "needs_human": False,
        }
        return wire.Produced(text=json.dumps(answer))
