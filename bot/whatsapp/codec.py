"""Message events between neonize's bytes and ours: what is recorded, and how a recorded row is read. Pure.

The bytes are stored as they came, so that a later version may read more out of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import DecodeError
from sqlalchemy import Row

from bot import firstrun
from bot.channel import OWN, IncomingFile, IncomingMessage, Sign, Unreadable
from bot.posts import POST, POSTS
from bot.whatsapp import content, jids
from store.customers import Address
from store.inbox import RawEvent

# neonize's message event, protobuf `neonize.Message`.
CODEC = "neonize/1"
# A group's message that makes it the owner's room.
ROOM_CODE = firstrun.ROOM_CODE
# What the shop's people do to their own messages that changes what a customer was told.
_MENDED = frozenset((Sign.EDIT.value, Sign.REVOKE.value))
# What is a word in the owner's room: a thumb on a notice, and pictures behind one.
_HEARD_IN_THE_ROOM = frozenset((Sign.REACTION.value, Sign.ALBUM.value))


def to_record(raw: bytes, *, account: str, room: str | None, code: str | None = None) -> RawEvent | None:
    """The row to commit for a message event; None for what concerns no shop: groups, status, keys.

    ``room`` is the owner's room, the only group that is read; ``code`` is what makes another one the room:
    a message that is nothing else is taken from any group. Raises ``DecodeError`` for bytes that are no such
    event.
    """
    event = _event(raw)
    source = event.Info.MessageSource
    chat = _chat(source, room)
    posted = source.Chat.Server == jids.BROADCASTS and source.IsFromMe
    is_foreign_group = source.Chat.Server not in jids.PRIVATE and chat != room and not posted
    if is_foreign_group and (code is None or source.Chat.Server != jids.GROUPS):
        return None
    said = content.read(event.Message)
    if said is None:
        said = content.sign(event.Message)
        # Elsewhere the shop's own people change what they wrote, and an album is no more than its pictures.
        unheard = said is not None and (
            said.kind not in _HEARD_IN_THE_ROOM
            if chat == room
            else said.kind == Sign.ALBUM or (bool(source.IsFromMe) and (posted or said.kind not in _MENDED))
        )
        if said is None or unheard:
            return None
    if is_foreign_group and not firstrun.is_code(said.text, code):
        return None
    if posted:
        return RawEvent(
            account=account,
            chat=POSTS,
            lane=f"{OWN} {POSTS}",
            sender=OWN,
            message_id=event.Info.ID,
            kind=POST,
            codec=CODEC,
            raw=raw,
        )
    # In the owner's room it makes no difference from which phone he writes.
    own = bool(source.IsFromMe) and chat != room and not is_foreign_group
    return RawEvent(
        account=account,
        chat=chat,
        lane=f"{OWN} {chat}" if own else chat,
        sender=OWN if own else jids.written(source.Sender),
        message_id=event.Info.ID,
        # Their edits and deletions keep their kind; the sender says whose they are.
        kind=ROOM_CODE if is_foreign_group else OWN if own and said.kind not in _MENDED else said.kind,
        codec=CODEC,
        raw=raw,
    )


def parse(row: Row[Any]) -> IncomingMessage:
    """A recorded row as the conversation reads it; raises ``Unreadable``."""
    if row.codec != CODEC:
        raise Unreadable(f"row {row.id} was written by another channel ({row.codec})")
    try:
        event = _event(bytes(row.raw))
    except DecodeError as exc:
        raise Unreadable(f"row {row.id} holds no message event") from exc
    said = content.read(event.Message) or content.sign(event.Message)
    if said is None:
        raise Unreadable(f"row {row.id} holds no message to anybody")
    source = event.Info.MessageSource
    own = row.sender == OWN
    # In what the shop wrote itself the customer is the one whose chat it is.
    alternative = source.RecipientAlt if own else source.SenderAlt
    person = jids.addresses(source.Chat if own else source.Sender, alternative, source.Chat)
    return IncomingMessage(
        chat=row.chat,
        sender=row.sender,
        message_id=row.message_id,
        kind=row.kind,
        text=said.text,
        addresses=person,
        name=None if own else (event.Info.Pushname or None),
        quoted_id=said.quoted_id,
        context=said.context,
        sent_ms=event.Info.Timestamp or None,
        detail=said.detail,
        file=_seen_once(said.file, event),
        timer_s=said.timer_s,
        own=own,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Undecryptable:
    """A message that came and could not be read, from a customer or (``own``) from the shop's own phone."""

    chat: str
    message_id: str
    addresses: tuple[Address, ...]
    name: str | None
    sent_ms: int | None
    own: bool


def undecryptable(raw: bytes, *, room: str | None) -> Undecryptable | None:
    """An event of neonize's (protobuf `neonize.UndecryptableMessage`); None where nobody waits for an answer.

    Its sender marks what people would not miss, such as a vote or a reaction. Raises ``DecodeError``.
    """
    from neonize.proto import Neonize_pb2

    event = Neonize_pb2.UndecryptableMessage.FromString(raw)
    source, chat = event.Info.MessageSource, _chat(event.Info.MessageSource, room)
    hidden = event.DecryptFailMode == Neonize_pb2.UndecryptableMessage.DECRYPT_FAIL_HIDE
    if hidden or source.Chat.Server not in jids.PRIVATE or chat == room:
        return None
    own = bool(source.IsFromMe)
    alternative = source.RecipientAlt if own else source.SenderAlt
    addresses = jids.addresses(source.Chat if own else source.Sender, alternative, source.Chat)
    return Undecryptable(
        chat=chat,
        message_id=event.Info.ID,
        addresses=addresses,
        name=None if own else (event.Info.Pushname or None),
        sent_ms=event.Info.Timestamp or None,
        own=own,
    )


def file_in(row: Row[Any]) -> Any:
    """The message of a recorded row, with its file and nothing else, to be fetched.

    Raises ``Unreadable`` when there is none in it that lies on WhatsApp's hosts.
    """
    try:
        found = content.file_part(_event(bytes(row.raw)).Message)
    except DecodeError as exc:
        raise Unreadable(f"row {row.id} holds no message event") from exc
    if found is None:
        raise Unreadable(f"row {row.id} brought no file that could be fetched")
    return found


def _seen_once(file: IncomingFile | None, event: Any) -> IncomingFile | None:
    """The file, marked when its message may be looked at only once: the mark is the wrapper's, or its own."""
    wrapped = event.IsViewOnce or event.IsViewOnceV2 or event.IsViewOnceV2Extension
    return replace(file, view_once=True) if file is not None and wrapped else file


def _chat(source: Any, room: str | None) -> str:
    """Where the answer goes. The owner's room is one chat, whichever of its addresses a message names."""
    known = {jids.written(source.Chat)}
    if not source.IsGroup:
        other = source.RecipientAlt if source.IsFromMe else source.SenderAlt
        known |= {f"{user}@{server}" for server, user in jids.addresses(other)}
        if source.IsFromMe and source.Chat.User == source.Sender.User:
            # Notes to oneself: who wrote them is also the one whose chat it is.
            known |= {f"{user}@{server}" for server, user in jids.addresses(source.SenderAlt)}
    return room if room is not None and room in known else jids.written(source.Chat)


def _event(raw: bytes) -> Any:
    from neonize.proto import Neonize_pb2

    return Neonize_pb2.Message.FromString(raw)
