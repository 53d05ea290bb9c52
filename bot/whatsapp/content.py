"""What a WhatsApp message says, pure: its kind, its words, its file, and what it refers to.

The argument is whatsmeow's ``waE2E.Message``, already taken out of its wrappers (disappearing chats,
view-once, documents with a caption, edits).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.channel import IncomingFile, Media, Sign


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """One message as people see it, or a sign about another one (``quoted_id``)."""

    kind: str
    text: str = ""
    quoted_id: str | None = None
    # What "ini masih ada?" is about: the words of a quoted message or status, of an ad, of a product. Never a
    # price: those come from the shop's own catalogue.
    context: str = ""
    detail: str = ""
    file: IncomingFile | None = None
    timer_s: int | None = None


# Field of the message, our name of its kind, and where in it people's words are.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("extendedTextMessage", "text", "text"),
    ("imageMessage", Media.IMAGE, "caption"),
    ("videoMessage", Media.VIDEO, "caption"),
    ("ptvMessage", Media.VIDEO, "caption"),
    ("audioMessage", Media.AUDIO, ""),
    ("documentMessage", Media.DOCUMENT, "caption"),
    ("stickerMessage", Media.STICKER, ""),
    ("stickerPackMessage", Media.STICKER, ""),
    ("locationMessage", Media.LOCATION, "comment"),
    ("liveLocationMessage", Media.LOCATION, "caption"),
    ("contactMessage", Media.CONTACT, ""),
    ("contactsArrayMessage", Media.CONTACT, ""),
    ("buttonsResponseMessage", "text", "selectedDisplayText"),
    ("templateButtonReplyMessage", "text", "selectedDisplayText"),
    ("listResponseMessage", "text", "title"),
    ("interactiveResponseMessage", "text", "body.text"),
    # Menus come from other shops' programs; their words are words.
    ("buttonsMessage", "text", "contentText"),
    ("listMessage", "text", "description"),
    ("templateMessage", "text", "hydratedTemplate.hydratedContentText"),
    ("interactiveMessage", "text", "body.text"),
    ("pollCreationMessage", Media.POLL, "name"),
    ("pollCreationMessageV2", Media.POLL, "name"),
    ("pollCreationMessageV3", Media.POLL, "name"),
    ("pollCreationMessageV5", Media.POLL, "name"),
    ("eventMessage", "text", "name"),
    ("productMessage", Media.PRODUCT, "body"),
    ("orderMessage", Media.ORDER, "message"),
)
# Housekeeping between devices, and signs on other messages: nobody waits for an answer to these. An album
# only announces the pictures that follow, and a child repeats one of them in a higher quality.
_NO_MESSAGE = frozenset(
    (
        "messageContextInfo",
        "senderKeyDistributionMessage",
        "fastRatchetKeySenderKeyDistributionMessage",
        "protocolMessage",
        "reactionMessage",
        "encReactionMessage",
        "pollUpdateMessage",
        "pollResultSnapshotMessage",
        "pollResultSnapshotMessageV3",
        "keepInChatMessage",
        "pinInChatMessage",
        "encEventResponseMessage",
        "secretEncryptedMessage",
        "albumMessage",
        "associatedChildMessage",
        "messageHistoryBundle",
        "messageHistoryNotice",
    )
)
# ``WAWebProtobufsE2E.ProtocolMessage.Type``.
_REVOKE, _EPHEMERAL_SETTING, _MESSAGE_EDIT = 0, 3, 14
_MOST_CONTACTS = 5
_MAP = "https://maps.google.com/?q="
# One that would lead to another host: "@host/", ".host/", "//host/".
_PATH = re.compile(r"/[^/\\@]")
_WAID = re.compile(r"waid=(\d{6,15})")
_TELEPHONE = re.compile(r"^(?:\w+\.)?TEL[^:\n]*:([+\d][\d ()+.-]{4,20})", re.MULTILINE | re.IGNORECASE)


def read(message: Any) -> Content | None:
    """The message's content; None for what is no message to anybody (keys, reactions, edits)."""
    filled = {field.name for field, _ in message.ListFields()}
    if not filled - _NO_MESSAGE:
        return None
    if message.conversation:
        # Where messages disappear they carry the timer, and then they are no bare conversation.
        return Content(kind="text", text=message.conversation, timer_s=0)
    for field, kind, words in _KINDS:
        if field in filled:
            part = getattr(message, field)
            quoted_id, refers_to = _refers_to(part)
            return Content(
                kind=str(kind),
                text=_words(part, words),
                quoted_id=quoted_id,
                context=_lines(_about(part), refers_to),
                detail=_detail(part),
                file=_file(part),
                timer_s=_timer_s(part),
            )
    return Content(kind=Media.OTHER.value)


