"""What a WhatsApp message says, pure: its kind, its text or caption, and what it quotes.

The argument is whatsmeow's ``waE2E.Message``, already taken out of its wrappers (disappearing chats,
view-once, documents with a caption).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """One message as people see it."""

    kind: str
    text: str = ""
    quoted_id: str | None = None
    quoted_text: str = ""


# Field of the message, our name of its kind, and where in it people's words are.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("extendedTextMessage", "text", "text"),
    ("imageMessage", "image", "caption"),
    ("videoMessage", "video", "caption"),
    ("ptvMessage", "video", "caption"),
    ("audioMessage", "audio", ""),
    ("documentMessage", "document", "caption"),
    ("stickerMessage", "sticker", ""),
    ("locationMessage", "location", "name"),
    ("liveLocationMessage", "location", "caption"),
    ("contactMessage", "contact", "displayName"),
    ("contactsArrayMessage", "contact", "displayName"),
    ("buttonsResponseMessage", "text", "selectedDisplayText"),
    ("templateButtonReplyMessage", "text", "selectedDisplayText"),
    ("listResponseMessage", "text", "title"),
    ("pollCreationMessage", "poll", "name"),
    ("pollCreationMessageV2", "poll", "name"),
    ("pollCreationMessageV3", "poll", "name"),
    ("productMessage", "product", "body"),
    ("orderMessage", "order", "message"),
)
# Housekeeping between devices, and signs on other messages: nobody waits for an answer to these.
_NO_MESSAGE = frozenset(
    (
        "messageContextInfo",
        "senderKeyDistributionMessage",
        "fastRatchetKeySenderKeyDistributionMessage",
        "protocolMessage",
        "reactionMessage",
        "encReactionMessage",
        "pollUpdateMessage",
        "keepInChatMessage",
        "pinInChatMessage",
        "encEventResponseMessage",
        "secretEncryptedMessage",
    )
)


def read(message: Any) -> Content | None:
    """The message's content; None for what is no message to anybody (keys, reactions, edits)."""
    filled = {field.name for field, _ in message.ListFields()}
    if not filled - _NO_MESSAGE:
        return None
    if message.conversation:
        return Content(kind="text", text=message.conversation)
    for field, kind, words in _KINDS:
        if field in filled:
            part = getattr(message, field)
            quoted_id, quoted_text = _quoted(part)
            text = getattr(part, words) if words else ""
            return Content(kind=kind, text=text, quoted_id=quoted_id, quoted_text=quoted_text)
    return Content(kind="other")


def _quoted(part: Any) -> tuple[str | None, str]:
    if "contextInfo" not in part.DESCRIPTOR.fields_by_name or not part.HasField("contextInfo"):
        return None, ""
    context = part.contextInfo
    if not context.stanzaID:
        return None, ""
    quoted = read(context.quotedMessage)
    return context.stanzaID, quoted.text if quoted is not None else ""
