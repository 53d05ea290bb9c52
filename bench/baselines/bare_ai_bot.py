"""The echo bot with one embedding and one chat call an answer: the least that could be called an AI bot.

    python -m bench.baselines.bare_ai_bot STATE_FILE BASE_URL [CALLS_FILE]

All chats are answered at once through one client; nothing is kept, searched or checked. The calls carry
the recorded bodies of the product's own calls, so that the model works as hard; without a file they carry
the message alone.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path
from typing import Any

import openai

from bench.baselines.bare_calls import Calls, read_calls
from bench.baselines.neonize_echo import run


class BareAnswers:
    """One embedding, one chat call, and what that says."""

    def __init__(self, client: openai.AsyncOpenAI, calls: list[Calls]) -> None:
        self._client = client
        self._calls = itertools.cycle(calls)

    async def answer(self, text: str) -> str:
        """The model's words."""
        embedding, chat = next(self._calls, _bodies(text))
        await self._client.embeddings.create(**embedding)
        said = await self._client.chat.completions.create(**chat)
        return str(said.choices[0].message.content or "-")


def _bodies(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    messages = [
        {"role": "system", "content": "Jawab pelanggan toko ini."},
        {"role": "user", "content": text},
    ]
    return (
        {"model": "text-embedding-3-small", "input": text},
        {"model": "gpt-5.4-mini", "messages": messages},
    )


async def main(state_file: str, base_url: str, calls_file: str = "") -> None:
    calls = read_calls(Path(calls_file)) if calls_file else []
    async with openai.AsyncOpenAI(api_key="sk-sandbox", base_url=base_url) as client:
        await run(state_file, BareAnswers(client, calls).answer)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
