"""WhatsApp's messages (``waE2E.Message``) for what goes out. Pure but for the clock.

neonize's own helpers are not used: they run PIL, ffmpeg and libmagic on the event loop, and look up links.
"""

from __future__ import annotations

import time
from typing import Any

from bot.channel import Outgoing
from store.attachments import Document
from store.outbox import Kind


def message(out: Outgoing, *, own: str | None = None, uploaded: Any = None) -> Any:
    """The message to send. ``own`` is the shop's address in this chat, for a quote of its own words.

    ``uploaded`` says where the file of a kind that is one lies (``Neonize.UploadResponse``).
    """
    from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

    if out.kind is Kind.REACTION:
        return _reaction(out.body, chat=out.chat, message_id=out.quoted_id or "")
    made = Message()
    if out.document is None:
        part = made.extendedTextMessage
        part.text = out.body
    else:
        part = _file(made, out.kind, out.document, uploaded, caption=out.body)
    if out.quoted is not None:
        sender = own if out.quoted.sender is None else out.quoted.sender
        part.contextInfo.stanzaID = out.quoted.message_id
        part.contextInfo.participant = sender or out.chat
        part.contextInfo.quotedMessage.conversation = out.quoted.text
    if out.timer_s:
        part.contextInfo.expiration = out.timer_s
    if out.document is None and not part.HasField("contextInfo"):
        # Words alone, without a link preview and without mentions.
        return Message(conversation=out.body)
    return made


def _file(made: Any, kind: Kind, document: Document, uploaded: Any, *, caption: str) -> Any:
    """Fill in the part of the message that is the file, and return it."""
    match kind:
        case Kind.IMAGE:
            part = made.imageMessage
        case Kind.AUDIO:
            part = made.audioMessage
            part.PTT = True
        case _:
            # A document with a caption comes in a wrapping of its own.
            inner = made.documentWithCaptionMessage.message if caption else made
            part = inner.documentMessage
            part.fileName = part.title = document.filename
    part.mimetype = document.mimetype
    part.URL = uploaded.url
    part.directPath = uploaded.DirectPath
    part.mediaKey = uploaded.MediaKey
    part.mediaKeyTimestamp = int(time.time())
    part.fileSHA256 = uploaded.FileSHA256
    part.fileEncSHA256 = uploaded.FileEncSHA256
    part.fileLength = uploaded.FileLength
    if caption and kind is not Kind.AUDIO:
        part.caption = caption
    return part


def _reaction(emoji: str, *, chat: str, message_id: str) -> Any:
    """An emoji on a customer's message."""
    from neonize.proto.waCommon.WACommon_pb2 import MessageKey
    from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, ReactionMessage

    key = MessageKey(remoteJID=chat, fromMe=False, ID=message_id)
    now_ms = int(time.time() * 1000)
    return Message(reactionMessage=ReactionMessage(key=key, text=emoji, senderTimestampMS=now_ms))
