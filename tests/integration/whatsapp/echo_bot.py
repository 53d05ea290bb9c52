"""A small program on the real neonize that answers every text with an echo; it tells on stdout what happens.

    python echo_bot.py STATE_FILE

Each line on stdout is one JSON object with an ``event``. The program runs until its stdin closes.
"""

from __future__ import annotations

import os

os.environ.setdefault("TEMPORARILY_DISABLE_PROTOBUF_VERSION_CHECK", "true")

import asyncio
import json
import logging
import sys
from typing import Any

from neonize.aioze.client import NewAClient
from neonize.aioze.events import ConnectedEv, DisconnectedEv, LoggedOutEv, MessageEv, PairStatusEv
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils import log as neonize_log


def tell(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


async def main(state: str) -> None:
    logging.getLogger().setLevel(logging.WARNING)
    neonize_log.setLevel(os.environ.get("ECHO_LOG", "WARNING"))
    client = NewAClient(state, uuid="echo")

    @client.qr
    async def _(_: NewAClient, code: bytes) -> None:
        tell("qr", text=code.decode())

    @client.event(PairStatusEv)
    async def _(_: NewAClient, event: PairStatusEv) -> None:
        tell("paired", user=event.ID.User)

    @client.event(ConnectedEv)
    async def _(_: NewAClient, __: ConnectedEv) -> None:
        tell("connected")

    @client.event(DisconnectedEv)
    async def _(_: NewAClient, __: DisconnectedEv) -> None:
        tell("disconnected")

    @client.event(LoggedOutEv)
    async def _(_: NewAClient, __: LoggedOutEv) -> None:
        tell("logged out")

    @client.event(MessageEv)
    async def _(client: NewAClient, event: MessageEv) -> None:
        source = event.Info.MessageSource
        text = event.Message.conversation or event.Message.extendedTextMessage.text
        tell("message", id=event.Info.ID, text=text, from_me=source.IsFromMe, name=event.Info.Pushname)
        if text and not source.IsFromMe:
            sent = await client.send_message(source.Chat, Message(conversation=f"echo: {text}"))
            tell("sent", id=sent.ID)

    tell("started")
    connecting = await client.connect()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    closed = asyncio.create_task(reader.read())
    await asyncio.wait({connecting, closed}, return_when=asyncio.FIRST_COMPLETED)
    if connecting.done() and not closed.done():
        tell("ended", error=repr(connecting.exception()))
    # An unpaired client can't be stopped, so the process ends without asking it.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
