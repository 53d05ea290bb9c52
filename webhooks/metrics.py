"""`GET /metrics` for a monitor on this machine: counters of this process, and what waits in the database.

No label names a customer, an order or an invoice.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import Connection, func, select

from billing.lifecycle import INVOICED
from config.environment import is_loopback
from store import payment_events
from store.doors import Store
from store.errors import StoreError
from store.schema import QueueState, invoices, orders, outbox
from store.schema import payment_events as events

STARSENDER = "starsender"


class Metrics:
    """The figures of one process; each has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.notifications = Counter(
            "balas_notifications_total",
            "Notifications by what became of them at the door",
            ["result"],
            registry=self.registry,
        )
        self.confirmations = Counter(
            "balas_confirmations_total",
            "Notifications by what asking Midtrans brought",
            ["outcome"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "balas_waiting",
            "Rows that are not finished",
            ["queue"],
            registry=self.registry,
        )
        self.dead = Gauge("balas_dead_letters", "Rows that were given up", ["queue"], registry=self.registry)
        self.oldest_s = Gauge(
            "balas_oldest_notification_seconds",
            "Age of the oldest notification that is not confirmed",
            registry=self.registry,
        )
        self.paid_without_invoice = Gauge(
            "balas_paid_without_invoice",
            "Paid orders without an invoice; anything but 0 is a fault",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self._results: dict[str, Counter] = {}

    def count(self, result: str) -> None:
        """A notification was received; finding a label's counter costs more than counting."""
        counter = self._results.get(result)
        if counter is None:
            counter = self._results[result] = self.notifications.labels(result=result)
        counter.inc()

    def read(self, connection: Connection, account: str) -> None:
        """Look into the database for what waits there."""
        for name, table, transport in (
            ("notifications", events, payment_events.TRANSPORT),
            (STARSENDER, outbox, STARSENDER),
        ):
            mine = (table.c.account == account, table.c.transport == transport)
            open_rows = select(func.count()).where(*mine, table.c.finished_ms.is_(None))
            dead = select(func.count()).where(*mine, table.c.state == QueueState.DEAD.value)
            self.waiting.labels(queue=name).set(connection.execute(open_rows).scalar_one())
            self.dead.labels(queue=name).set(connection.execute(dead).scalar_one())
        self.oldest_s.set(payment_events.oldest_age_ms(connection, account) / 1000)
        without = (
            select(func.count())
            .select_from(orders.outerjoin(invoices, invoices.c.order_id == orders.c.id))
            .where(
                orders.c.account == account,
                orders.c.state.in_([state.value for state in INVOICED]),
                invoices.c.number.is_(None),
            )
        )
        self.paid_without_invoice.set(connection.execute(without).scalar_one())


def routes(metrics: Metrics, store: Store, account: str) -> list[web.RouteDef]:
    """The one route. Through a proxy, or from elsewhere, there is nothing here."""

    async def show(request: web.Request) -> web.Response:
        if not all(map(is_loopback, _comes_from(request))):
            raise web.HTTPNotFound
        try:
            await store.read(lambda c: metrics.read(c, account), slow=True)
        except StoreError as exc:
            raise web.HTTPServiceUnavailable from exc
        return web.Response(
            body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    return [web.get("/metrics", show)]


def _comes_from(request: web.Request) -> Iterator[str]:
    yield request.remote or ""
    # A proxy on this machine comes from the loopback as well, for somebody else.
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        yield from request.headers.getall(header, ())
