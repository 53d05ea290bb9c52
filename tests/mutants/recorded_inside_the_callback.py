"""Removes: Go's callback returns at once, the journal has the message. Here it waits for the commit instead.

What comes in meanwhile waits in Go's memory, acknowledged to WhatsApp, and dies with the process.
"""

from __future__ import annotations

from typing import Any

from bot.whatsapp.journal import Journal
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def keep(self: Journal, raw: bytes) -> None:
            self._record([raw])

        return keep

    replace("bot.whatsapp.journal.Journal.keep", make)
