"""A small program on the real neonize that answers every text with an echo; it tells on stdout what happens.

    python echo_bot.py STATE_FILE [PHONE_NUMBER]

With a number it asks for a code to be typed into that phone instead of showing a QR code.

Each line on stdout is one JSON object with an ``event``. The program runs until its stdin closes.
"""

from __future__ import annotations

import os

os.environ.setdefault("TEMPORARILY_DISABLE_PROTOBUF_VERSION_CHECK", "true")

import asyncio
import ctypes
import json
import logging
import sys
from typing import Any

from neonize.aioze.client import NewAClient
from neonize.aioze.events import ConnectedEv, DisconnectedEv, LoggedOutEv, MessageEv, PairStatusEv
from neonize.exc import SendMessageError, SendPresenceError
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils import log as neonize_log
from neonize.utils.enum import ChatPresence, ChatPresenceMedia, ClientType, Presence, ReceiptType

# The Go library prints on standard output whenever it likes, in the middle of a line of ours as well: it gets
# standard error instead, and what is told goes where standard output went at the start.
TOLD = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def tell(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), file=TOLD, flush=True)


async def show_online(client: NewAClient) -> None:
    """Needs the account's name, which the phone tells a new device a moment after it came online."""
    while True:
        try:
            await client.send_presence(Presence.AVAILABLE)
        except SendPresenceError:
            await asyncio.sleep(0.05)
        else:
            return


async def send_back(client: NewAClient, event: MessageEv) -> None:
    """Fetch the file of a message and send it back, a picture as a picture and a document as a document."""
    chat = event.Info.MessageSource.Chat
    data = await client.download_any(event.Message)
    if event.Message.HasField("imageMessage"):
        await client.send_image(chat, data, caption="kembali")
    else:
        await client.send_document(chat, data, caption="kembali", filename="kembali.pdf")


async def answer(client: NewAClient, event: MessageEv, text: str) -> None:
    source = event.Info.MessageSource
    await client.mark_read(event.Info.ID, chat=source.Chat, sender=source.Sender, receipt=ReceiptType.READ)
    await client.send_chat_presence(
        source.Chat, ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT
    )
    try:
        sent = await client.send_message(source.Chat, Message(conversation=f"echo: {text}"))
    except SendMessageError as exc:
        tell("not sent", error=str(exc))
    else:
        tell("sent", id=sent.ID)


async def main(state: str, number: str = "") -> None:
    asked: list[str] = []
    logging.getLogger().setLevel(logging.WARNING)
    neonize_log.setLevel(os.environ.get("ECHO_LOG", "WARNING"))
    client = NewAClient(state, uuid="echo")

    @client.qr
    async def _(client: NewAClient, code: bytes) -> None:
        if number and not asked:
            asked.append(number)
            code = await client.PairPhone(number, True, client_type=ClientType.CHROME)
            tell("code", text=code)
        else:
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
        if event.Info.Category == "peer":  # The phone's settings.
            return
        text = event.Message.conversation or event.Message.extendedTextMessage.text
        tell("message", id=event.Info.ID, text=text, from_me=source.IsFromMe, name=event.Info.Pushname)
        if event.Message.HasField("imageMessage") or event.Message.HasField("documentMessage"):
            await send_back(client, event)
        elif text == "online?":
            await show_online(client)
        elif text and not source.IsFromMe:
            await answer(client, event, text)

    # neonize tells how a pairing ended through this private callback alone.
    client._NewAClient__onLoginStatus = lambda _uuid, text: tell(
        "login status", text=ctypes.string_at(text).decode()
    )
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
    asyncio.run(main(*sys.argv[1:]))
