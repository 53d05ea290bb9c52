"""What a customer decides to buy, as codes of the supplied price lines and quantities.

The codes come from the passages that the request holds ("Name (kode X1): Rp10.000"); a thing that stands in
none of them is not ordered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.openai import intents
from sandbox.openai.conversation import Conversation, Source
from sandbox.openai.words import tokens

_NAMED = re.compile(r"\A(?P<name>[^\n:]{1,120}?)\s*\(kode\s+(?P<code>[^)\s]+)\)\s*:\s*Rp", re.IGNORECASE)
_DECIDES = re.compile(
    r"\b(?:pesan|pesen|order|beli|ambil|checkout|bungkus|tambah|pesenin|orderin|jadinya|jadi)\b",
    re.IGNORECASE,
)
# "Bisa pesan", "kalau beli", "cara order": nothing is decided yet.
_UNDECIDED = re.compile(
    r"\?|\b(?:bisa|bs|boleh|cara|caranya|kalau|kalo|klo|syarat|gimana|gmn|ga|gak|nggak|tidak|belum|minimal"
    r"|pernah|kemarin|tadi)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,;\n&+]|\b(?:dan|sama|plus)\b", re.IGNORECASE)
_QUANTITY = re.compile(
    r"\b(?:x(?P<after>\d{1,6})|(?P<before>\d{1,6})\s?(?:x|pcs|biji|buah|unit|lembar|loyang|kotak|bulan|roll|set)\b)",
    re.IGNORECASE,
)
_WORDS = {"satu": 1, "dua": 2, "tiga": 3, "empat": 4, "lima": 5, "enam": 6, "sepuluh": 10}
_EMPTY_TEXT = (
    "mau saya aku pesan pesen order beli ambil checkout bungkus tambah pesenin orderin jadi "
    "jadinya yang yg itu ini kak min dong ya deh aja saja paket tolong lagi juga x pcs biji "
    "buah unit lembar harganya harga rp konfirmasi"
)
_EMPTY = frozenset(_EMPTY_TEXT.split())
_SHARE = 0.6


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """One thing and how many of it; ``source`` is the passage that has it."""

    code: str
    quantity: int
    source: str


def ordered(conversation: Conversation) -> tuple[Ordered, ...]:
    """What the message decides to buy; empty for a question, and when a part of it is not for sale."""
    text = conversation.question
    if not _DECIDES.search(text) or _UNDECIDED.search(text) or intents.ASKING.search(text):
        return ()
    items = [(source, found) for source in conversation.sources if (found := _NAMED.match(source.text))]
    parts = [part for part in _BETWEEN.split(text) if part.strip()]
    wanted = [_one(part, items, conversation) for part in parts]
    return tuple(one for one in wanted if one is not None)


def _one(part: str, items: list[tuple[Source, re.Match[str]]], conversation: Conversation) -> Ordered | None:
    quantity = _QUANTITY.search(part)
    rest = _QUANTITY.sub(" ", part)
    words = [word for word in tokens(rest) if word not in _EMPTY]
    count = int(quantity["after"] or quantity["before"]) if quantity else None
    best: tuple[float, Source, re.Match[str]] | None = None
    for source, found in items:
        known = {*tokens(found["name"]), *tokens(found["code"]), found["code"].casefold()}
        left = [word for word in words if word not in known]
        share = 1 - len(left) / len(words) if words else 0.0
        if share >= _SHARE and (best is None or share > best[0]):
            best = (share, source, found)
    if best is None and not [word for word in words if not word.isdigit() and word not in _WORDS]:
        best = _spoken_of(items, conversation)
    if best is None:
        return None
    _, source, found = best
    if count is None:
        known = {*tokens(found["name"]), *tokens(found["code"])}
        loose = [word for word in words if word not in known]
        count = next((_WORDS.get(word) or int(word) for word in loose if word in _WORDS or word.isdigit()), 1)
    return Ordered(code=found["code"], quantity=count, source=source.id)


def _spoken_of(
    items: list[tuple[Source, re.Match[str]]], conversation: Conversation
) -> tuple[float, Source, re.Match[str]] | None:
    """The one thing that the last answer was about: "pesan 2 ya" names none."""
    said = next(
        (turn.text.casefold() for turn in reversed(conversation.turns) if turn.role == "assistant"), ""
    )
    about = [
        (1.0, source, found)
        for source, found in items
        if found["name"].casefold() in said or f"kode {found['code']}".casefold() in said
    ]
    return about[0] if len(about) == 1 else None
