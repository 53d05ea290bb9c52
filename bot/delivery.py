"""Delivery: the outbox worker's handler for the channel's own messages, in order per chat."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from bot import introduction, modes
from bot.channel import (
    Channel,
    Outcome,
    Outgoing,
    Parked,
    Quoted,
    Refused,
    Retry,
    Sent,
    Signal,
    Unknown,
    Unreadable,
)
from bot.gate import Pass, gate
from bot.invoices import InvoiceFiles
from bot.lateness import TOO_LATE_MS
from bot.message import clean
from bot.people import People
from bot.timers import Timers
from config.settings import Mode
from config.wording import Wording
from store import alerts, attachments, customers, handoffs, inbox, metrics, outbox, worker
from store import queue as queues
from store.attachments import Document
from store.customers import Customer
from store.doors import Store
from store.errors import StoreUnavailable
from store.media_files import MediaFiles
from store.outbox import FILES, Kind, Purpose
from store.queue import Queue
from store.schema import QueueState

log = structlog.get_logger(__name__)

# A send whose outcome nobody knows is repeated once: then a customer may read an answer twice, or never.
_UNKNOWN = "outcome unknown"
# People are not as regular as programs.
JITTER = 3.0
# What could not be sent for so long reaches nobody who still waits for it.
PARKED_AT_MOST_MS = 24 * 60 * 60 * 1000
# Between attempts to mark a sent row while the disk is full or the database away.
MARK_PAUSE_S = 0.5
_SILENCED = "the chat was silenced before it was sent"
_STALE = "it could not be sent for too long"
_BEHIND = "an earlier message of this chat is parked"
# Fingerprint of the alert, with the account. What is refused again after a release is told again.
RESTRICTED = "whatsapp_restricted"


@dataclass(kw_only=True)
class Delivery:
    """Sends one claimed outbox row and marks it; raises what the worker understands."""

    account: str
    store: Store
    channel: Channel
    queue: Queue
    owner: str
    people: People
    wording: Wording
    files: MediaFiles
    invoices: InvoiceFiles
    timers: Timers
    configured_mode: Mode
    pace_s: float
    _next_send: float = field(default=0.0, init=False)
    # Whether something may be parked; a restart looks once.
    _is_restricted: bool = field(default=True, init=False)
    _parks: int = field(default=0, init=False)

    async def deliver(self, row: Row[Any]) -> None:
        """Send the row: check the gate again, show what was read, send, mark sent under the network's id."""
        # Before anything is decided: hours may pass here, and seconds below.
        await self.channel.reachable()
        if await self._is_behind_a_parked_one(row):
            await self._park(row, _BEHIND)
            return
        await self._keep_pace()
        if row.purpose == Purpose.ANSWER and (
            why := await self.store.read(lambda c: self._pointless(c, row))
        ):
            await self.store.write(lambda c: self._drop(c, row, why))
            return
        document = await self._document(row) if row.kind in FILES else None
        quoted = None
        if row.quoted_id is not None and row.kind != Kind.REACTION:
            quoted = await self.store.read(lambda c: self._quoted(c, row))
        answers = tuple(row.answers.split())
        if answers:
            # Read receipts go out right before the bot's own answer: until then the owner sees it unread.
            await self.channel.signal(row.chat, Signal.READ, answers)
        message = Outgoing(
            row_id=row.id,
            chat=row.chat,
            kind=Kind(row.kind),
            body=row.body,
            quoted_id=row.quoted_id,
            quoted=quoted,
            document=document,
            timer_s=await self.timers.of(row.chat),
            answers=answers,
        )
        outcome = await self.channel.send(message)
        metrics.SENDS.labels(_result(outcome)).inc()
        match outcome:
            case Sent(provider_id):
                await self._mark_sent(row, provider_id)
            case Retry(reason, after_s):
                # Whatever comes in between, a doubt stays one.
                doubt = f"{_UNKNOWN} before; " if _is_doubtful(row) else ""
                raise worker.Retry(f"{doubt}{reason}", after_s=after_s)
            case Unknown(reason) if not _is_doubtful(row):
                raise worker.Retry(f"{_UNKNOWN}: {reason}")
            case Unknown(reason):
                raise worker.Discard(f"{_UNKNOWN} twice: {reason}")
            case Refused(reason):
                raise worker.Discard(reason)
            case Parked(reason) if _age_ms(row) < PARKED_AT_MOST_MS:
                await self._park(row, reason)
            case Parked(reason):
                raise worker.Discard(reason)

    def tell_of_dead_letter(self, connection: Connection, row: Row[Any], reason: str) -> None:
        """The owner is told, in the same transaction, what a customer did not get."""
        if row.chat == self.people.room.chat or row.customer_id is None:
            return  # A notice that cannot reach the owner's room cannot be told there either.
        introduction.not_sent(connection, self.wording, [row.id])
        if row.kind == Kind.REACTION:
            return  # A lost 🙏 leaves nothing for a person to do.
        self._tell_about(connection, row, "admin_gagal_kirim")

    def _tell_about(self, connection: Connection, row: Row[Any], sentence: str) -> None:
        customer = _customer(connection, row)
        if customer is None:
            return  # Deleted meanwhile: nobody waits for it.
        shown, number = self.people.label(connection, customer.id, customer.name)
        body = self.wording.say(sentence, nama=shown, nomor=number, isi=_shown(connection, row))
        self.people.notify(connection, body, kind=handoffs.ALERT, customer_id=customer.id)

    async def _document(self, row: Row[Any]) -> Document:
        """The file of the row, or the invoice that it names; without it there is nothing to send."""
        if row.document is not None:
            return await self.invoices.document(row.document)
        found = await self.store.read(lambda c: attachments.get(c, row.id))
        data = None if found is None else found.data
        if found is not None and found.path is not None:
            with contextlib.suppress(OSError):
                data = await asyncio.to_thread(self.files.read, found.path)
        if found is None or data is None:
            raise worker.Discard("its file is not there any more")
        return Document(data=data, filename=found.filename, mimetype=found.mimetype)

    def _quoted(self, connection: Connection, row: Row[Any]) -> Quoted | None:
        """The message that the row quotes; None when nobody knows it (any more): then it quotes nothing."""
        said = outbox.sent_body(connection, self.account, row.chat, row.quoted_id)
        if said is not None:
            return Quoted(message_id=row.quoted_id, text=said, sender=None)
        for found in inbox.by_message(connection, self.account, chat=row.chat, message_id=row.quoted_id):
            with contextlib.suppress(Unreadable):
                heard = self.channel.parse(found)
                sender = None if heard.own else heard.sender
                return Quoted(message_id=row.quoted_id, text=clean(heard.text), sender=sender)
        return None

    async def _mark_sent(self, row: Row[Any], provider_id: str) -> None:
        """While the database cannot take the mark, repeat the mark alone: the customer has the answer."""
        is_notice = row.purpose in (Purpose.NOTICE, Purpose.REMINDER)

        def mark(connection: Connection) -> None:
            outbox.mark_sent(
                connection,
                self.queue,
                row.id,
                owner=self.owner,
                provider_id=provider_id,
                is_notice=is_notice,
            )
            if row.kind == Kind.DOCUMENT and row.document is not None:
                self.invoices.sent(connection, row.document)

        while True:
            try:
                await self.store.write(mark)
            except StoreUnavailable as exc:
                log.warning("mark_failed", row=row.id, reason=str(exc))
                await asyncio.sleep(MARK_PAUSE_S)
            else:
                return

    def _pointless(self, connection: Connection, row: Row[Any]) -> str:
        """Why an answer must not go any more; empty when it may.

        Since it was committed the owner may have silenced the chat, or hours may have passed.
        """
        customer = _customer(connection, row)
        if customer is None:
            return _SILENCED
        mode = modes.current(connection, self.account, configured=self.configured_mode)
        if gate(mode, customer, row.created_ms) not in (Pass.SEND, Pass.HOLD):
            return _SILENCED
        return _STALE if _age_ms(row) >= TOO_LATE_MS else ""

    def _drop(self, connection: Connection, row: Row[Any], why: str) -> None:
        queues.finish(connection, self.queue, [row.id], owner=self.owner, state=QueueState.DROPPED, error=why)
        introduction.not_sent(connection, self.wording, [row.id])
        if why == _STALE and row.kind != Kind.REACTION:
            self._tell_about(connection, row, "admin_basi")

    async def _is_behind_a_parked_one(self, row: Row[Any]) -> bool:
        """Order holds there too; and another attempt in that chat would only make it worse."""
        if not self._is_restricted:
            return False
        parks = self._parks
        here, anywhere = await self.store.read(
            lambda c: (outbox.parked(c, self.queue, chat=row.chat), outbox.parked(c, self.queue))
        )
        # One that was parked while we looked may not have been seen.
        self._is_restricted = bool(anywhere) or parks != self._parks
        return bool(here)

    async def _park(self, row: Row[Any], reason: str) -> None:
        await self.store.write(lambda c: self._write_parked(c, row, reason))
        self._parks += 1
        self._is_restricted = True

    def _write_parked(self, connection: Connection, row: Row[Any], reason: str) -> None:
        """Keep it for later; the owner is told once, however many there are."""
        outbox.park(connection, self.queue, row.id, owner=self.owner, reason=reason)
        if alerts.raise_once(connection, f"{RESTRICTED}:{self.account}", reason):
            self.people.notify(connection, self.wording.say("admin_dibatasi"), kind=handoffs.ALERT)

    async def _keep_pace(self) -> None:
        """At least ``pace_s`` between two sends of the account, and up to ``JITTER`` times as much."""
        pace_s = self.pace_s * self.channel.caution
        if pace_s <= 0:
            return
        now = time.monotonic()
        slot = max(now, self._next_send)
        self._next_send = slot + random.uniform(pace_s, JITTER * pace_s)
        await asyncio.sleep(slot - now)


