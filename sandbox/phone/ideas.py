"""What a customer might ask, taken from the shop's own FAQ, so that a newcomer has something to tap."""

from __future__ import annotations

import json
from pathlib import Path

_MOST = 3
_LONGEST = 60
# One greets, one begins to buy, the last asks for a person: these go another way than questions do.
_FIRST, _BUY, _LAST = "Halo kak", "menu", "Bisa bicara dengan admin?"


def ideas(data_dir: Path) -> list[str]:
    """A few short messages; without a readable FAQ those that every shop knows."""
    try:
        entries = json.loads((data_dir / "faq_data.json").read_text(encoding="utf-8-sig"))
        questions = [str(entry["question"]) for entry in entries]
    except (OSError, ValueError, LookupError, TypeError):
        questions = []
    # Spread over the file, because neighbours are about the same thing.
    short = [question for question in questions if len(question) <= _LONGEST]
    return [_FIRST, _BUY, *short[:: max(1, len(short) // _MOST)][:_MOST], _LAST]
