"""What people send each other: WhatsApp's message made from words, and words made from a message."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sandbox.whatsapp.jid import Jid
from sandbox.whatsapp.media import Sealed
from sandbox.whatsapp.protos import E2E

# Fields of E2E.Message that say what kind a message is, with our word for it.
_KINDS = {
    "conversation": "text",
    "extendedTextMessage": "text",
    "imageMessage": "image",
    "videoMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
    "locationMessage": "location",
    "liveLocationMessage": "location",
    "contactMessage": "contact",
    "contactsArrayMessage": "contact",
    "reactionMessage": "reaction",
}
# What stands beside a message, or comes before the first one of a group, and is none itself.
_KEY_FIELDS = {"senderKeyDistributionMessage", "messageContextInfo"}
_WRAPPERS = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "documentWithCaptionMessage",
    "editedMessage",
)
# The stanza's word for a media message, by field.
_MEDIA_TYPES = {
    "imageMessage": "image",
    "videoMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
    "contactMessage": "vcard",
    "productMessage": "product",
    "orderMessage": "order",
}

_FILE_FIELDS = {
    "image": "imageMessage",
    "video": "videoMessage",
    "audio": "audioMessage",
    "voice": "audioMessage",
    "sticker": "stickerMessage",
    "document": "documentMessage",
}

Message = Any


@dataclass(frozen=True, kw_only=True)
class Received:
    """One message as a phone shows it."""

    id: str
    # text, image, video, audio, document, sticker, location, contact, reaction, edit, revoke, other
    kind: str
    # The words in it: the text, a caption, a reaction's emoji, an edit's new text; empty when there are none.
    text: str
    message: Message
    # Who sent it, with the device, and the chat it belongs to.
    sender: Jid
    chat: Jid
    # When the server took it, Unix milliseconds.
    sent_ms: int
    # The message that an edit, a revocation, a reaction or a reply is about.
    about: str = ""

    @classmethod
    def now(cls, message_id: str, message: Message, *, sender: Jid, chat: Jid, sent_ms: int = 0) -> Received:
        """The message as it is shown; sent just now unless it is said when."""
        kind, words, about = description(message)
        return cls(
            id=message_id,
            kind=kind,
            text=words,
            message=message,
            sender=sender,
            chat=chat,
            sent_ms=sent_ms or time.time_ns() // 1_000_000,
            about=about,
        )


def text(words: str) -> Message:
    return E2E.Message(conversation=words)


def reply(words: str, *, to: Received) -> Message:
    """An answer that quotes the message it answers."""
    made = E2E.Message()
    made.extendedTextMessage.text = words
    context = made.extendedTextMessage.contextInfo
    context.stanzaID = to.id
    context.participant = str(to.sender.account)
    context.quotedMessage.CopyFrom(to.message)
    return made


def disappearing(words: str, timer_s: int) -> Message:
    """Words in a chat whose messages disappear after so many seconds."""
    made = E2E.Message()
    made.extendedTextMessage.text = words
    made.extendedTextMessage.contextInfo.expiration = timer_s
    return made


def timer(timer_s: int) -> Message:
    """The chat's messages disappear after so many seconds from now on; 0: never."""
    made = E2E.Message()
    made.protocolMessage.type = E2E.ProtocolMessage.EPHEMERAL_SETTING
    made.protocolMessage.ephemeralExpiration = timer_s
    return made


def wrapped(message: Message, field: str) -> Message:
    """The message in a wrapping: ``viewOnceMessage``, ``viewOnceMessageV2`` or ``ephemeralMessage``."""
    made = E2E.Message()
    getattr(made, field).message.CopyFrom(message)
    return made


def button_reply(words: str) -> Message:
    """A tap on a button."""
    made = E2E.Message()
    made.buttonsResponseMessage.selectedButtonID = "1"
    made.buttonsResponseMessage.selectedDisplayText = words
    return made


def template_reply(words: str) -> Message:
    """A tap on a button of a template."""
    made = E2E.Message()
    made.templateButtonReplyMessage.selectedID = "1"
    made.templateButtonReplyMessage.selectedDisplayText = words
    return made


def list_reply(words: str) -> Message:
    """A line that was chosen in a list."""
    made = E2E.Message()
    made.listResponseMessage.title = words
    made.listResponseMessage.singleSelectReply.selectedRowID = "1"
    return made


def poll(question: str, choices: tuple[str, ...]) -> Message:
    made = E2E.Message()
    made.pollCreationMessageV3.name = question
    made.pollCreationMessageV3.selectableOptionsCount = 1
    for choice in choices:
        made.pollCreationMessageV3.options.add().optionName = choice
    return made


def vote(poll_id: str, *, chat: Jid) -> Message:
    """A vote, which only whoever asked can read."""
    made = E2E.Message()
    _point(made.pollUpdateMessage.pollCreationMessageKey, poll_id, chat, from_me=True)
    made.pollUpdateMessage.vote.encPayload = b"\x00" * 32
    made.pollUpdateMessage.vote.encIV = b"\x00" * 12
    return made


def album(pictures: int, *, to: Received | None = None) -> Message:
    """Announces the pictures that follow, and quotes for all of them the message that they answer."""
    made = E2E.Message()
    made.albumMessage.expectedImageCount = pictures
    if to is not None:
        context = made.albumMessage.contextInfo
        context.stanzaID = to.id
        context.participant = str(to.sender.account)
        context.quotedMessage.CopyFrom(to.message)
    return made


