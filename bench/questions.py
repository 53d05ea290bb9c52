"""What the benchmarks ask: the labelled questions of the sample shop, by customers of the stored past."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
DATA = PROJECT / "data"
QUESTIONS = PROJECT / "tests" / "acceptance" / "questions"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One message to send: which customer writes what."""

    customer: int
    text: str


def texts() -> list[str]:
    """Every labelled question that the shop can answer, clean and in slang."""
    return [
        json.loads(line)["text"]
        for name in ("answerable.jsonl", "slang.jsonl")
        for line in (QUESTIONS / name).read_text(encoding="utf-8").splitlines()
    ]


def asks(customers: int, *, seed: int) -> Iterator[Ask]:
    """An endless stream of questions; between two of one customer every other one asks.

    Two at once would be one burst with one answer.
    """
    chance = random.Random(seed)
    questions = texts()
    order = list(range(customers))
    chance.shuffle(order)
    while True:
        for customer in order:
            yield Ask(customer=customer, text=chance.choice(questions))


def person(customer: int) -> str:
    """The customer's address: an Indonesian mobile number that nobody has."""
    return f"62800{customer:08d}"
