"""Midtrans as the sale's cashier: its errors become answers that can be told to a customer."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from billing.checkout import Checkout
from billing.errors import BillingError, NotPayable
from bot.selling.cashier import Money
from bot.selling.sayings import Link
from store import orders
from store.attempts import Channel
from store.doors import Store
from store.orders import Order, State

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class MidtransCashier:
    """``bot.selling.cashier.Cashier`` over ``billing.checkout``."""

    store: Store
    checkout: Checkout

    async def link(self, order_id: str) -> Link | None:
        """The order's link, made if it has none; None when Midtrans does not make it now."""
        try:
            attempt = await self.checkout.link(order_id)
        except BillingError as exc:
            log.warning("no_link", order=order_id, kind=type(exc).__name__, reason=str(exc))
            return None
        if attempt.url is None:
            return None
        # The token of a QRIS charge is what its code says.
        code = attempt.token if attempt.channel is Channel.QRIS else None
        return Link(url=attempt.url, expires_ms=attempt.expires_ms, qris=code or "")

    async def look(self, order_id: str) -> Money:
        """What Midtrans says now."""
        try:
            order = await self.checkout.ask(order_id)
        except BillingError as exc:
            log.warning("cannot_look", order=order_id, kind=type(exc).__name__, reason=str(exc))
            return Money.NOBODY_KNOWS
        return _money(order)

    async def call_off(self, order_id: str) -> Money:
        """Cancelled (``OVER``), or why it is not."""
        try:
            cancelled = await self.checkout.cancel(order_id)
        except NotPayable:
            cancelled = False
        except BillingError as exc:
            log.warning("not_called_off", order=order_id, kind=type(exc).__name__, reason=str(exc))
            return Money.NOBODY_KNOWS
        if cancelled:
            return Money.OVER
        return _money(await self.store.read(lambda c: orders.get(c, order_id)))


def _money(order: Order | None) -> Money:
    if order is None:
        return Money.OVER
    if order.paid_ms is not None:
        return Money.PAID
    if order.state is State.REVIEW:
        return Money.REVIEW
    return Money.NOT_YET if order.state in orders.UNPAID else Money.OVER
