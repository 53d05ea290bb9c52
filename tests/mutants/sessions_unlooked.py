"""Removes: the session file is looked at before Go opens it (``session.check``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def check(path: Path, *, number: str | None) -> str | None:
            return None

        return check

    replace("bot.whatsapp.session.check", make)
