"""What the bot does from time to time: follow the memory's log, show a sign of life, remind, ask, tidy."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from bot import media, modes
from bot.delivery import RESTRICTED
from bot.gate import Pass, gate
from bot.invoices import StrandedInvoices
from bot.media import MediaKeeper
from bot.memory_watch import MemoryWatch
from bot.pasttalk import PastTalk
from bot.people import People
from bot.periodic import every
from bot.posts import KEPT_MS, POST, POSTS
from bot.takeover import BUSINESS_ALERT
from config.settings import Mode
from config.shop import Shop
from store import alerts, customers, handoffs, inbox, orders, owners, past_chats, undecryptable
from store import outbox as outbox_rows
from store.doors import Store
from store.handoffs import Reason
from store.memory.index import MemoryIndex
from store.orders import State
from store.outbox import NewMessage, Purpose
from store.past_chats import Unanswered
from store.queue import Queue

log = structlog.get_logger(__name__)

HEARTBEAT_S = 10.0
REMINDER_CHECK_S = 30.0
# A customer who waits for half a minute should not wait for another half.
MISSING_CHECK_S = 3.0
TIDY_EVERY_S = 600.0
# A customer who writes while a person has the chat is not forgotten there.
WAITING_MS = 20 * 60 * 1000
# A list of all is no list any more; the rest is counted.
MOST_LISTED = 20
_HOUR_MS = 60 * 60 * 1000
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoreParts:
    """What the chores work with."""

    store: Store
    memory: MemoryIndex
    people: People
    shop: Shop
    media: MediaKeeper
    stranded: StrandedInvoices
    instance: str
    outbox: Queue
    configured_mode: Mode
    past_talk: PastTalk


def chores(parts: ChoreParts, *, poll_s: float) -> dict[str, Coroutine[Any, Any, None]]:
    """The periodic tasks by their names; each runs until it is cancelled."""
    store, people = parts.store, parts.people
    watch = MemoryWatch(store=store, memory=parts.memory, people=people)
    return {
        "memory": every(poll_s, "memory", watch.look),
        "heartbeat": every(HEARTBEAT_S, "heartbeat", lambda: _beat(store, parts.instance)),
        "waiting": every(REMINDER_CHECK_S, "waiting", lambda: tell_of_waiting(store, people)),
        "reminders": every(REMINDER_CHECK_S, "reminders", lambda: remind(store, people, parts.shop)),
        "missing": every(
            MISSING_CHECK_S, "missing", lambda: ask_to_resend(store, people, parts.configured_mode)
        ),
        "past": every(MISSING_CHECK_S, "past", lambda: list_unanswered(store, people)),
        "past talk": every(MISSING_CHECK_S, "past talk", parts.past_talk.look),
        "parked": every(REMINDER_CHECK_S, "parked", lambda: try_parked_again(store, parts.outbox)),
        "old files": every(media.TIDY_EVERY_S, "old files", parts.media.tidy),
        "invoices": every(REMINDER_CHECK_S, "invoices", parts.stranded.take),
        "tidy": every(TIDY_EVERY_S, "tidy", lambda: tidy(parts)),
    }


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
            if _is_settled(connection, handoff.id):
                handoffs.finish(connection, handoff.id, state=handoffs.State.CLOSED)
            else:
                people.remind(connection, handoff)

    if await store.read(lambda c: handoffs.due(c, people.room.account)):
        await store.write(remind_all)


async def ask_to_resend(store: Store, people: People, configured_mode: Mode) -> None:
    """Ask customers for messages that could not be decrypted and whose real form stayed away."""
    account = people.room.account

    def ask(connection: Connection) -> None:
        mode = modes.current(connection, account, configured=configured_mode)
        for missing in undecryptable.take_missing(connection, account):
            customer = customers.get(connection, missing.customer_id)
            # Where a person has the chat, he sees the message on his phone.
            if customer is None or gate(mode, customer) is not Pass.SEND:
                continue
            log.info("asked_to_resend", message_id=missing.message_id)
            outbox_rows.add(
                connection,
                NewMessage(
                    account=account,
                    transport=people.room.transport,
                    chat=missing.chat,
                    body=people.wording.say("minta_ulang"),
                    purpose=Purpose.ANSWER,
                    customer_id=customer.id,
                ),
            )

    if await store.read(lambda c: undecryptable.any_due(c, account)):
        await store.write(ask)


async def list_unanswered(store: Store, people: People) -> None:
    """Once, after the pairing: tell the owner who waits since before it."""
    account = people.room.account
    if people.room.chat is None:
        return  # It waits until there is somebody to tell.

    def tell(connection: Connection) -> None:
        waiting = past_chats.take_unanswered(connection, account)
        if not waiting:
            return
        lines = [_line(connection, people, chat) for chat in waiting[:MOST_LISTED]]
        if len(waiting) > MOST_LISTED:
            lines.append(f"… dan {len(waiting) - MOST_LISTED} lagi")
        body = people.wording.say("admin_riwayat", jumlah=len(waiting), daftar="\n".join(lines))
        people.notify(connection, body, kind=handoffs.ALERT)

    if await store.read(lambda c: past_chats.is_complete(c, account)):
        await store.write(tell)


def _line(connection: Connection, people: People, chat: Unanswered) -> str:
    name, number = people.label(connection, chat.customer_id, chat.name)
    who = name if name == number else f"{name} ({number})"
    hours = chat.age_ms // _HOUR_MS
    if hours < 1:
        return f"• {who}, kurang dari sejam lalu"
    return f"• {who}, {hours} jam lalu" if hours < 48 else f"• {who}, {hours // 24} hari lalu"


async def try_parked_again(store: Store, outbox: Queue) -> None:
    """What WhatsApp refused to take hours ago gets another attempt."""

    def release(connection: Connection) -> None:
        if released := outbox_rows.release_parked(connection, outbox, due_only=True):
            log.info("parked_released", rows=released)
            # Refused again, it is told again.
            alerts.recover(connection, f"{RESTRICTED}:{outbox.account}")

    if await store.read(lambda c: outbox_rows.parked(c, outbox, due_only=True)):
        await store.write(release)


async def tidy(parts: ChoreParts) -> None:
    """Remove what is kept for a time only, when that time is over."""
    account = parts.people.room.account

    def remove(connection: Connection) -> None:
        inbox.remove_old(connection, account, chat=POSTS, kind=POST, older_than_ms=KEPT_MS)
        past_chats.forget_old(connection, account)
        # Whoever switched the greetings off tells nobody; that none comes any more says it.
        alerts.recover_quiet(connection, f"{BUSINESS_ALERT}:{account}", quiet_ms=_DAY_MS)

    await parts.store.write(remove)
    if removed := await asyncio.to_thread(parts.past_talk.tidy):
        log.info("files_removed", files=removed)


def _is_settled(connection: Connection, handoff_id: int) -> bool:
    """Whether it is about an order that needs nobody any more: called off, or its transfer is confirmed.

    Who says that he has transferred is checked even when the order's time is over.
    """
    about = handoffs.order_of(connection, handoff_id)
    if about is None:
        return False
    order_id, kind = about
    order = orders.get(connection, order_id)
    if order is None or order.state is State.CANCELLED:
        return True
    if kind == handoffs.TRANSFER_NOTICE:
        return order.paid_ms is not None
    return order.state in (State.EXPIRED, State.FAILED)
