"""What the shop's phone remembers from before a device was linked, as it tells it once to each new device."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass

from sandbox.whatsapp import contents
from sandbox.whatsapp.jid import LID, Jid
from sandbox.whatsapp.media import Sealed, seal
from sandbox.whatsapp.protos import E2E, HISTORY

Message = contents.Message


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A message of long ago. ``chat`` is the customer's address, ``other`` the one beside it."""

    id: str
    chat: Jid
    other: Jid
    text: str
    by_shop: bool
    sent_s: int

    @classmethod
    def of(
        cls, message_id: str, chat: Jid, other: Jid, text: str, *, by_shop: bool, ago_s: float
    ) -> Remembered:
        """Said so many seconds ago."""
        sent_s = int(time.time() - ago_s)
        return cls(id=message_id, chat=chat, other=other, text=text, by_shop=by_shop, sent_s=sent_s)


def sealed(remembered: list[Remembered]) -> Sealed:
    """All of it as one file for the media host."""
    told = HISTORY.HistorySync()
    told.syncType = HISTORY.HistorySync.INITIAL_BOOTSTRAP
    told.chunkOrder, told.progress = 1, 100
    chats: dict[Jid, list[Remembered]] = {}
    for one in remembered:
        chats.setdefault(one.chat, []).append(one)
    for chat, said in chats.items():
        written = told.conversations.add()
        written.ID = str(chat)
        if chat.server == LID:
            written.pnJID = str(said[0].other)
        else:
            written.lidJID = str(said[0].other)
        # Phones tell the newest message first.
        for one in sorted(said, key=lambda message: -message.sent_s):
            message = written.messages.add().message
            message.key.remoteJID, message.key.ID, message.key.fromMe = str(chat), one.id, one.by_shop
            message.messageTimestamp = one.sent_s
            message.message.conversation = one.text
    return seal("history", zlib.compress(told.SerializeToString()))


def notification(file: Sealed, path: str) -> Message:
    """The message that says where the file lies."""
    made = E2E.Message()
    protocol = made.protocolMessage
    protocol.type = E2E.ProtocolMessage.HISTORY_SYNC_NOTIFICATION
    told = protocol.historySyncNotification
    told.syncType = E2E.HistorySyncType.Value("INITIAL_BOOTSTRAP")
    told.chunkOrder, told.progress = 1, 100
    told.directPath = path
    told.mediaKey = file.key
    told.fileSHA256 = file.plain_hash
    told.fileEncSHA256 = file.sealed_hash
    told.fileLength = file.length
    return made
