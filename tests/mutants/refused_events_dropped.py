"""Removes: what the database did not take is tried again (the answer of ``WhatsAppChannel._record``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.whatsapp.channel import WhatsAppChannel
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def _record(self: WhatsAppChannel, portion: Sequence[bytes]) -> int:
            original(self, portion)
            return len(portion)

        return _record

    replace("bot.whatsapp.channel.WhatsAppChannel._record", make)
