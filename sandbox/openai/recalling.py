"""Finds what this customer, or the shop, said earlier: in recalled exchanges and in this chat."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.openai import intents
from sandbox.openai.conversation import Conversation, Source
from sandbox.openai.evidence import COVERED, Looked, look_up
from sandbox.openai.passages import Passage, analyse
from sandbox.openai.question import understand

# What the answer names as its source when it rests on the chat itself.
CONVERSATION = "percakapan"
_ENOUGH = 0.45
_ENOUGH_WHEN_SURE = 0.2
_UNKNOWN_SHARE = 0.2
_KIND_SHARE = 0.5
# What the question asks for, and what a message that tells it looks like.
_KINDS = (
    (
        re.compile(r"\b(?:berapa|brp|piro|jumlah)"),
        re.compile(r"\d|\b(?:satu|dua|tiga|empat|lima|enam|tujuh)\b"),
    ),
    (re.compile(r"\bkode|\bnomor|\bid\b"), re.compile(r"\b(?=\w*\d)[a-z\d-]{4,}\b")),
    (
        re.compile(r"\b(?:hari|kapan|tanggal)\b"),
        re.compile(r"\b(?:senin|selasa|rabu|kamis|jumat|sabtu|minggu|besok|lusa|tanggal|tgl)\b"),
    ),
    (re.compile(r"\bmana\b|\balamat"), re.compile(r"\b(?:di|jl|jalan|desa|kecamatan|perum\w*|kota)\b")),
    (re.compile(r"\b(?:siapa|nama)"), re.compile(r"\b(?:nama|atas nama|panggil)\b")),
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """Something that was said before. ``source`` is the recalled exchange, or the chat itself."""

    said: str
    source: str
    by_customer: bool = True


def recall(conversation: Conversation, question: str, *, sure: bool) -> Remembered | None:
    """What fits the question best; ``sure`` when it plainly asks after something said before."""
    said = list(_said(conversation, question))
    if not said:
        return None
    plain = intents.PAST.sub(" ", intents.SAID.sub(" ", question))
    passages = [analyse(Source(id="", title="", text=one.said)) for one in said]
    asked = look_up(understand(plain), passages)
    total = sum(looked.weight * (1 if looked.known else _UNKNOWN_SHARE) for looked in asked)
    # Between equal fits the later one wins: it is what was said last.
    scores = [
        sum(looked.weight * _covers(looked, passage) for looked in asked)
        + _KIND_SHARE * _kinds(question, one)
        for passage, one in zip(passages, said, strict=True)
    ]
    best = max(range(len(said)), key=lambda at: (scores[at], at))
    if total and scores[best] < (_ENOUGH_WHEN_SURE if sure else _ENOUGH) * total:
        return None
    if not sure and (not total or intents.ASKING.search(said[best].said)):
        return None
    return said[best]


def _kinds(question: str, one: Remembered) -> int:
    """How many of the kinds of thing that are asked for it tells."""
    asked, told = question.lower(), one.said.lower()
    return sum(wanted.search(asked) is not None and kind.search(told) is not None for wanted, kind in _KINDS)


def _covers(looked: Looked, passage: Passage) -> float:
    if not looked.forms.isdisjoint(passage.forms):
        return 1.0
    return COVERED if not looked.concepts.isdisjoint(passage.concepts) else 0.0


def _said(conversation: Conversation, question: str) -> Iterable[Remembered]:
    """Recalled exchanges first, then this chat; the shop's own words only when they are asked for."""
    for source in conversation.sources:
        if source.remembered:
            yield Remembered(_customer_part(source.text), source.id)
    of_shop = intents.SHOP_SAID.search(question) is not None
    for turn in conversation.turns:
        if turn.text.strip() != question.strip() and (of_shop or turn.role == "user"):
            yield Remembered(turn.text, CONVERSATION, by_customer=turn.role == "user")


def _customer_part(text: str) -> str:
    """The customer's side of a recalled exchange ("Pelanggan: ..." up to "Balasan: ...")."""
    said = text.split("\nBalasan:", 1)[0]
    return said.removeprefix("Pelanggan:").strip()
