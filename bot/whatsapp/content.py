"""What a WhatsApp message says, pure: its kind, its text or caption, and what it refers to.

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
    # What "ini masih ada?" is about: the words of a quoted message or status, of an ad, of a product. Never a
    # price: those come from the shop's own catalogue.
    context: str = ""


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
            text = getattr(part, words) if words else ""
            quoted_id, refers_to = _refers_to(part)
            return Content(kind=kind, text=text, quoted_id=quoted_id, context=_lines(_about(part), refers_to))
    return Content(kind="other")


def _refers_to(part: Any) -> tuple[str | None, str]:
    """The id of the quoted message, and the words of what the message hangs on: a quote, a status, an ad."""
    if "contextInfo" not in part.DESCRIPTOR.fields_by_name or not part.HasField("contextInfo"):
        return None, ""
    context = part.contextInfo
    advert = context.externalAdReply
    quoted = read(context.quotedMessage) if context.stanzaID else None
    said = _lines(quoted.text, quoted.context) if quoted is not None else ""
    return context.stanzaID or None, _lines(said, advert.title, advert.body)


def _about(part: Any) -> str:
    """The product or the order that the message itself shows, from the shop's catalogue on WhatsApp."""
    match type(part).__name__:
        case "ProductMessage":
            return _lines(part.product.title, part.product.description)
        case "OrderMessage":
            return _lines(part.orderTitle, f"{part.itemCount} barang" if part.itemCount else "")
        case _:
            return ""


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
