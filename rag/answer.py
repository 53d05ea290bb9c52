"""The model's answer, pure: read it, check it against its sources, bring it into WhatsApp's form.

The model may only say what its sources say. Whatever fails a check is not sent; the conversation then
falls back to an FAQ entry, word for word, or to an honest fixed text with a person behind it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto

from billing.rupiah import amounts_in
from rag.characters import readable
from rag.foreign_money import foreign_amounts_in
from rag.normalise import normalise
from rag.promises import promises
from rag.prompt import Prompt

# One bubble reads well up to about here; beyond it the text is cut at a sentence.
MAX_ANSWER_CHARS = 900


class Verdict(Enum):
    """What may be done with the model's answer."""

    SEND = auto()  # every check passed
    ORDER = auto()  # the customer wants to buy: code reads back what ``order`` names, the text is not sent
    UNANSWERABLE = auto()  # the model says that its sources do not answer this
    HUMAN = auto()  # the model says that a person is needed
    REJECTED = auto()  # a check failed; ``reason`` says which


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """So many of a code, as the model proposes it: neither is checked against the price list yet."""

    code: str
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedAnswer:
    """The verdict on an answer; ``text`` is ready to send only when the verdict is SEND."""

    verdict: Verdict
    text: str = ""
    source_ids: tuple[str, ...] = ()
    reason: str = ""
    order: tuple[Wanted, ...] = ()


_FORBIDDEN = ("sebagai ai", "model bahasa", "berdasarkan informasi yang tersedia", "terjadi kesalahan sistem")

_LINK = re.compile(r"\[([^\]\n]+)\]\((https?://[^)\s]+)\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
_GAP = re.compile(r"\n{3,}")
_BULLET = re.compile(r"^[ \t]*[*•][ \t]+", re.MULTILINE)
# Not after "Jl.", "No." or the number of a list's item.
_SENTENCE_END = re.compile(r"(?<!\bJl)(?<!\bNo)(?<!\d)[.!?…](?=\s)")


def check(content: str, prompt: Prompt, *, canary: str) -> CheckedAnswer:
    """Judge the model's raw content against the prompt that it answers."""
    fields = _read(content)
    if fields is None:
        return _rejected("not the agreed JSON")
    text, source_ids, answerable, needs_human, order = fields
    if canary in text:
        return _rejected("leaks the prompt")
    if needs_human:
        return CheckedAnswer(verdict=Verdict.HUMAN)
    wants = CheckedAnswer(verdict=Verdict.ORDER, order=order)
    if any(_is_given(wanted.code, prompt) for wanted in order):
        return wants
    # Small models fill the list in for mere questions too, with codes that they invent. What they say may
    # still be a good answer; only when it is none do the codes count, and are refused by the price list.
    if not answerable:
        return wants if order else CheckedAnswer(verdict=Verdict.UNANSWERABLE)
    text = whatsapp_text(text)
    problem = _problem(text, source_ids, prompt)
    if problem is not None:
        return wants if order else _rejected(problem)
    return CheckedAnswer(verdict=Verdict.SEND, text=text, source_ids=source_ids)


def _is_given(code: str, prompt: Prompt) -> bool:
    """Whether the sources name the code, as a word of its own: the model is told to write no other."""
    code = code.strip()
    # Numbers stand in many sources and mean something else there.
    before = r"\bkode\s+" if code.isdigit() else r"(?<!\w)"
    pattern = rf"{before}{re.escape(code)}(?!\w)"
    return bool(code) and re.search(pattern, prompt.source_text, re.IGNORECASE) is not None


def _problem(text: str, source_ids: tuple[str, ...], prompt: Prompt) -> str | None:
    if not text:
        return "empty"
    if not source_ids:
        return "names no source"
    unknown = [source for source in source_ids if source not in prompt.source_ids]
    if unknown:
        return f"names sources that it was not given: {', '.join(unknown[:3])}"
    # The sources are long and most answers name no amount, so they are read only when one does.
    named = set(amounts_in(text))
    if named and not named <= set(amounts_in(prompt.source_text)):
        return "names an amount of money that no source has"
    foreign = foreign_amounts_in(text)
    if foreign and not foreign <= foreign_amounts_in(prompt.source_text):
        return "names an amount of foreign money that no source has"
    if promises(text, prompt.stated_text):
        return "promises a person or an action"
    plain = normalise(text)
    if any(phrase in plain for phrase in _FORBIDDEN):
        return "speaks like a machine"
    return None


def whatsapp_text(text: str) -> str:
    """Markdown turned into what WhatsApp shows, cut at a sentence when it is much too long."""
    text = _LINK.sub(r"\1: \2", readable(text).strip())
    text = _BOLD.sub(r"*\1*", text)
    text = _HEADING.sub("", text)
    text = _BULLET.sub("- ", text)
    text = _GAP.sub("\n\n", text)
    if len(text) <= MAX_ANSWER_CHARS:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text[: MAX_ANSWER_CHARS + 1])]
    if ends and ends[-1] >= MAX_ANSWER_CHARS // 3:
        return text[: ends[-1]]
    # One endless sentence: better a cut one than only the greeting before it.
    return text[: MAX_ANSWER_CHARS - 1].rstrip() + "…"


_Fields = tuple[str, tuple[str, ...], bool, bool, tuple[Wanted, ...]]
# A longer list is no order that anybody gives in a chat.
_MOST_WANTED = 20


def _read(content: str) -> _Fields | None:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    text, sources = data.get("answer"), data.get("source_ids")
    answerable, needs_human = data.get("answerable"), data.get("needs_human")
    if not isinstance(text, str) or not isinstance(sources, list):
        return None
    if not isinstance(answerable, bool) or not isinstance(needs_human, bool):
        return None
    if not all(isinstance(source, str) for source in sources):
        return None
    order = _order(data.get("order"))
    if order is None:
        return None
    return text, tuple(dict.fromkeys(sources)), answerable, needs_human, order


def _order(given: object) -> tuple[Wanted, ...] | None:
    """The proposed codes and quantities; None when it is no such list. Some servers leave it out."""
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > _MOST_WANTED:
        return None
    found = []
    for entry in given:
        code, quantity = (
            (entry.get("code"), entry.get("quantity")) if isinstance(entry, dict) else (None, None)
        )
        if not isinstance(code, str) or not isinstance(quantity, int) or isinstance(quantity, bool):
            return None
        found.append(Wanted(code=code, quantity=quantity))
    return tuple(found)


def _rejected(reason: str) -> CheckedAnswer:
    return CheckedAnswer(verdict=Verdict.REJECTED, reason=reason)
