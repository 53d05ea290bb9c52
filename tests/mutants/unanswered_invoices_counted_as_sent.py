"""Removes: an unclear answer of Starsender counts for nothing (``billing.starsender.outcome_of``)."""

from __future__ import annotations

from typing import Any

from billing.starsender import Accepted, Outcome
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def outcome_of(status: int, body: bytes, retry_after: str | None = None) -> Outcome:
            return Accepted()

        return outcome_of

    replace("billing.starsender.outcome_of", make)
