"""The worker's handler for what goes out by Starsender: the text first, the invoice as a file second.

At least once: what may not have arrived is sent once more, marked, and then by the bot's own session.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from billing.posting import BY_STARSENDER, STARSENDER, InvoicePost
from billing.printing import CannotPrint, Printer
from billing.starsender import Accepted, Again, Cause, Failed, Outcome, StarsenderClient, Uncertain
from config.wording import Wording
from store import alerts, handoffs, invoices, orders, rooms, worker
from store import queue as queues
from store.doors import Store
from store.invoices import Invoice
from store.outbox import Kind
from store.queue import Backoff, Queue, outbox_queue
from store.schema import QueueState
from store.worker import Worker

log = structlog.get_logger(__name__)

# Long before these are used up the row's patience is over.
BACKOFF = Backoff(attempts=100, first_s=2.0, most_s=60.0)
LANES = 4
ALERT = "starsender"
# Stands in a row's error after an attempt of which nobody knows whether it arrived.
_UNCERTAIN = "uncertain"


@dataclass(kw_only=True)
class StarsenderDelivery:
    """Sends one claimed outbox row. ``client`` None: there is no key (any more), so the bot has to do it."""

    account: str
    store: Store
    queue: Queue
    owner: str
    client: StarsenderClient | None
    post: InvoicePost
    printer: Printer
    wording: Wording
    patience_s: float

    async def deliver(self, row: Row[Any]) -> None:
        """Send the row and mark it, or give it to the bot; raises what the worker understands."""
        doubtful = self._is_doubtful(row)
        match await self._send(row, doubtful=doubtful):
            case Accepted():
                await self._accepted(row)
            case Again(_, reason, after_s) if not self._is_overdue(row):
                raise worker.Retry(self._remembering(reason, doubtful=doubtful), after_s=after_s)
            case Uncertain(_, reason) if not doubtful:
                raise worker.Retry(f"{_UNCERTAIN}: {reason}")
            case Uncertain(cause, reason):
                await self._hand_over(row, cause, reason, doubtful=True)
            case Again(cause, reason) | Failed(cause, reason):
                await self._hand_over(row, cause, reason, doubtful=doubtful)

    async def _send(self, row: Row[Any], *, doubtful: bool) -> Outcome:
        if self.client is None:
            return Failed(Cause.OFF, "STARSENDER_KEY is not set")
        body = self.post.repeated(row.body) if doubtful else row.body
        invoice = None
        if row.document is not None:
            invoice = await self.store.read(lambda c: invoices.get(c, self.account, row.document))
        if row.kind != Kind.DOCUMENT:
            # The file is fetched in a moment, so it is made while the text is under way.
            outcome, _ = await asyncio.gather(self.client.send_text(row.chat, body), self._print(invoice))
            return outcome
        address = None if invoice is None else self.post.address(invoice)
        if address is None:
            return Failed(Cause.OFF, "PUBLIC_URL is not set, so nobody could fetch the file")
        return await self.client.send_file(row.chat, body, address)

    async def _print(self, invoice: Invoice | None) -> None:
        """Make the document, for whoever asks for it next; when it cannot be made, he finds that out."""
        if invoice is not None:
            with contextlib.suppress(CannotPrint):
                await self.printer.print(invoice.body)

    def give_up(self, connection: Connection, row: Row[Any], reason: str) -> None:
        """The row is a dead letter: the bot sends the invoice, and the owner is told. For ``Worker``."""
        self._to_the_bot(connection, row, Cause.OURS, reason, doubtful=self._is_doubtful(row))

    async def _accepted(self, row: Row[Any]) -> None:
        def mark(connection: Connection) -> None:
            queues.finish(connection, self.queue, [row.id], owner=self.owner)
            if row.kind == Kind.DOCUMENT:
                invoices.delivered(connection, self.account, row.document, by=BY_STARSENDER)
            if alerts.recover(connection, f"{ALERT}:{self.account}"):
                self._tell(connection, self.wording.say("admin_starsender_pulih"))

        await self.store.write(mark)
        log.info("starsender_sent", row=row.id, kind=row.kind, invoice=row.document)

    async def _hand_over(self, row: Row[Any], cause: Cause, reason: str, *, doubtful: bool) -> None:
        def hand_over(connection: Connection) -> None:
            queues.finish(
                connection,
                self.queue,
                [row.id],
                owner=self.owner,
                state=QueueState.DROPPED,
                error=f"the bot sends it: {reason}",
            )
            self._to_the_bot(connection, row, cause, reason, doubtful=doubtful)

        await self.store.write(hand_over)

    def _to_the_bot(
        self, connection: Connection, row: Row[Any], cause: Cause, reason: str, *, doubtful: bool
    ) -> None:
        log.warning("starsender_failed", row=row.id, invoice=row.document, cause=cause.value, reason=reason)
        about = f"Starsender: {cause.value}: {reason}"
        if alerts.raise_once(connection, f"{ALERT}:{self.account}", about):
            why = self.wording.say(f"admin_sebab_starsender_{cause.value}", kata=reason)
            self._tell(connection, self.wording.say("admin_starsender", sebab=why))
        invoice = None if row.document is None else invoices.get(connection, self.account, row.document)
        order = None if invoice is None else orders.get(connection, invoice.order_id)
        if invoice is not None and order is not None:
            self.post.hand_over(connection, invoice, order, reason, doubtful=doubtful)

    def _tell(self, connection: Connection, body: str) -> None:
        rooms.tell(connection, rooms.of_account(connection, self.account), body, kind=handoffs.ALERT)

    def _is_overdue(self, row: Row[Any]) -> bool:
        # Both by the database's clock: this machine's may jump.
        return int(row.claimed_ms - row.created_ms) > self.patience_s * 1000

    @staticmethod
    def _is_doubtful(row: Row[Any]) -> bool:
        """Whether an earlier attempt may have arrived: it said so, or the process died over it."""
        return _UNCERTAIN in (row.error or "") or queues.deaths(row) > 0

    @staticmethod
    def _remembering(reason: str, *, doubtful: bool) -> str:
        return f"{_UNCERTAIN} before; {reason}" if doubtful else reason


def starsender_worker(delivery: StarsenderDelivery, *, poll_s: float) -> Worker:
    """The worker of the Starsender rows of one account."""
    return Worker(
        store=delivery.store,
        queue=delivery.queue,
        handler=delivery.deliver,
        owner=delivery.owner,
        backoff=BACKOFF,
        concurrency=LANES,
        poll_s=poll_s,
        on_dead=delivery.give_up,
    )


def starsender_queue(account: str) -> Queue:
    """What waits for Starsender; the key is the number that it goes to."""
    return outbox_queue(account, STARSENDER)
