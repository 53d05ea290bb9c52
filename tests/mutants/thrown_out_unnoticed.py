"""Removes: being thrown out is something else than a dropped connection (``events.meaning``)."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

from bot.whatsapp.events import Meaning
from bot.whatsapp.machine import Happened
from tests.mutants import Replace

THROWN_OUT = (Happened.LOGGED_OUT, Happened.REPLACED, Happened.BANNED, Happened.OUTDATED)


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def meaning(code: int, raw: bytes) -> Meaning:
            found: Meaning = original(code, raw)
            return changed(found, happened=Happened.DISCONNECTED) if found.happened in THROWN_OUT else found

        return meaning

    replace("bot.whatsapp.events.meaning", make)
