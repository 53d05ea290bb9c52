"""Removes: the process of a channel with foreign threads ends itself (``run_bot.py``)."""

from __future__ import annotations

from typing import Any

from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    replace("config.ending.leave", lambda original: _stay)


def _stay(code: int) -> Any:
    """Leave it to Python, which waits for every thread."""
