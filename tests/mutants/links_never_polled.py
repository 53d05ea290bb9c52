"""Removes: Midtrans is asked about every open link (``store.attempts.to_check``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from store.attempts import Attempt
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def to_check(
            connection: Connection, account: str, *, young_ms: int, often_ms: int, seldom_ms: int, most: int
        ) -> list[Attempt]:
            return []

        return to_check

    replace("store.attempts.to_check", make)
