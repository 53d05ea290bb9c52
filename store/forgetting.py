"""Deletes a customer's rows, at once or as soon as he has been told.

That nothing can be read in the files either is ``store.erasure``'s part.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, or_, select, update

from store import changes, order_owners
from store.schema import (
    aliases,
    attachments,
    chat_timers,
    customers,
    forwards,
    handoffs,
    inbox,
    media,
    notices,
    now_ms,
    outbox,
    past_chats,
    past_questions,
    turns,
    undecryptable,
    usage,
)

# Purposes (store.outbox.Purpose) of what goes to the customer himself.
_TO_CUSTOMERS = ("answer", "relay", "right", "receipt")
# Purposes of what goes to the owner's room.
_TO_OWNER = ("notice", "reminder", "command")


def ask(connection: Connection, customer_id: int) -> None:
    """Delete this customer as soon as what is on its way to him has been sent."""
    connection.execute(update(customers).where(customers.c.id == customer_id).values(erase_asked_ms=now_ms()))


def asked(connection: Connection, account: str) -> list[int]:
    """Whose deletion was asked for."""
    waiting = (customers.c.account == account, customers.c.erase_asked_ms.is_not(None))
    return list(connection.execute(select(customers.c.id).where(*waiting)).scalars())


def forget(connection: Connection, customer_id: int) -> bool:
    """Delete the customer and everything that he said or was told; False when there is no such customer.

    What remains: the shop's daily totals; orders and invoices, without him as far as the law allows; and a
    tombstone with his number in the change log, which makes every memory drop him and which no replay can
    undo.
    """
    chats = {
        row[0]
        for table in (inbox, handoffs)
        for row in connection.execute(select(table.c.chat).where(table.c.customer_id == customer_id)).all()
    } | {
        # Not those to the owner's room, which are about the customer but not in his chat.
        row[0]
        for row in connection.execute(
            select(outbox.c.chat).where(
                outbox.c.customer_id == customer_id, outbox.c.purpose.in_(_TO_CUSTOMERS)
            )
        ).all()
    }
    # What the owner said about him goes too, but the room where he said it is nobody's chat: what else waits
    # there may be an answer to somebody else.
    rooms = connection.execute(
        select(outbox.c.chat).where(outbox.c.chat.in_(chats), outbox.c.purpose.in_(_TO_OWNER))
    ).scalars()
    own_chats = sorted(set(chats).difference(rooms))
    connection.execute(
        delete(notices).where(
            or_(
                notices.c.customer_id == customer_id,
                notices.c.outbox_id.in_(select(outbox.c.id).where(outbox.c.customer_id == customer_id)),
            )
        )
    )
    # Files first: rows of theirs point at the outbox. Those on disk go with their rows (`store.media`).
    his_media = select(media.c.id).where(media.c.customer_id == customer_id)
    his_outbox = select(outbox.c.id).where(outbox.c.customer_id == customer_id)
    connection.execute(
        delete(attachments).where(
            or_(attachments.c.outbox_id.in_(his_outbox), attachments.c.media_id.in_(his_media))
        )
    )
    connection.execute(delete(forwards).where(forwards.c.media_id.in_(his_media)))
    connection.execute(delete(media).where(media.c.customer_id == customer_id))
    connection.execute(delete(chat_timers).where(chat_timers.c.customer_id == customer_id))
    connection.execute(delete(handoffs).where(handoffs.c.customer_id == customer_id))
    connection.execute(delete(outbox).where(outbox.c.customer_id == customer_id))
    connection.execute(delete(inbox).where(inbox.c.customer_id == customer_id))
    # A message that came in meanwhile and has no customer yet is his too when it came in his chat.
    connection.execute(delete(inbox).where(inbox.c.customer_id.is_(None), inbox.c.chat.in_(own_chats)))
    connection.execute(delete(turns).where(turns.c.customer_id == customer_id))
    for table in (usage, undecryptable, past_chats, past_questions):
        connection.execute(delete(table).where(table.c.customer_id == customer_id))
    order_owners.forget(connection, customer_id)
    connection.execute(delete(aliases).where(aliases.c.customer_id == customer_id))
    deleted = connection.execute(delete(customers).where(customers.c.id == customer_id)).rowcount
    changes.append(
        connection, entity="customer", ref=str(customer_id), customer_id=customer_id, tombstone=True
    )
    return deleted == 1
