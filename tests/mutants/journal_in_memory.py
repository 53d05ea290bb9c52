"""Removes: a message is in the journal's file when the callback returns (``journal._append``)."""

from __future__ import annotations

from typing import Any

from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def _append(handle: int, record: bytes) -> None:
            return None

        return _append

    replace("bot.whatsapp.journal._append", make)
