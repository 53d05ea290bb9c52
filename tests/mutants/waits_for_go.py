"""Removes: a process whose Go cannot be ended ends itself (``WhatsAppChannel.close`` tells)."""

from __future__ import annotations

from typing import Any

from bot.whatsapp.channel import WhatsAppChannel
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        async def close(self: WhatsAppChannel) -> None:
            await original(self)
            self.unstoppable = False

        return close

    replace("bot.whatsapp.channel.WhatsAppChannel.close", make)
