"""A decision: what is to happen because of one utterance. ``bot.consequences`` makes it true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection

from bot.people import Case
from rag.answering import Reply
from store.attachments import Document
from store.customers import Customer
from store.handoffs import Reason
from store.turns import Author
from store.usage import Reservation

# What "ok" and "makasih" get: they want no words back.
ACKNOWLEDGEMENT = "🙏"


class Right(Enum):
    """What the law gives a customer about his own data."""

    INFORMATION = "information"  # what is kept, and how to have it copied or deleted
    EXPORT = "export"  # a copy of it
    ERASURE = "erasure"  # its deletion


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is to happen because of one utterance."""

    text: str = ""
    reaction: str = ""
    picture: Document | None = None  # the text is then its caption
    handoff: Reason | None = None
    author: Author = Author.BOT
    reply: Reply | None = None
    reservation: Reservation | None = None
    refused: Reservation | None = None  # what a limit of the day forbade
    right: Right | None = None  # what the customer asked for about his own data
    delay_ms: int = 0  # how long the answer waits before it is sent
    quotes: bool = False  # the answer shows which message it answers
    marks: tuple[str, ...] = ()  # what the reply is, for understanding the next message
    case: Case | None = None
    # Runs in the transaction that commits the answer, and says what it is. Only where the bot may speak.
    act: Callable[[Connection, Customer], Decision] | None = None
