"""From raw inbox rows to what the customer said: parsed, cleaned, a burst joined into one thought."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from bot.channel import IncomingMessage, Media
from rag.characters import readable

# What a person can read in a chat; anything longer is answered with the request to be shorter.
MAX_CHARS = 4_000
MAX_NAME_CHARS = 60
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """Everything that one burst says. ``parts`` are its messages' cleaned texts, oldest first."""

    rows: tuple[Row[Any], ...]
    messages: tuple[IncomingMessage, ...]
    parts: tuple[str, ...]

    @property
    def last(self) -> IncomingMessage:
        return self.messages[-1]

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
        """The words, or for something without words what it is, as people would name it."""
        return self.text or (f"({_NAMES[self.media]})" if self.media is not None else "")

    @property
    def media(self) -> Media | None:
        """The kind of the newest message that is more than text; None when all are words."""
        kinds = [Media(message.kind) for message in self.messages if message.kind in _NAMES]
        return kinds[-1] if kinds else None

    @property
    def context(self) -> str:
        found = [clean(message.context) for message in self.messages if message.context]
        return "\n".join(dict.fromkeys(found))[:MAX_CONTEXT_CHARS]


def clean(text: str) -> str:
    """The text without control and bidirectional characters, in one Unicode form; newlines stay."""
    # Composed last: a removed character may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", readable(text, keep="\n\t")).strip()


def clean_name(name: str | None) -> str | None:
    """A profile name as it may be shown to the owner: one short line, or None when nothing is left of it.

    Customers choose it freely; a line break in it could make a notice say what the bot never said.
    """
    return " ".join(clean(name or "").split())[:MAX_NAME_CHARS].strip() or None


def join(rows: Sequence[Row[Any]], messages: Sequence[IncomingMessage]) -> Said:
    """The burst as one utterance."""
    parts = tuple(clean(message.text) for message in messages)
    return Said(rows=tuple(rows), messages=tuple(messages), parts=parts)
