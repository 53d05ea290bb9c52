"""From raw inbox rows to what the customer said: parsed, cleaned, a burst joined into one thought."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from bot.channel import SIGNS, IncomingMessage, Media, Sign
from rag.characters import readable

# What a person can read in a chat; anything longer is answered with the request to be shorter.
MAX_CHARS = 4_000
MAX_NAME_CHARS = 60
# A file's name or a place with its link, in the line that says what somebody sent.
MAX_DETAIL_CHARS = 200
# What a message refers to by itself (an ad, a quoted text) helps, but must not crowd out the message.
MAX_CONTEXT_CHARS = 600


_NAMES = {
    Media.IMAGE: "foto",
    Media.VIDEO: "video",
    Media.AUDIO: "voice note",
    Media.DOCUMENT: "berkas",
    Media.STICKER: "stiker",
    Media.LOCATION: "lokasi",
    Media.CONTACT: "kontak",
    Media.POLL: "polling",
    Media.PRODUCT: "produk dari katalog",
    Media.ORDER: "keranjang dari katalog",
    Media.OTHER: "kiriman",
}
# Kinds whose detail says what the words beside it are about.
_TELLING = frozenset((Media.LOCATION, Media.CONTACT, Media.POLL))


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """Everything that one burst says.

    ``messages`` are those that are left of it, oldest first, with their newest words: what was edited or
    taken back within the burst is that already. ``parts`` are their cleaned texts, ``message_rows`` their
    rows.
    ``signs`` are about earlier messages; ``revoked`` are rows of the burst whose message was taken back.
    ``rows`` are all of them. ``head`` is the first message as it came.
    """

    rows: tuple[Row[Any], ...]
    head: IncomingMessage
    messages: tuple[IncomingMessage, ...]
    message_rows: tuple[Row[Any], ...]
    parts: tuple[str, ...]
    signs: tuple[tuple[Row[Any], IncomingMessage], ...] = ()
    revoked: tuple[Row[Any], ...] = ()

    @property
    def last(self) -> IncomingMessage:
        return self.messages[-1] if self.messages else self.head

    @property
    def row_ids(self) -> list[int]:
        return [row.id for row in self.rows]

    @property
    def message_ids(self) -> tuple[str, ...]:
        return tuple(message.message_id for message in self.messages)

    @property
    def text(self) -> str:
        return "\n".join(part for part in self.parts if part)

    @property
    def shown(self) -> str:
        """The words, and for something more than words what it is, as people would name it."""
        return "\n".join(filter(None, map(shown, self.messages, self.parts)))

    @property
    def media(self) -> Media | None:
        """The kind of the newest message that is more than text; None when all are words."""
        kinds = [Media(message.kind) for message in self.messages if message.kind in _NAMES]
        return kinds[-1] if kinds else None

    @property
    def context(self) -> str:
        found = [
            clean(context)
            for message in self.messages
            # A place, a contact and the choices of a poll are what the words beside them are about.
            for context in (message.context, message.detail if message.kind in _TELLING else "")
            if context
        ]
        return "\n".join(dict.fromkeys(found))[:MAX_CONTEXT_CHARS]

    @property
    def reactions(self) -> tuple[IncomingMessage, ...]:
        """Emoji on earlier messages: the emoji is the text, the message ``quoted_id``."""
        return tuple(sign for _, sign in self.signs if sign.kind == Sign.REACTION)

    @property
    def timer_s(self) -> int | None:
        """The chat's timer for messages that disappear, as the newest message says that says it."""
        told = [message.timer_s for message in self.messages if message.timer_s is not None]
        told += [sign.timer_s for _, sign in self.signs if sign.timer_s is not None]
        return told[-1] if told else None


def shown(message: IncomingMessage, text: str) -> str:
    """One message as people would tell of it: "(voice note, 12 detik)", "(foto) ini ready kak?"."""
    if message.kind not in _NAMES:
        return text
    detail = clean_line(message.detail, most=MAX_DETAIL_CHARS)
    about = ", ".join(filter(None, (_NAMES[Media(message.kind)], detail)))
    return f"({about}) {text}".strip()


def is_file(shown_text: str) -> bool:
    """Whether this is how ``shown`` names something more than words, and nothing else."""
    inside = shown_text.removeprefix("(").removesuffix(")")
    named = any(inside == name or inside.startswith(f"{name}, ") for name in _NAMES.values())
    return named and shown_text == f"({inside})"


def media_name(kind: Media) -> str:
    """What people call it."""
    return _NAMES[kind]


def clean(text: str) -> str:
    """The text without control and bidirectional characters, in one Unicode form; newlines stay."""
    # Composed last: a removed character may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", readable(text, keep="\n\t")).strip()


def clean_name(name: str | None) -> str | None:
    """A profile name as it may be shown to the owner: one short line, or None when nothing is left of it.

    Customers choose it freely; a line break in it could make a notice say what the bot never said.
    """
    return clean_line(name or "", most=MAX_NAME_CHARS) or None


def clean_line(text: str, *, most: int) -> str:
    """The text as one clean line of at most so many characters."""
    return " ".join(clean(text).split())[:most].strip()


def join(rows: Sequence[Row[Any]], messages: Sequence[IncomingMessage]) -> Said:
    """The burst as one utterance: later edits and deletions are made in what they are about."""
    spoken: dict[str, tuple[Row[Any], IncomingMessage]] = {}
    signs: list[tuple[Row[Any], IncomingMessage]] = []
    revoked: list[Row[Any]] = []
    for row, message in zip(rows, messages, strict=True):
        about = spoken.get(message.quoted_id or "")
        if message.kind == Sign.EDIT and about is not None:
            spoken[about[1].message_id] = (about[0], replace(about[1], text=message.text))
        elif message.kind == Sign.REVOKE and about is not None:
            revoked.append(spoken.pop(about[1].message_id)[0])
        elif message.kind in SIGNS:
            signs.append((row, message))
        else:
            spoken[message.message_id] = (row, message)
    left = tuple(message for _, message in spoken.values())
    return Said(
        rows=tuple(rows),
        head=messages[0],
        messages=left,
        message_rows=tuple(row for row, _ in spoken.values()),
        parts=tuple(clean(message.text) for message in left),
        signs=tuple(signs),
        revoked=tuple(revoked),
    )
