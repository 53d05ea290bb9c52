"""Builds the payment process's concrete parts and wires them: the only module that knows them all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy import Connection

from billing.checkout import Checkout
from billing.midtrans import Midtrans
from billing.outage import Outage
from billing.payments import Payments
from billing.poller import FAST, SLOW, Poller
from billing.printing import Printer
from billing.starsender import StarsenderClient
from billing.till import Till
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store import owners
from store import queue as queues
from store.doors import Store
from store.errors import StoreError
from store.event_batches import EventBatches
from store.queue import OWNER_TIMEOUT_MS, Queue
from store.worker import Worker
from webhooks import invoices, metrics, notifications
from webhooks.confirming import Confirming, confirming_worker, notification_queue
from webhooks.metrics import Metrics
from webhooks.notifications import Receiver
from webhooks.starsender import StarsenderDelivery, starsender_queue, starsender_worker

log = structlog.get_logger(__name__)

# Three beats within the time after which others take a silent owner's rows.
HEARTBEAT_S = OWNER_TIMEOUT_MS / 3000


@dataclass(kw_only=True)
class Service:
    """What runs in the process beside the server."""

    store: Store
    account: str
    instance: str
    routes: Sequence[web.RouteDef]
    workers: dict[str, Worker]
    queues: Sequence[Queue]
    background: dict[str, Coroutine[Any, Any, None]] = field(default_factory=dict)

    async def stop(self, drain_s: float) -> None:
        """Claim nothing more; what is in flight gets ``drain_s`` to end."""
        with contextlib.suppress(StoreError):
            await asyncio.gather(*(worker.stop(drain_s=drain_s) for worker in self.workers.values()))

    def take_over(self, connection: Connection, *, alone: bool) -> int:
        """Claimed rows of silent owners are claimable again; all claimed rows when nobody else can be."""
        take_back = queues.take_back_all if alone else queues.take_back_dead
        return sum(take_back(connection, queue) for queue in self.queues)


@contextlib.asynccontextmanager
async def assemble(settings: Settings, shop: Shop, wording: Wording, store: Store) -> AsyncIterator[Service]:
    """Everything built and opened; closed in reverse. Without a Midtrans key there are transfers only."""
    account, billing, poll_s = settings.account, settings.billing, settings.bot.poll_s
    till = Till.of(settings, shop, wording)
    instance = owners.new_instance_id("webhooks")
    figures = Metrics()
    printer = Printer()
    routes = metrics.routes(figures, store, account) + invoices.routes(store, account, printer)
    workers: dict[str, Worker] = {}
    payments: Payments | None = None
    checkout: Checkout | None = None
    async with contextlib.AsyncExitStack() as stack:
        client = None
        if billing.starsender_key is not None:
            client = await stack.enter_async_context(
                StarsenderClient(key=billing.starsender_key, base_url=billing.starsender_url)
            )
        # Also without a key: what was queued before it was taken away goes to the bot.
        workers["starsender"] = starsender_worker(
            StarsenderDelivery(
                account=account,
                store=store,
                queue=starsender_queue(account),
                owner=instance,
                client=client,
                post=till.post,
                printer=printer,
                wording=wording,
                patience_s=billing.starsender_patience_s,
            ),
            poll_s=poll_s,
        )
        if billing.server_key is not None:
            midtrans = await stack.enter_async_context(Midtrans(billing))
            outage = Outage(store=store, till=till)
            payments = Payments(store=store, midtrans=midtrans, till=till, outage=outage)
            checkout = Checkout(store=store, midtrans=midtrans, payments=payments)
            workers["confirming"] = confirming_worker(
                Confirming(
                    store=store,
                    queue=notification_queue(account),
                    owner=instance,
                    payments=payments,
                    till=till,
                    metrics=figures,
                    paid=workers["starsender"].wake,
                ),
                poll_s=poll_s,
            )
            receiver = Receiver(
                batches=EventBatches(store, account),
                server_key=billing.server_key,
                metrics=figures,
                recorded=workers["confirming"].wake,
            )
            routes += notifications.routes(receiver)
        poller = Poller(
            store=store,
            till=till,
            payments=payments,
            checkout=checkout,
            pace=FAST if billing.polls_fast else SLOW,
        )
        service = Service(
            store=store,
            account=account,
            instance=instance,
            routes=routes,
            workers=workers,
            queues=(notification_queue(account), starsender_queue(account)),
        )
        service.background = {
            **{name: worker.run() for name, worker in workers.items()},
            "poller": poller.run(),
            "heartbeat": _heartbeat(service),
        }
        yield service


@contextlib.asynccontextmanager
async def taken_over(service: Service, *, alone: bool) -> AsyncIterator[None]:
    """Registered as an owner for as long as the block runs, with what dead ones had in hand taken back."""

    def register(connection: Connection) -> int:
        owners.register(connection, service.instance, service.account)
        return service.take_over(connection, alone=alone)

    if taken := await service.store.write(register):
        log.info("taken_back", rows=taken)
    try:
        yield
    finally:
        with contextlib.suppress(StoreError):
            await service.store.write(lambda connection: owners.unregister(connection, service.instance))


async def _heartbeat(service: Service) -> None:
    """A sign of life, and a look for owners without one, until it is cancelled."""

    def beat(connection: Connection) -> int:
        if not owners.beat(connection, service.instance):
            # This machine slept for so long that the others forgot us.
            owners.register(connection, service.instance, service.account)
        return service.take_over(connection, alone=False)

    while True:
        await asyncio.sleep(HEARTBEAT_S)
        try:
            if taken := await service.store.write(beat):
                log.warning("taken_back", rows=taken)
        except StoreError as exc:
            log.warning("heartbeat_failed", reason=str(exc))
