"""A bare neonize bot that answers every text with what ``answer`` makes of it; by itself, with an echo.

    python -m bench.baselines.neonize_echo STATE_FILE

No store, no order, no retries: what any bot on this library must pay. It runs until it is killed.
"""

from __future__ import annotations

import os

os.environ.setdefault("TEMPORARILY_DISABLE_PROTOBUF_VERSION_CHECK", "true")

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from neonize.aioze.client import NewAClient
from neonize.aioze.events import MessageEv
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils import log

Answer = Callable[[str], Awaitable[str]]


async def run(state_file: str, answer: Answer) -> None:
    """Answer texts for ever; the pairing code goes into a file beside the session."""
    logging.getLogger().setLevel(logging.WARNING)
    log.setLevel("WARNING")
    client = NewAClient(state_file, uuid="bare")

    async def show(_: NewAClient, code: bytes) -> None:
        part = Path(f"{state_file}.part")
        part.write_bytes(code)
        part.rename(f"{state_file}.qr")

    async def answer_text(_: NewAClient, event: MessageEv) -> None:
        source = event.Info.MessageSource
        text = event.Message.conversation or event.Message.extendedTextMessage.text
        if text and not source.IsFromMe:
            await client.send_message(source.Chat, Message(conversation=await answer(text)))

    client.qr(show)
    client.event(MessageEv)(answer_text)
    await (await client.connect())


async def echo(text: str) -> str:
    """The same words again."""
    return text


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], echo))
