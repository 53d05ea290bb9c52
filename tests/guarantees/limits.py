"""What an answer may take while the model misbehaves: time, requests, money, words. The checker is pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tests.guarantees.ledger import Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The stated bounds. ``texts``: what each id may be answered with (the beginning of it)."""

    answer_s: float
    requests_per_answer: int  # to one endpoint
    budget_idr: int
    texts: Mapping[str, Collection[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """What was seen from outside: the ledger, the model server's counts, the database's money."""

    entries: Sequence[Entry]
    requests: Mapping[str, int]  # by endpoint, while the answers were made
    used_idr: int  # reserved and spent


def beyond(limits: Limits, seen: Observed) -> dict[str, tuple[str, ...]]:
    """What went beyond the limits, by kind; empty when nothing did."""
    recorded = {entry["id"]: entry["at"] for entry in seen.entries if entry["what"] == "recorded"}
    answers = {
        message_id: entry
        for entry in reversed(seen.entries)
        if entry["what"] == "delivered"
        for message_id in entry["answers"]
    }
    found = {
        "unanswered": tuple(message_id for message_id in recorded if message_id not in answers),
        "late": tuple(
            f"{message_id} after {answers[message_id]['at'] - at:.1f} s"
            for message_id, at in recorded.items()
            if message_id in answers and answers[message_id]["at"] - at > limits.answer_s
        ),
        "wrong": tuple(
            f"{message_id}: {answers[message_id]['text'][:80]!r}"
            for message_id, allowed in limits.texts.items()
            if message_id in answers and not answers[message_id]["text"].startswith(tuple(allowed))
        ),
        "too many requests": tuple(
            f"{count} to {endpoint} for {len(recorded)} messages"
            for endpoint, count in seen.requests.items()
            if count > limits.requests_per_answer * len(recorded)
        ),
        "overspent": (f"Rp{seen.used_idr} of Rp{limits.budget_idr}",)
        if seen.used_idr > limits.budget_idr
        else (),
    }
    return {kind: which for kind, which in found.items() if which}
