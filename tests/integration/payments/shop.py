"""The payment process inside a test: its real server and workers over a store, and Midtrans's stand-in."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Connection, select

from billing.checkout import Checkout
from billing.midtrans import Midtrans
from billing.outage import Outage
from billing.payments import Payments
from billing.poller import FAST, Pace, Poller
from billing.signature import signature_of
from billing.till import Till
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from sandbox.midtrans import MidtransServer
from store import attempts, customers, invoices, orders, rooms
from store.attempts import Attempt
from store.customers import Address
from store.doors import Store
from store.invoices import Invoice
from store.orders import Line, LineKind, Order, State
from store.rooms import RoomAddress
from store.schema import invoices as invoices_table
from store.schema import outbox, payment_events
from webhooks.app import make_app, serving
from webhooks.assembly import Service, assemble, taken_over

WAIT_S = 30.0
DAY_MS = 24 * 3_600_000
LINES = (
    Line(
        kind=LineKind.ITEM,
        code="IH20",
        name="Paket 20 Mbps",
        quantity=3,
        unit_idr=250_000,
        after_payment="Teknisi menghubungi Kakak hari ini.",
    ),
    Line(kind=LineKind.SHIPPING, code="ONGKIR", name="Ongkir", quantity=1, unit_idr=20_000),
)
TOTAL_IDR = 770_000
ROOM = "ruang"


@dataclass(kw_only=True)
class PaymentShop:
    """A shop that sells: orders, links, and the process that confirms what was paid."""

    settings: Settings
    store: Store
    midtrans: MidtransServer
    till: Till
    payments: Payments
    checkout: Checkout
    service: Service
    url: str
    session: aiohttp.ClientSession
    _numbers: int = field(default=0, init=False)

    async def order(
        self, *, lines: Sequence[Line] = LINES, expires_in_ms: int = DAY_MS, number: str | None = None
    ) -> Order:
        """A customer's confirmed order."""
        self._numbers += 1
        number = number or f"62812{self._numbers:08d}"

        def make(connection: Connection) -> Order:
            customer, _ = customers.resolve(
                connection, self.settings.account, [Address("s.whatsapp.net", number)], name="Budi"
            )
            return orders.create(
                connection,
                account=self.settings.account,
                customer_id=customer.id,
                transport="whatsapp",
                chat=f"{number}@s.whatsapp.net",
                lines=lines,
                expires_in_ms=expires_in_ms,
                details={"alamat": "Jl. Melati 3"},
            )

        return await self.store.write(make)

    async def linked(self, **options: Any) -> Attempt:
        """An order with a link that nobody has paid by yet."""
        order = await self.order(**options)
        return await self.checkout.link(order.id)

    async def state(self, order_id: str) -> State:
        """Where the order stands."""
        return (await self.found(order_id)).state

    async def found(self, order_id: str) -> Order:
        order = await self.store.read(lambda c: orders.get(c, order_id))
        assert order is not None
        return order

    async def attempt(self, attempt_id: str) -> Attempt:
        attempt = await self.store.read(lambda c: attempts.get(c, attempt_id))
        assert attempt is not None
        return attempt

    async def invoice(self, order_id: str) -> Invoice | None:
        return await self.store.read(lambda c: invoices.of_order(c, order_id))

    async def invoice_numbers(self) -> list[str]:
        """All numbers given so far."""
        wanted = select(invoices_table.c.number).order_by(invoices_table.c.number)
        return list(await self.store.read(lambda c: c.execute(wanted).scalars().all()))

    async def told(self, chat: str = ROOM) -> list[str]:
        """What was queued for a chat so far; the owner's room if none is named."""
        wanted = select(outbox.c.body).where(outbox.c.chat == chat).order_by(outbox.c.id)
        return list(await self.store.read(lambda c: c.execute(wanted).scalars().all()))

    async def notify(self, body: bytes | dict[str, Any]) -> int:
        """Bring a notification as it is; the HTTP status."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(
            f"{self.url}/midtrans/notification", data=raw, headers={"Content-Type": "application/json"}
        ) as answer:
            await answer.read()
            return answer.status

    def signed(self, **fields: Any) -> dict[str, Any]:
        """The fields of a notification with a true signature."""
        key = self.midtrans.desk.merchant.server_key
        signature = signature_of(
            str(fields["order_id"]), str(fields["status_code"]), str(fields["gross_amount"]), key
        )
        return {**fields, "signature_key": signature}

    async def events(self) -> list[tuple[str, str | None]]:
        """(state, error) of every notification on record, oldest first."""
        wanted = select(payment_events.c.state, payment_events.c.error).order_by(payment_events.c.id)
        return [(row[0], row[1]) for row in await self.store.read(lambda c: c.execute(wanted).all())]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until an awaitable condition holds."""
        async with asyncio.timeout(WAIT_S):
            # Rows are written by tasks that set no event.
            while not await condition():  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.01)

    async def confirmed(self) -> None:
        """Wait until every notification that was brought is worked off."""
        await self.midtrans.delivered(WAIT_S)

        async def nothing_left() -> bool:
            return all(state in ("done", "dead") for state, _ in await self.events())

        await self.until(nothing_left)

    async def poller_calls_off(self) -> None:
        """A round of the poller in which every link is due."""
        await self.poller(Pace(young_ms=0, often_ms=0, seldom_ms=0)).round()

    def poller(self, pace: Pace = FAST) -> Poller:
        """A poller whose rounds the test makes itself."""
        return Poller(
            store=self.store, till=self.till, payments=self.payments, checkout=self.checkout, pace=pace
        )


