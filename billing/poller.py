"""What nobody tells us: lost notifications, ends of time, links of orders that are over.

Midtrans is asked about every link that may still bring money: every ten seconds while it is young and every
minute later when Midtrans cannot reach us, and in a slow sweep when it can. After a start every young link is
asked about at once: its notification may have come while nobody was there, and comes again in two minutes at
the earliest. An order is never closed by our clock alone: Midtrans is asked first.
"""

from __future__ import annotations

import asyncio
import time as clock
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection

from billing.checkout import Checkout
from billing.errors import BillingError, MidtransMisconfigured, MidtransUnavailable
from billing.payments import Payments, write_to_customer
from billing.rupiah import format_rupiah
from billing.till import Till, database_time
from config.hours import describe_moment
from store import attempts, orders
from store.attempts import Attempt
from store.attempts import State as AttemptState
from store.doors import Store
from store.errors import StoreError
from store.orders import Order, State

log = structlog.get_logger(__name__)

MINUTE_MS = 60_000
# A page may be paid on in its last second, and Midtrans needs a moment to know it.
GRACE_MS = 2 * MINUTE_MS
MOST_AT_ONCE = 8
_LIVE = (AttemptState.OPEN, AttemptState.UNKNOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often Midtrans is asked about a link: often until it is ``young_ms`` old, then seldom."""

    young_ms: int
    often_ms: int
    seldom_ms: int


# Nothing reaches us: a customer who has just paid waits for this.
FAST = Pace(young_ms=15 * MINUTE_MS, often_ms=10_000, seldom_ms=MINUTE_MS)
# For what was lost on the way: each link within less than the quarter of an hour that is promised.
SLOW = Pace(young_ms=15 * MINUTE_MS, often_ms=5 * MINUTE_MS, seldom_ms=10 * MINUTE_MS)


@dataclass(kw_only=True)
class Poller:
    """Runs beside the worker of notifications. ``midtrans`` is optional: transfers end in time, too."""

    store: Store
    till: Till
    payments: Payments | None
    checkout: Checkout | None
    pace: Pace
    pause_s: float = 2.0
    _began: float | None = field(default=None, init=False)  # when ``run`` was called
    # Not known at a start: what ended at night may be left from the process before.
    _night_is_told: bool = field(default=False, init=False)

    async def run(self) -> None:
        """One round after the other, until it is cancelled; an outage of the store or Midtrans ends none."""
        self._began = clock.monotonic()
        while True:
            try:
                await self.round()
            except StoreError as exc:
                log.warning("poll_failed", reason=str(exc))
            await asyncio.sleep(self.pause_s)

    async def round(self) -> None:
        """Everything that is due now."""
        await self._ask_about_links()
        await self._close_what_is_over()
        await self._tell_of_the_night()
        await self._remind()

    async def _ask_about_links(self) -> None:
        if self.payments is None or self.checkout is None:
            return
        pace, often_ms = self.pace, self._often_ms()
        due = await self.store.read(
            lambda c: attempts.to_check(
                c,
                self.till.account,
                young_ms=pace.young_ms,
                often_ms=often_ms,
                seldom_ms=pace.seldom_ms,
                most=MOST_AT_ONCE,
            )
        )
        asked = await asyncio.gather(*(self._look(attempt) for attempt in due))
        if due and not any(asked):
            # Not one answer: the same links would be asked about in every round.
            await asyncio.sleep(min(self.pause_s * 5, 10.0))

    def _often_ms(self) -> int:
        """At first, young links are due that nobody asked about since we run."""
        if self._began is None:
            return self.pace.often_ms
        return min(self.pace.often_ms, int((clock.monotonic() - self._began) * 1000))

    async def _look(self, attempt: Attempt) -> bool:
        """Ask about one link, and end it when its order is over; False when Midtrans cannot be asked."""
        assert self.payments is not None
        assert self.checkout is not None
        order = await self.store.read(lambda c: orders.get(c, attempt.order_id))
        try:
            if order is not None and order.state not in orders.UNPAID:
                await self.checkout.call_off(attempt)
            else:
                await self.payments.confirm(attempt.id)
        except (MidtransUnavailable, MidtransMisconfigured) as exc:
            log.warning("midtrans_not_asked", attempt=attempt.id, reason=str(exc))
            return False
        except BillingError as exc:
            log.warning("link_not_understood", attempt=attempt.id, reason=str(exc))
        return True

    async def _close_what_is_over(self) -> None:
        for order in await self.store.read(lambda c: orders.past_expiry(c, self.till.account)):
            try:
                await self._close(order)
            except BillingError as exc:
                # Nobody knows whether it was paid: it stays open until Midtrans can be asked.
                log.warning("order_not_closed", order=order.id, reason=str(exc))

    async def _close(self, order: Order) -> None:
        now = await self.store.read(database_time)
        links = await self.store.read(lambda c: attempts.of_order(c, order.id))
        live = [attempt for attempt in links if attempt.state in _LIVE]
        if live and (self.payments is None or now < order.expires_ms + GRACE_MS):
            return
        for attempt in live:
            assert self.payments is not None
            await self.payments.confirm(attempt.id)
        await self.store.write(lambda c: self._expire(c, order.id))

    def _expire(self, connection: Connection, order_id: str) -> None:
        order = orders.lock(connection, order_id)
        # Paid or closed while Midtrans was asked; the customer got more time, or says he has transferred.
        if order is None or not orders.is_past_expiry(connection, self.till.account, order_id):
            return
        # A draft just ends: its customer has read of no time. Of a transfer a person has spoken.
        is_told = order.state is not State.CREATED and not orders.is_transfer_told(connection, order.id)
        is_quiet = self._is_quiet()
        orders.expire(connection, order, tell_later=is_told and is_quiet)
        log.info("order_expired", order=order_id)
        if is_told and not is_quiet:
            self._write(connection, order, "bayar_habis")

    async def _tell_of_the_night(self) -> None:
        """What ended at night is said in the morning.

        In the outbox it would keep everything waiting that comes after it in its chat.
        """
        if self._is_quiet():
            self._night_is_told = False
            return
        if self._night_is_told:
            return

        def tell(connection: Connection) -> None:
            for order in orders.to_tell(connection, self.till.account):
                told_of_transfer = orders.is_transfer_told(connection, order.id)
                if orders.told(connection, order.id) and not told_of_transfer:
                    self._write(connection, order, "bayar_habis")

        if await self.store.read(lambda c: orders.to_tell(c, self.till.account), slow=True):
            await self.store.write(tell)
        self._night_is_told = True

    def _is_quiet(self) -> bool:
        return self.till.shop.is_quiet_time(datetime.now(UTC))

    async def _remind(self) -> None:
        within_ms = self.till.settings.reminder_min * MINUTE_MS
        if within_ms == 0 or self._is_quiet():
            return

        def due(connection: Connection) -> list[Order]:
            # Of a short time to pay nobody is reminded before half of it is over.
            found = orders.to_remind(connection, self.till.account, within_ms=within_ms)
            now = database_time(connection)
            return [one for one in found if now >= (one.created_ms + one.expires_ms) // 2]

        def remind(connection: Connection) -> None:
            for order in due(connection):
                orders.reminded(connection, order.id)
                by_transfer = order.state is State.WAITING_CONFIRMATION
                self._write(
                    connection,
                    order,
                    "bayar_pengingat_transfer" if by_transfer else "bayar_pengingat",
                    batas=describe_moment(
                        self.till.time(order.expires_ms), at=datetime.now(UTC), zone=self.till.shop.zona_waktu
                    ),
                )

        if await self.store.read(due):
            await self.store.write(remind)

    def _write(self, connection: Connection, order: Order, sentence: str, **values: str) -> None:
        body = self.till.wording.say(
            sentence, total=format_rupiah(order.total_idr), pesanan=order.id, **values
        )
        write_to_customer(connection, order, body)
