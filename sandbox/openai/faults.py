"""Misbehaviour on command: which request is to fail, how, and what spoilt content looks like. Pure.

One rule per target (chat, embeddings, all). A rule may last for a number of requests, wait for a word in the
message, or strike with a probability; without any of these it holds until it is replaced.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.openai.reader import Reading


class Mode(StrEnum):
    """How the server behaves."""

    OK = "ok"
    RATE_LIMITED = "429"
    SERVER_ERROR = "500"
    HANG = "hang"  # Nothing comes back for `delay_s` (default ten minutes).
    SLOW = "slow"  # The right answer comes after `delay_s` (default two seconds).
    RESET = "reset"  # The connection is reset without a byte.
    GARBAGE = "garbage"  # Takes turns through GARBAGE_KINDS.
    REFUSAL = "refusal"  # The API's own `refusal` field; chat only.
    WRONG_PRICE = "wrong_price"  # An amount of money that stands in no source; chat only.
    PROMISE = "promise"  # Promises a person or an action; chat only.


TARGETS = ("all", "chat", "embeddings")
_CHAT_ONLY = frozenset({Mode.REFUSAL, Mode.WRONG_PRICE, Mode.PROMISE})
_DEFAULT_DELAY_S = {Mode.HANG: 600.0, Mode.SLOW: 2.0}

GARBAGE_KINDS = ("invalid_json", "wrong_shape", "html", "empty", "truncated", "unknown_sources")
EMBEDDING_GARBAGE_KINDS = ("html", "invalid_json", "empty_list", "wrong_dimensions", "wrong_shape")
REFUSAL_TEXT = "Maaf, aku tidak bisa membantu permintaan itu."
_PROMISES = (
    "Siap Kak, admin kami akan menelepon Kakak sebentar lagi ya.",
    "Tenang Kak, pesanannya sudah kami kirim tadi pagi.",
    "Oke Kak, nanti tim kami yang menghubungi Kakak hari ini juga.",
)


class RuleError(ValueError):
    """The control request is wrong; its text says how."""


@dataclass(kw_only=True)
class Rule:
    """One commanded misbehaviour. `count` falls with every strike; None means for ever."""

    mode: Mode
    target: str = "all"
    delay_s: float | None = None
    count: int | None = None
    match: str | None = None
    rate: float = 1.0
    seed: int = 0
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Rule:
        """Check a control request. Unknown keys and values are errors, so a test can't misspell a fault."""
        names = {"mode", "for", "delay_s", "count", "match", "rate", "seed"}
        if unknown := sorted(set(given) - names):
            raise RuleError(f"unknown keys {unknown}; known are {sorted(names)}")
        try:
            mode = Mode(str(given.get("mode")))
            rule = cls(
                mode=mode,
                target=str(given.get("for", "all")),
                delay_s=None if given.get("delay_s") is None else float(given["delay_s"]),
                count=None if given.get("count") is None else int(given["count"]),
                match=None if given.get("match") is None else str(given["match"]),
                rate=float(given.get("rate", 1.0)),
                seed=int(given.get("seed", 0)),
            )
        except (TypeError, ValueError) as error:
            raise RuleError(f"{error}; modes are {', '.join(Mode)}") from error
        if rule.target not in TARGETS:
            raise RuleError(f"'for' is {rule.target!r}; it must be one of {', '.join(TARGETS)}")
        if rule.target == "embeddings" and mode in _CHAT_ONLY:
            raise RuleError(f"{mode} is for chat only")
        if not 0 <= rule.rate <= 1 or (rule.count or 0) < 0 or (rule.delay_s or 0) < 0:
            raise RuleError("rate must be between 0 and 1, count and delay_s not negative")
        return rule

    @property
    def wait_s(self) -> float:
        """How long a hanging or slow request waits."""
        return _DEFAULT_DELAY_S.get(self.mode, 0.0) if self.delay_s is None else self.delay_s

    def strikes(self, kind: str, text: str) -> bool:
        """Decide for one request, and count it if it is struck."""
        if (
            self.target not in ("all", kind)
            or (self.mode in _CHAT_ONLY and kind != "chat")
            or self.count == 0
        ):
            return False
        if self.match is not None and self.match.casefold() not in text.casefold():
            return False
        if self.rate < 1 and self._dice.random() >= self.rate:
            return False
        if self.count is not None:
            self.count -= 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The rule as it was commanded, with what is left of its count."""
        shown = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        shown["for"] = shown.pop("target")
        return shown


class Faults:
    """The rules in force, and whose turn it is among the kinds of garbage."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._struck = 0

    def command(self, rule: Rule) -> None:
        """Put a rule in force. A rule for all replaces every other; "ok" lifts what its target names."""
        if rule.target == "all":
            self._rules.clear()
        self._rules.pop(rule.target, None)
        if rule.mode is not Mode.OK:
            self._rules[rule.target] = rule

    def strike(self, kind: str, text: str) -> Rule | None:
        """The rule that hits this request of kind chat, embeddings or models, if any."""
        for target in (kind, "all"):
            if (rule := self._rules.get(target)) and rule.strikes(kind, text):
                self._struck += 1
                return rule
        return None

    @property
    def struck(self) -> int:
        """Requests hit so far; it also chooses the kind of garbage."""
        return self._struck

    def as_json(self) -> dict[str, Any]:
        """The state for `GET /_control`; a rule that is used up counts as ok."""
        rules = [rule.as_json() for rule in self._rules.values() if rule.count != 0]
        return {"mode": rules[0]["mode"] if rules else str(Mode.OK), "rules": rules, "struck": self._struck}


def garbage_content(kind: str, good: str, supplied_ids: Iterable[str]) -> str:
    """Spoilt message content of a kind that is not "html" (that one spoils the whole body)."""
    if kind == "invalid_json":
        return f"Tentu! Ini jawabannya:\n{{answer: 'ya', {good[:40]}"
    if kind == "wrong_shape":
        return json.dumps({"answer": ["bukan", "teks"], "source_ids": "semua", "answerable": "mungkin"})
    if kind == "truncated":
        return good[: max(1, len(good) // 2)]
    if kind == "unknown_sources":
        invented = "karangan:tidak-ada"
        while invented in supplied_ids:
            invented += "-lagi"
        return json.dumps(
            {"answer": "Bisa Kak.", "source_ids": [invented], "answerable": True, "needs_human": False}
        )
    return ""


def wrong_price(reading: Reading, question: str, everything: str) -> Reading:
    """A confident answer with an amount that stands nowhere in the request."""
    digits = re.sub(r"[.,](?=\d{3})", "", everything)
    amount = 7_000 + 500 * (zlib.crc32(question.encode()) % 997)
    while str(amount) in digits or f"{amount // 1000}rb" in digits:
        amount += 500
    text = f"Harganya Rp{amount:,} ya, Kak.".replace(",", ".", 1)
    return Reading(answer=text, source_ids=reading.source_ids, answerable=True)


def promise(reading: Reading, turn: int) -> Reading:
    """An answer that promises what no model can keep."""
    return Reading(answer=_PROMISES[turn % len(_PROMISES)], source_ids=reading.source_ids, answerable=True)
