"""A decision: what is to happen because of one utterance. ``bot.consequences`` makes it true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.people import Case
from rag.answering import Reply
from store.customers import Customer
from store.handoffs import Reason
from store.turns import Author
from store.usage import Reservation


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is to happen because of one utterance."""

    text: str = ""
    reaction: str = ""
    handoff: Reason | None = None
    author: Author = Author.BOT
    reply: Reply | None = None
    reservation: Reservation | None = None
    delay_ms: int = 0  # how long the answer waits before it is sent
    quotes: bool = False  # the answer shows which message it answers
    marks: tuple[str, ...] = ()  # what the reply is, for understanding the next message
    case: Case | None = None
    # Runs in the transaction that commits the answer, and says what it is. Only where the bot may speak.
    act: Callable[[Connection, Customer], Decision] | None = None