def _customer(connection: Connection, row: Row[Any]) -> Customer | None:
    """Whom a claimed row is for; two addresses may have turned out to be one person since the claim."""
    claimed_for = None if row.customer_id is None else customers.get(connection, row.customer_id)
    if claimed_for is not None:
        return claimed_for
    customer_id = outbox.customer_of_row(connection, row.id)
    return None if customer_id is None else customers.get(connection, customer_id)


def _is_doubtful(row: Row[Any]) -> bool:
    """Whether an earlier attempt may have arrived."""
    return _UNKNOWN in (row.error or "")


def _age_ms(row: Row[Any]) -> int:
    return int(time.time() * 1000) - int(row.created_ms)


def _shown(connection: Connection, row: Row[Any]) -> str:
    """What the message says, or the name of its file."""
    if row.kind == Kind.DOCUMENT and row.document is not None:
        return f"📄 {row.document}"
    found = attachments.get(connection, row.id) if row.kind in FILES else None
    return row.body if found is None else f"📄 {found.filename} {row.body}".strip()


def _result(outcome: Outcome) -> str:
    """The outcome's name for the figures; 463 apart, for it says that the number is restricted."""
    name = type(outcome).__name__.lower()
    return f"{name}_463" if isinstance(outcome, Refused) and "463" in outcome.reason else name
