"""The worker behind the notifications: asks Midtrans about each, in order, until it has an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from billing.errors import BillingError, MidtransMisconfigured, MidtransUnavailable
from billing.payments import Outcome, Payments
from billing.till import Till
from store import handoffs, payment_events, rooms
from store import queue as queues
from store.doors import Store
from store.queue import Backoff, Queue
from store.worker import Discard, Retry, Worker
from webhooks.metrics import Metrics

log = structlog.get_logger(__name__)

# A week of Midtrans being away makes no dead letter. When it is back, a customer who has paid waits for the
# longest pause.
BACKOFF = Backoff(attempts=50_000, first_s=1.0, most_s=30.0)
LANES = 8
# Midtrans notifies before its own status knows of it, for a moment.
PATIENCE_FOR_STATUS = 5
# What Midtrans answers and we do not understand is not understood an hour later either.
PATIENCE_FOR_ANSWERS = 5


@dataclass(kw_only=True)
class Confirming:
    """Handles one claimed event; the row is finished in the transaction that changes its order."""

    store: Store
    queue: Queue
    owner: str
    payments: Payments
    till: Till
    metrics: Metrics
    # Called when an order was paid: its invoice is not to wait for the next look into the outbox.
    paid: Callable[[], None] = lambda: None

    async def handle(self, row: Row[Any]) -> None:
        """Confirm what the event is about; raises what the worker understands."""

        def finish(connection: Connection, outcome: Outcome) -> None:
            if outcome is Outcome.NOTHING_YET and row.failures + 1 < PATIENCE_FOR_STATUS:
                raise Retry("Midtrans notified, and its status knows of nothing yet")
            queues.finish(connection, self.queue, [row.id], owner=self.owner, error=outcome.value)

        try:
            outcome = await self.payments.confirm(row.key, finish=finish)
        except (MidtransUnavailable, MidtransMisconfigured) as exc:
            waited_s = (row.claimed_ms - row.received_ms) / 1000
            await self.payments.outage.failed(str(exc), waited_s=waited_s)
            self.metrics.confirmations.labels(outcome="midtrans_away").inc()
            raise Retry(str(exc)) from exc
        except BillingError as exc:
            if row.failures + 1 >= PATIENCE_FOR_ANSWERS:
                raise Discard(str(exc)) from exc
            raise Retry(str(exc)) from exc
        self.metrics.confirmations.labels(outcome=outcome.value).inc()
        if outcome is Outcome.PAID:
            self.paid()

    def tell_of_dead_letter(self, connection: Connection, row: Row[Any], reason: str) -> None:
        """The owner hears of a notification that was given up, in the transaction that does it."""
        say = self.till.wording.say
        body = say("admin_notifikasi_mati", sebab=say("admin_rincian_log"))
        room = rooms.of_account(connection, self.till.account)
        rooms.tell(connection, room, body, kind=handoffs.ALERT)


def confirming_worker(confirming: Confirming, *, poll_s: float) -> Worker:
    """The worker of the account's notifications."""
    return Worker(
        store=confirming.store,
        queue=confirming.queue,
        handler=confirming.handle,
        owner=confirming.owner,
        backoff=BACKOFF,
        concurrency=LANES,
        poll_s=poll_s,
        on_dead=confirming.tell_of_dead_letter,
    )


def notification_queue(account: str) -> Queue:
    """What waits to be confirmed; the key is the attempt's id."""
    return payment_events.payment_queue(account)