def file(
    kind: str,
    sealed: Sealed,
    path: str,
    *,
    mime: str,
    caption: str = "",
    name: str = "",
    timer_s: int = 0,
) -> Message:
    """A file that lies on the media host: image, video, audio, voice (a voice note), sticker or document."""
    made = E2E.Message()
    inner = getattr(made, _FILE_FIELDS[kind])
    inner.directPath = path
    inner.mediaKey = sealed.key
    inner.fileSHA256 = sealed.plain_hash
    inner.fileEncSHA256 = sealed.sealed_hash
    inner.fileLength = sealed.length
    inner.mimetype = mime
    if caption:
        inner.caption = caption
    if name:
        inner.fileName = name
    if kind == "voice":
        inner.PTT = True
    if timer_s:
        inner.contextInfo.expiration = timer_s
    return made


def file_in(message: Message) -> tuple[str, Any]:
    """The kind of a message's file (as `media` names it) and what says where it lies. Raises ValueError."""
    inner = unwrapped(message)
    for kind, field in _FILE_FIELDS.items():
        if kind != "voice" and inner.HasField(field):
            return kind, getattr(inner, field)
    raise ValueError("there is no file in this message")


def about(message: Message, to: Received) -> Message:
    """The file's message as an answer that quotes another one."""
    _, part = file_in(message)
    part.contextInfo.stanzaID = to.id
    part.contextInfo.participant = str(to.sender.account)
    part.contextInfo.quotedMessage.CopyFrom(to.message)
    return message


def reaction(emoji: str, *, to: Received) -> Message:
    made = E2E.Message()
    _point(made.reactionMessage.key, to.id, to.chat, from_me=False)
    made.reactionMessage.text = emoji
    return made


def location(latitude: float, longitude: float, name: str = "") -> Message:
    made = E2E.Message()
    made.locationMessage.degreesLatitude = latitude
    made.locationMessage.degreesLongitude = longitude
    if name:
        made.locationMessage.name = name
    return made


def contact(name: str, number: str) -> Message:
    made = E2E.Message()
    made.contactMessage.displayName = name
    made.contactMessage.vcard = f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nTEL;waid={number}:+{number}\nEND:VCARD"
    return made


def edit(message_id: str, words: str, *, chat: Jid) -> Message:
    """New words for a message that one sent oneself."""
    made = E2E.Message()
    protocol = made.editedMessage.message.protocolMessage
    _point(protocol.key, message_id, chat, from_me=True)
    protocol.type = E2E.ProtocolMessage.MESSAGE_EDIT
    protocol.editedMessage.conversation = words
    return made


def revocation(message_id: str, *, chat: Jid) -> Message:
    """Takes back a message that one sent oneself."""
    made = E2E.Message()
    _point(made.protocolMessage.key, message_id, chat, from_me=True)
    made.protocolMessage.type = E2E.ProtocolMessage.REVOKE
    return made


def _point(key: Any, message_id: str, chat: Jid, *, from_me: bool) -> None:
    key.ID = message_id
    key.remoteJID = str(chat.account)
    key.fromMe = from_me


def unwrapped(message: Message) -> Message:
    """The message inside its wrappings (disappearing, view once, edited)."""
    for name in _WRAPPERS:
        if message.HasField(name):
            return unwrapped(getattr(message, name).message)
    return message


def description(message: Message) -> tuple[str, str, str]:
    """Kind, words, and the id of the message that it is about."""
    if message.conversation:
        return "text", message.conversation, ""
    inner = unwrapped(message)
    if inner.HasField("protocolMessage"):
        return _protocol(inner.protocolMessage)
    for field, value in inner.ListFields():
        kind = _KINDS.get(field.name)
        if kind is None:
            continue
        if field.name == "conversation":
            return kind, value, ""
        if kind == "reaction":
            return kind, value.text, value.key.ID
        words = getattr(value, "text", "") or getattr(value, "caption", "") or getattr(value, "name", "")
        context = getattr(value, "contextInfo", None)
        return kind, words, context.stanzaID if context is not None else ""
    return "other", "", ""


def is_key_alone(message: Message) -> bool:
    """Whether the message only hands over the key of a group."""
    return all(field.name in _KEY_FIELDS for field, _ in message.ListFields())


def _protocol(protocol: Any) -> tuple[str, str, str]:
    if protocol.type == E2E.ProtocolMessage.REVOKE:
        return "revoke", "", protocol.key.ID
    if protocol.type == E2E.ProtocolMessage.MESSAGE_EDIT:
        return "edit", description(protocol.editedMessage)[1], protocol.key.ID
    return "other", "", ""


def stanza_type(message: Message) -> str:
    """What the server may know of a message: ``text``, ``media`` or ``reaction``."""
    inner = unwrapped(message)
    if inner.HasField("reactionMessage"):
        return "reaction"
    return "media" if media_type(inner) else "text"


def media_type(message: Message) -> str:
    """The server's word for the medium; empty for none."""
    for field, value in unwrapped(message).ListFields():
        word = _MEDIA_TYPES.get(field.name)
        if word is not None:
            return "ptt" if word == "audio" and value.PTT else word
    return ""
