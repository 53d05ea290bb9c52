"""From an order to a way to pay it: the order and its attempt are committed first, then the link is made.

A link whose making was not answered may exist, and somebody may find it: its attempt stays ``unknown`` and
is asked about like any other. The next try is another attempt with another id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from billing.errors import BillingError, MidtransMisconfigured, MidtransUncertain, NotPayable
from billing.midtrans import Buyer, Midtrans
from billing.payloads import QRIS_MOST_IDR
from billing.payments import Payments
from billing.till import customer_of, database_time
from store import attempts, orders
from store.attempts import Attempt, Channel
from store.attempts import State as AttemptState
from store.doors import Store
from store.orders import Line, Method, Order, State

log = structlog.get_logger(__name__)

_LIVE = (AttemptState.OPEN, AttemptState.UNKNOWN)
# A link that ends in a moment is of no use to anybody.
_LEAST_LEFT_MS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    """What was committed before Midtrans is asked."""

    attempt: Attempt
    lines: Sequence[Line]
    buyer: Buyer
    is_new: bool


@dataclass(kw_only=True)
class Checkout:
    """Makes links, asks about them, calls them off. The store's rows are the truth, before and after."""

    store: Store
    midtrans: Midtrans
    payments: Payments

    async def link(self, order_id: str) -> Attempt:
        """The order's link: the one that its customer has, or a new one; ``url`` is set in what comes back.

        Raises ``NotPayable`` for an order that is over or paid, and ``billing.errors`` when Midtrans does
        not make it; then the order stands as before, and the same call may be repeated.
        """
        begun = await self.store.write(lambda c: self._begin(c, order_id))
        attempt = begun.attempt
        if not begun.is_new:
            return attempt
        try:
            link = await self.midtrans.make_link(attempt, begun.lines, begun.buyer)
        except MidtransUncertain as exc:
            log.warning("link_uncertain", attempt=attempt.id, reason=str(exc))
            raise
        except Exception as exc:
            # It certainly does not exist.
            await self.store.write(lambda c: attempts.close(c, attempt.id))
            if isinstance(exc, MidtransMisconfigured):
                await self.payments.outage.key_refused(str(exc))
            raise

        def opened(connection: Connection) -> Attempt:
            if attempts.opened(connection, attempt.id, token=link.token, url=link.url):
                orders.move(connection, order_id, was=State.CREATED, to=State.PENDING)
            found = attempts.get(connection, attempt.id)
            assert found is not None
            return found

        made = await self.store.write(opened)
        log.info("link_made", attempt=attempt.id, channel=attempt.channel.value)
        return made

    async def ask(self, order_id: str) -> Order | None:
        """Ask Midtrans now about every link that may have brought money; the order as it stands then.

        Raises ``MidtransUnavailable`` when it cannot be asked: then nobody knows.
        """
        for attempt in await self.store.read(lambda c: attempts.of_order(c, order_id)):
            if attempt.state in _LIVE:
                await self.payments.confirm(attempt.id)
        return await self.store.read(lambda c: orders.get(c, order_id))

    async def cancel(self, order_id: str) -> bool:
        """Call the order off for its customer; False when it was paid (or over) by then.

        Raises ``MidtransUnavailable`` when nobody can say whether it was paid: then nothing is changed.
        """
        order = await self.ask(order_id)
        if order is None or order.state not in orders.UNPAID or order.state is State.REVIEW:
            return False
        cancelled = await self.store.write(
            lambda c: orders.move(c, order_id, was=order.state, to=State.CANCELLED)
        )
        if cancelled:
            await self.call_off_links(order_id)
        return cancelled

    async def call_off_links(self, order_id: str) -> None:
        """Nobody shall pay the order by a link any more; the poller does what is left when this fails."""
        for attempt in await self.store.read(lambda c: attempts.of_order(c, order_id)):
            if attempt.state in _LIVE:
                try:
                    await self.call_off(attempt)
                except BillingError as exc:
                    log.warning("link_not_called_off", attempt=attempt.id, reason=str(exc))

    async def call_off(self, attempt: Attempt) -> None:
        """Call one link off and find out what became of it; a payment that was faster is confirmed."""
        await self.midtrans.call_off(attempt)
        await self.payments.confirm(attempt.id)
        await self.store.write(lambda c: self._close(c, attempt))

    @staticmethod
    def _close(connection: Connection, attempt: Attempt) -> None:
        """A page on which nothing was picked is reported by nobody; a charged card is a person's to judge."""
        order = orders.get(connection, attempt.order_id)
        if order is not None and order.state is not State.REVIEW:
            attempts.close(connection, attempt.id)

    def _begin(self, connection: Connection, order_id: str) -> _Begun:
        order = orders.lock(connection, order_id)
        if order is None:
            raise NotPayable(f"there is no order {order_id}")
        if order.state not in (State.CREATED, State.PENDING, State.WAITING_CONFIRMATION):
            raise NotPayable(f"order {order_id} is {order.state.value}")
        if order.expires_ms - database_time(connection) < _LEAST_LEFT_MS:
            raise NotPayable(f"the time of order {order_id} is over")
        channel = self._channel(order)
        for attempt in attempts.of_order(connection, order_id):
            if attempt.state is AttemptState.OPEN and attempt.url and attempt.amount_idr == order.total_idr:
                return _Begun(attempt=attempt, lines=(), buyer=Buyer(), is_new=False)
        if order.method is not Method.MIDTRANS:
            orders.set_method(connection, order_id, Method.MIDTRANS)
        customer = customer_of(connection, order)
        return _Begun(
            attempt=attempts.create(connection, order, channel=channel),
            lines=orders.lines_of(connection, order_id),
            buyer=Buyer(name=customer.name or None, number=customer.number or None),
            is_new=True,
        )

    def _channel(self, order: Order) -> Channel:
        wanted = self.payments.till.settings.qris and order.total_idr <= QRIS_MOST_IDR
        return Channel.QRIS if wanted else Channel.SNAP
