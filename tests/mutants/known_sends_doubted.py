"""Removes: a send that WhatsApp acknowledged is known as sent (``WhatsAppChannel.send``)."""

from __future__ import annotations

from typing import Any

from bot.channel import Outgoing, Sent, Unknown
from bot.whatsapp.channel import WhatsAppChannel
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        async def send(self: WhatsAppChannel, message: Outgoing) -> Any:
            outcome = await original(self, message)
            return Unknown("who knows") if isinstance(outcome, Sent) else outcome

        return send

    replace("bot.whatsapp.channel.WhatsAppChannel.send", make)
