"""Removes: what the database did not take is tried again (the answer of ``WhatsAppChannel._record``)."""

from __future__ import annotations

from typing import Any

from bot.whatsapp.channel import WhatsAppChannel
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def _record(self: WhatsAppChannel, raw: bytes) -> bool:
            original(self, raw)
            return True

        return _record

    replace("bot.whatsapp.channel.WhatsAppChannel._record", make)
