"""The checker of limits itself."""

from __future__ import annotations

from typing import Any

from tests.guarantees.ledger import Entry
from tests.guarantees.limits import Limits, Observed, beyond

LIMITS = Limits(answer_s=3.0, requests_per_answer=2, budget_idr=100, texts={"m1": ("Jam 8", "Maaf")})


def recorded(at: float = 0.0) -> Entry:
    return {"what": "recorded", "id": "m1", "outcome": "new", "at": at}


def delivered(at: float = 1.0, text: str = "Jam 8, Kak.") -> Entry:
    return {"what": "delivered", "row": "1", "chat": "budi", "answers": ["m1"], "text": text, "at": at}


def seen(*entries: Entry, used_idr: int = 100, **requests: int) -> Any:
    return beyond(LIMITS, Observed(entries=entries, requests=requests, used_idr=used_idr))


def test_what_stays_within_every_limit_is_nothing() -> None:
    assert seen(recorded(), delivered(), chat=2, embeddings=2) == {}


def test_no_answer_at_all_is_found() -> None:
    assert seen(recorded()) == {"unanswered": ("m1",)}


def test_a_late_answer_is_found() -> None:
    assert seen(recorded(), delivered(at=3.5)) == {"late": ("m1 after 3.5 s",)}


def test_the_first_delivery_counts() -> None:
    assert seen(recorded(), delivered(at=1.0), delivered(at=9.0)) == {}


def test_other_words_than_the_allowed_are_found() -> None:
    assert seen(recorded(), delivered(text="{answer: 'ya'")) == {"wrong": ("m1: \"{answer: 'ya'\"",)}


def test_too_many_requests_are_found() -> None:
    assert seen(recorded(), delivered(), chat=3) == {"too many requests": ("3 to chat for 1 messages",)}


def test_money_beyond_the_budget_is_found() -> None:
    assert seen(recorded(), delivered(), used_idr=101) == {"overspent": ("Rp101 of Rp100",)}
