"""Messages that went out and could not be read where they arrived: they go out once more."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from store import customers
from store.customers import Address
from store.queue import Queue
from store.schema import QueueState, now_ms, outbox


def send_again(connection: Connection, queue: Queue, *, address: Address, provider_id: str) -> int | None:
    """Let the message that went to this person under the network's id go out anew; its row, if there is one.

    It loses the id, so that asking for it a second time finds nothing. What was said to others stays theirs:
    whoever asks must be the one to whom it went.
    """
    customer = customers.find(connection, queue.account, address)
    to_him = outbox.c.chat == f"{address.user}@{address.server}"
    if customer is not None:
        # It may have gone to his other address.
        to_him = to_him | (outbox.c.customer_id == customer.id)
    found = connection.execute(
        select(outbox.c.id).where(
            outbox.c.account == queue.account,
            outbox.c.transport == queue.transport,
            outbox.c.provider_id == provider_id,
            outbox.c.state == QueueState.DONE.value,
            to_him,
        )
    ).scalar()
    if found is None:
        return None
    values = {
        "state": QueueState.NEW.value,
        "finished_ms": None,
        "provider_id": None,
        "owner": None,
        "claimed_ms": None,
        "attempts": 0,
        "due_ms": now_ms(),
        "error": "could not be read",
    }
    connection.execute(update(outbox).where(outbox.c.id == found).values(values))
    return int(found)
