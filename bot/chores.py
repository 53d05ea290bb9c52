"""What the bot does from time to time: follow the memory's log, show a sign of life, remind the owner."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from bot.invoices import StrandedInvoices
from bot.media import TIDY_EVERY_S, MediaKeeper
from bot.people import People
from bot.periodic import every
from config.shop import Shop
from store import customers, handoffs, owners
from store.doors import Store
from store.handoffs import Reason
from store.memory.index import MemoryIndex

HEARTBEAT_S = 10.0
REMINDER_CHECK_S = 30.0
# A customer who writes while a person has the chat is not forgotten there.
WAITING_MS = 20 * 60 * 1000


def chores(
    *,
    store: Store,
    memory: MemoryIndex,
    people: People,
    shop: Shop,
    media: MediaKeeper,
    stranded: StrandedInvoices,
    instance: str,
    poll_s: float,
) -> dict[str, Coroutine[Any, Any, None]]:
    """The periodic tasks by their names; each runs until it is cancelled."""
    return {
        "memory": every(poll_s, "memory", lambda: _follow(memory)),
        "heartbeat": every(HEARTBEAT_S, "heartbeat", lambda: _beat(store, instance)),
        "waiting": every(REMINDER_CHECK_S, "waiting", lambda: tell_of_waiting(store, people)),
        "reminders": every(REMINDER_CHECK_S, "reminders", lambda: remind(store, people, shop)),
        "tidy": every(TIDY_EVERY_S, "tidy", media.tidy),
        "invoices": every(REMINDER_CHECK_S, "invoices", stranded.take),
    }


async def _follow(memory: MemoryIndex) -> None:
    await memory.catch_up()


async def _beat(store: Store, instance: str) -> None:
    await store.write(lambda c: owners.beat(c, instance))


async def tell_of_waiting(store: Store, people: People) -> None:
    """Tell the owner, once a question, who waits in a chat that a person took over."""

    def tell(connection: Connection) -> None:
        for found in customers.waiting_for_a_person(connection, people.room.account, for_ms=WAITING_MS):
            people.hand_over(
                connection,
                customer=found.customer,
                chat=found.chat,
                question=found.asked,
                reason=Reason.WAITING,
            )

    def anybody(connection: Connection) -> bool:
        return bool(customers.waiting_for_a_person(connection, people.room.account, for_ms=WAITING_MS))

    if await store.read(anybody, slow=True):
        await store.write(tell)


async def remind(store: Store, people: People, shop: Shop) -> None:
    """Remind the owner of open handoffs, never between 20.00 and 08.00."""
    if shop.is_quiet_time(datetime.now(UTC)):
        return

    def remind_all(connection: Connection) -> None:
        # Read again: one of them may have been answered since.
        for handoff in handoffs.due(connection, people.room.account):
            people.remind(connection, handoff)

    if await store.read(lambda c: handoffs.due(c, people.room.account)):
        await store.write(remind_all)