@contextlib.asynccontextmanager
async def payment_shop(
    store: Store, midtrans: MidtransServer, settings: Settings, *, runs: bool = True
) -> AsyncIterator[PaymentShop]:
    """The process's server and workers, running in this loop; ``runs`` False: the server alone."""
    shop = Shop(nama="Toko Uji")
    wording = Wording.load(settings.data_dir, shop)
    room = RoomAddress(account=settings.account, transport="whatsapp", chat=ROOM)
    await store.write(lambda c: rooms.announce(c, room))
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(assemble(settings, shop, wording, store))
        app = make_app(store, settings.account, routes=service.routes)
        host, port = await stack.enter_async_context(serving(app, settings.webhooks, drain_s=2))
        await stack.enter_async_context(taken_over(service, alone=False))
        # The poller is the tests' own: it must not make good what they want to see go wrong.
        background = dict(service.background)
        background.pop("poller").close()
        tasks = []
        for name, work in background.items():
            if runs:
                tasks.append(asyncio.create_task(work, name=name))
            else:
                work.close()
        till = Till.of(settings, shop, wording)
        client = await stack.enter_async_context(Midtrans(settings.billing))
        payments = Payments(store=store, midtrans=client, till=till, outage=Outage(store=store, till=till))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        url = f"http://{host}:{port}"
        midtrans.notify_url = f"{url}/midtrans/notification"
        try:
            yield PaymentShop(
                settings=settings,
                store=store,
                midtrans=midtrans,
                till=till,
                payments=payments,
                checkout=Checkout(store=store, midtrans=client, payments=payments),
                service=service,
                url=url,
                session=session,
            )
        finally:
            midtrans.notify_url = None
            await service.stop(2.0)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert [one for one in ended if isinstance(one, Exception)] == []


def settings_for(midtrans: MidtransServer, folder: Path, **keys: str) -> Settings:
    """The product's settings with Midtrans's stand-in."""
    (folder / "data").mkdir(exist_ok=True)
    environ = {
        "OPENAI_API_KEY": "kunci-uji",
        "SHOP_NAME": "Toko Uji",
        "DATA_DIR": str(folder / "data"),
        "STATE_DIR": str(folder / "var"),
        "WEBHOOKS_PORT": "0",
        "POLL_S": "0.02",
        **midtrans.environment,
    }
    return Settings.load(environ=environ | keys, env_file=None)