def sign(message: Any) -> Content | None:
    """What the message says about another one: an edit, a reaction, an album behind it; None for no sign."""
    if message.HasField("reactionMessage"):
        about = message.reactionMessage
        return Content(kind=Sign.REACTION.value, text=about.text, quoted_id=about.key.ID or None)
    if message.HasField("albumMessage"):
        # A reply of several pictures may quote here, once for all of them.
        quoted_id, _ = _refers_to(message.albumMessage)
        return Content(kind=Sign.ALBUM.value, quoted_id=quoted_id) if quoted_id else None
    if message.HasField("pollUpdateMessage"):
        return Content(kind=Sign.VOTE.value, quoted_id=message.pollUpdateMessage.pollCreationMessageKey.ID)
    if not message.HasField("protocolMessage"):
        return None
    protocol = message.protocolMessage
    if protocol.type == _EPHEMERAL_SETTING:
        return Content(kind=Sign.TIMER.value, timer_s=protocol.ephemeralExpiration)
    if not (about := protocol.key.ID):
        # The number of a deletion is also that of a message which says nothing.
        return None
    if protocol.type == _REVOKE:
        return Content(kind=Sign.REVOKE.value, quoted_id=about)
    if protocol.type == _MESSAGE_EDIT:
        edited = read(protocol.editedMessage)
        return Content(kind=Sign.EDIT.value, text=edited.text if edited else "", quoted_id=about)
    return None


def file_part(message: Any) -> Any | None:
    """The message's part that is a file, in a message with nothing but that; None when it has none.

    Without its address, into which a sender can write any server, ours as well: the path says where it lies
    on WhatsApp's own hosts. The whatsmeow of today goes by the path anyway; nobody need rely on that.
    """
    for field, _, _ in _KINDS:
        if message.HasField(field):
            part = getattr(message, field)
            if _file(part) is None:
                return None
            bare = type(message)()
            # A round video note is fetched like any other video.
            place = getattr(bare, "videoMessage" if field == "ptvMessage" else field)
            place.CopyFrom(part)
            place.ClearField("URL")
            return bare if _PATH.match(place.directPath) else None
    return None


def _words(part: Any, path: str) -> str:
    for name in path.split(".") if path else ():
        part = getattr(part, name)
    return part if isinstance(part, str) else ""


def _refers_to(part: Any) -> tuple[str | None, str]:
    """The id of the quoted message, and the words of what the message hangs on: a quote, a status, an ad."""
    if (context := _context(part)) is None:
        return None, ""
    advert = context.externalAdReply
    quoted = read(context.quotedMessage) if context.stanzaID else None
    said = ""
    if quoted is not None:
        # What a product or a basket is, its context says in full.
        detail = "" if quoted.kind in (Media.PRODUCT, Media.ORDER) else quoted.detail
        said = _lines(quoted.text, detail, quoted.context)
    return context.stanzaID or None, _lines(said, advert.title, advert.body)


def _timer_s(part: Any) -> int | None:
    if "contextInfo" not in part.DESCRIPTOR.fields_by_name:
        return None
    return int(part.contextInfo.expiration)


def _context(part: Any) -> Any | None:
    if "contextInfo" not in part.DESCRIPTOR.fields_by_name or not part.HasField("contextInfo"):
        return None
    return part.contextInfo


def _file(part: Any) -> IncomingFile | None:
    """What the part says of its file; None when it has none (a sticker pack has many)."""
    fields = part.DESCRIPTOR.fields_by_name
    if "directPath" not in fields or "fileEncSHA256" not in fields or "mimetype" not in fields:
        return None
    return IncomingFile(
        mimetype=part.mimetype.split(";")[0].strip().lower() or "application/octet-stream",
        filename=part.fileName if "fileName" in fields else "",
        size_bytes=int(part.fileLength),
        view_once=bool(part.viewOnce) if "viewOnce" in fields else False,
    )


def _place(part: Any) -> str:
    name = _lines(getattr(part, "name", ""), getattr(part, "address", ""))
    return _lines(name, f"{_MAP}{part.degreesLatitude:.6f},{part.degreesLongitude:.6f}").replace("\n", ", ")


def _contact(part: Any) -> str:
    numbers = _WAID.findall(part.vcard) or _TELEPHONE.findall(part.vcard)
    numbers = [number.strip() if number.startswith("+") else f"+{number}" for number in numbers]
    return " ".join((part.displayName, *dict.fromkeys(numbers))).strip()


def _contacts(part: Any) -> str:
    return "; ".join(_contact(contact) for contact in part.contacts[:_MOST_CONTACTS])


def _seconds(part: Any) -> str:
    return f"{part.seconds} detik" if part.seconds else ""


_DETAILS: dict[str, Callable[[Any], str]] = {
    "AudioMessage": _seconds,
    "VideoMessage": _seconds,
    "DocumentMessage": lambda part: part.fileName or part.title,
    "LocationMessage": _place,
    "LiveLocationMessage": _place,
    "ContactMessage": _contact,
    "ContactsArrayMessage": _contacts,
    "PollCreationMessage": lambda part: " / ".join(option.optionName for option in part.options),
    "ProductMessage": lambda part: part.product.title,
    "OrderMessage": lambda part: _basket(part).replace("\n", ", "),
}


def _detail(part: Any) -> str:
    """What people see of it besides words: how long it is, its name, where it is, what can be chosen."""
    made = _DETAILS.get(type(part).__name__)
    return made(part) if made is not None else ""


def _about(part: Any) -> str:
    """The product or the order that the message itself shows, from the shop's catalogue on WhatsApp."""
    match type(part).__name__:
        case "ProductMessage":
            return _lines(part.product.title, part.product.description)
        case "OrderMessage":
            return _basket(part)
        case _:
            return ""


def _basket(part: Any) -> str:
    return _lines(part.orderTitle, f"{part.itemCount} barang" if part.itemCount else "")


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
