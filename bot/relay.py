"""A person's answer on its way: to the customer, into his history, and offered as an FAQ entry.

The owner gives it by quoting a notice in his room, or by ``python -m bot.handoffs --answer``.
"""

from __future__ import annotations

from sqlalchemy import Connection

from bot.people import People
from rag.normalise import search_text
from store import handoffs, outbox, turns
from store.handoffs import Handoff, Learning
from store.outbox import NewMessage, Purpose
from store.turns import Author, NewTurn


def relay(connection: Connection, people: People, handoff: Handoff, text: str) -> bool:
    """Close the handoff with this answer and queue it; False when somebody else already did."""
    if not handoffs.finish(connection, handoff.id, state=handoffs.State.ANSWERED, answer=text):
        return False
    outbox.add(
        connection,
        NewMessage(
            account=people.room.account,
            transport=people.room.transport,
            chat=handoff.chat,
            body=text,
            purpose=Purpose.RELAY,
            customer_id=handoff.customer_id,
        ),
    )
    turns.append(
        connection,
        NewTurn(
            customer_id=handoff.customer_id,
            asked=handoff.question,
            replied=text,
            author=Author.HUMAN,
            search_text=search_text(f"{handoff.question}\n{text}"),
        ),
    )
    if handoff.reason is handoffs.Reason.UNKNOWN:
        offer_faq(connection, people, handoff, text)
    return True


def offer_faq(connection: Connection, people: People, handoff: Handoff, answer: str) -> None:
    """Show the owner the entry as it would be stored; it is stored when he says yes."""
    handoffs.set_learned(connection, handoff.id, learned=Learning.OFFERED, was=None)
    people.notify(
        connection,
        people.wording.say("admin_tawaran_faq", tanya=handoff.question, jawab=answer),
        kind=handoffs.FAQ_OFFER,
        customer_id=handoff.customer_id,
        handoff_id=handoff.id,
    )
