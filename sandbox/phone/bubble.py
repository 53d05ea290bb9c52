"""One chat between the shop and a person, as both phones show it: bubbles, ticks, reactions. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.whatsapp import contents
from sandbox.whatsapp.contents import Received
from sandbox.whatsapp.phone import Receipts

# Longer texts are cut where a bubble quotes another.
_QUOTED_CHARS = 160


class Author(StrEnum):
    """Who wrote a bubble. The customer sees the bot and the owner as one: the shop."""

    CUSTOMER = "customer"
    BOT = "bot"  # the linked device
    OWNER = "owner"  # the shop's own phone
    OTHER = "other"  # another number, Starsender's; to him it is another chat


class Tick(StrEnum):
    """How far a message has come; never backwards."""

    SENT = "sent"  # WhatsApp has it
    DELIVERED = "delivered"  # the other side has it; of a customer's message: the bot
    READ = "read"


_TICKS = list(Tick)


@dataclass(kw_only=True, eq=False)
class Bubble:
    """A message with all that happened to it since."""

    author: Author
    received: Received
    text: str
    tick: Tick = Tick.SENT
    # On which screens it is. The bot's own messages reach the shop's phone as copies, which may come later.
    at_customer: bool = False
    at_shop: bool = False
    is_edited: bool = False
    is_deleted: bool = False
    # Emoji by who put it there.
    reactions: dict[Author, str] = field(default_factory=dict)

    def advance(self, tick: Tick) -> bool:
        """Whether the message came further."""
        if _TICKS.index(tick) <= _TICKS.index(self.tick):
            return False
        self.tick = tick
        return True


class Thread:
    """The chat, in the order in which WhatsApp took the messages."""

    def __init__(self) -> None:
        self.bubbles: dict[str, Bubble] = {}
        # The customer's messages that the bot has not read yet.
        self._waiting: set[str] = set()

    def take(self, received: Received, author: Author, *, at_customer: bool, at_shop: bool) -> Bubble | None:
        """A message came onto a screen: the bubble that is new or changed; None when nothing shows."""
        if received.kind in ("reaction", "edit", "revoke"):
            return self._change(received, author)
        bubble = self.bubbles.get(received.id)
        if bubble is None:
            bubble = Bubble(author=author, received=received, text=received.text)
            self.bubbles[received.id] = bubble
            if author is Author.CUSTOMER:
                self._waiting.add(received.id)
        bubble.at_customer |= at_customer
        bubble.at_shop |= at_shop
        if author is not Author.CUSTOMER and bubble.at_customer:
            bubble.advance(Tick.DELIVERED)
        return bubble

    def _change(self, received: Received, author: Author) -> Bubble | None:
        bubble = self.bubbles.get(received.about)
        if bubble is None:
            return None
        if received.kind == "reaction":
            bubble.reactions.pop(author, None)
            if received.text:
                bubble.reactions[author] = received.text
        elif received.kind == "edit":
            bubble.text, bubble.is_edited = received.text, True
        else:
            bubble.text, bubble.is_deleted = "", True
        return bubble

    def tick(self, receipts: dict[str, Receipts]) -> list[Bubble]:
        """The customer's bubbles that came further, by what the bot told his phone."""
        moved = []
        for message_id in list(self._waiting):
            told = receipts.get(message_id)
            if told is None or not (told.delivered or told.read):
                continue
            bubble = self.bubbles[message_id]
            if bubble.advance(Tick.READ if told.read else Tick.DELIVERED):
                moved.append(bubble)
            if bubble.tick is Tick.READ:
                self._waiting.discard(message_id)
        return moved

    def unread(self) -> list[Bubble]:
        """What the shop wrote and the customer has not read yet."""
        return [
            bubble
            for bubble in self.bubbles.values()
            if bubble.author is not Author.CUSTOMER and bubble.at_customer and bubble.tick is not Tick.READ
        ]

    def shown(self, bubble: Bubble, *, chat: str) -> dict[str, Any]:
        """The bubble as the page gets it."""
        received = bubble.received
        made: dict[str, Any] = {
            "id": received.id,
            "author": bubble.author,
            "kind": received.kind,
            "text": bubble.text,
            "sent_ms": received.sent_ms,
            "tick": bubble.tick,
            "at_customer": bubble.at_customer,
            "at_shop": bubble.at_shop,
            "edited": bubble.is_edited,
            "deleted": bubble.is_deleted,
            "reactions": {str(author): emoji for author, emoji in bubble.reactions.items()},
        }
        if bubble.author is Author.OTHER:
            made["from"] = received.sender.user
        if received.about:
            made["quoted"] = self._quoted(received.about)
        if not bubble.is_deleted:
            made["file"] = _file(received, chat)
        return made

    def _quoted(self, message_id: str) -> dict[str, str] | None:
        about = self.bubbles.get(message_id)
        if about is None:
            return None
        return {
            "id": message_id,
            "author": about.author,
            "kind": about.received.kind,
            "text": about.text[:_QUOTED_CHARS],
        }


def _file(received: Received, chat: str) -> dict[str, Any] | None:
    try:
        _, place = contents.file_in(received.message)
    except ValueError:
        return None
    return {
        "address": f"file/{chat}/{received.id}",
        "mime": place.mimetype,
        "name": getattr(place, "fileName", ""),
        "bytes": place.fileLength,
    }
