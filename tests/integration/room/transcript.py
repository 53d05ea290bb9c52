"""Plays messages, and gives back what was said because of each: for the golden transcripts."""

from __future__ import annotations

import re
from typing import Any

from store.outbox import Kind
from tests.integration.tiny_shop import TinyShop

RIDER = (
    "\n\nAku asisten otomatis Toko Uji. Chat ini disimpan untuk melayani Kakak; ketik *privasi* buat info "
    "lengkapnya, atau *admin* kalau mau ngobrol sama orangnya langsung."
)
# What differs from run to run, as it stands in the transcripts.
_MASKS = (
    (re.compile(r"B[0-9A-HJKMNP-TV-Z]{9}"), "B•••••••••"),
    (re.compile(r"INV/\d{4}/\d{2}/"), "INV/2026/10/"),
    (re.compile(r"Transfer bank \d\d\.\d\d"), "Transfer bank 14.02"),
)


class Transcript:
    """A conversation with customers and the owner."""

    def __init__(self, shop: TinyShop) -> None:
        self.shop = shop

    async def says(self, who: str, text: str, **fields: Any) -> list[tuple[str, str]]:
        """Everything that was said because of this message, chat by chat; a file with its name."""
        before = len(self.shop.channel.sent)
        await self.shop.record(who, text, **fields)
        await self.shop.settled()
        return self.since(before)

    def since(self, before: int) -> list[tuple[str, str]]:
        """What was said after so many messages."""
        said = [(message.chat, _shown(message)) for message in self.shop.channel.sent[before:]]
        # What one chat reads stays in its order; which of two chats reads first is nobody's business.
        return sorted(said, key=lambda one: one[0])


def _shown(message: Any) -> str:
    body = message.body
    for pattern, stands_for in _MASKS:
        body = pattern.sub(stands_for, body)
    if message.kind is Kind.TEXT or message.document is None:
        return str(body)
    # The number of an invoice says when it was made.
    name = re.sub(r"INV-\d{4}-\d{2}-0*", "INV-", message.document.filename)
    return f"[{message.kind.value}: {name}] {body}".strip()
