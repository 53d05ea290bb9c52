"""A person's answer on its way: to the customer, into his history, and offered as an FAQ entry.

The owner gives it by quoting a notice in his room, or by ``python -m bot.handoffs --answer``.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.people import People
from rag.normalise import search_text
from store import handoffs, outbox, turns
from store.attachments import Document
from store.handoffs import Handoff
from store.outbox import Kind, NewMessage, Purpose
from store.turns import Author, NewTurn


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosed:
    """A file that is a person's answer, or goes along with it. ``shown`` is what his history says of it."""

    kind: Kind
    document: Document
    caption: str
    shown: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """A customer in the chat where he is written to."""

    account: str
    transport: str
    chat: str
    customer_id: int


def relay(
    connection: Connection,
    people: People,
    handoff: Handoff,
    text: str,
    *,
    enclosed: Enclosed | None = None,
) -> bool:
    """Close the handoff with this answer and queue it; False when somebody else already did.

    Whether it ``is_learnt`` is for the caller to ask: he first says that it is on its way.
    """
    said = text if enclosed is None else enclosed.shown
    if not handoffs.finish(connection, handoff.id, state=handoffs.State.ANSWERED, answer=said):
        return False
    _send(connection, people, handoff, asked=handoff.question, text=text, enclosed=enclosed)
    return True


def follow(connection: Connection, people: People, handoff: Handoff, enclosed: Enclosed) -> None:
    """One more file of the answer that was given already: the next picture of an album."""
    _send(connection, people, handoff, asked="", text=enclosed.caption, enclosed=enclosed)


def _send(
    connection: Connection,
    people: People,
    handoff: Handoff,
    *,
    asked: str,
    text: str,
    enclosed: Enclosed | None,
) -> None:
    customer = Reached(
        account=people.room.account,
        transport=people.room.transport,
        chat=handoff.chat,
        customer_id=handoff.customer_id,
    )
    tell(connection, customer, text, author=Author.HUMAN, asked=asked, enclosed=enclosed)


def tell(
    connection: Connection,
    customer: Reached,
    text: str,
    *,
    author: Author,
    asked: str = "",
    enclosed: Enclosed | None = None,
    marks: tuple[str, ...] = (),
) -> None:
    """Queue the words, or the file, for the customer, and keep them in his history, as said to ``asked``."""
    said = text if enclosed is None else enclosed.shown
    outbox.add(
        connection,
        NewMessage(
            account=customer.account,
            transport=customer.transport,
            chat=customer.chat,
            body=text if enclosed is None else enclosed.caption,
            purpose=Purpose.RELAY,
            kind=Kind.TEXT if enclosed is None else enclosed.kind,
            customer_id=customer.customer_id,
            document=None if enclosed is None else enclosed.document,
        ),
    )
    turns.append(
        connection,
        NewTurn(
            customer_id=customer.customer_id,
            asked=asked,
            replied=said,
            author=author,
            search_text=search_text(f"{asked}\n{said}".strip()),
            source_ids=marks,
        ),
    )


def is_learnt(handoff: Handoff, enclosed: Enclosed | None) -> bool:
    """Whether the answer is offered as an FAQ entry; a caption means little without its file."""
    return handoff.reason is handoffs.Reason.UNKNOWN and enclosed is None


def offer_faq(
    connection: Connection, people: People, handoff: Handoff, answer: str, *, question: str | None = None
) -> None:
    """Show the owner the entry as it would be stored; it is stored when he says yes.

    The answer stays his, word for word; only the question may have another wording.
    """
    handoffs.offer_entry(connection, handoff.id, question=question)
    people.notify(
        connection,
        people.wording.say("admin_tawaran_faq", tanya=question or handoff.question, jawab=answer),
        kind=handoffs.FAQ_OFFER,
        customer_id=handoff.customer_id,
        handoff_id=handoff.id,
    )
