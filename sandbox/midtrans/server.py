"""The stand-in that tests, demo and benchmarks run inside their own process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.faults import FOREVER_S, Fault, Faults, Mode
from sandbox.midtrans import wire
from sandbox.midtrans.api import Api
from sandbox.midtrans.courier import Courier, Delivery
from sandbox.midtrans.desk import Desk, Merchant
from sandbox.midtrans.faults import Target
from sandbox.midtrans.page import ROOT, SnapPage
from sandbox.midtrans.transaction import Transaction

SERVER_KEY = "SB-Mid-server-tiruan0000000000000"
CLIENT_KEY = "SB-Mid-client-tiruan0000000000"
MERCHANT_ID = "G000000000"


class MidtransServer:
    """``async with MidtransServer() as midtrans``: Midtrans on loopback, with one merchant.

    Notifications go to ``notify_url``, which may be set later; ``minute_s`` is how long a minute of their
    retry rules lasts. Everything that a customer or Midtrans does is a method here, by order id.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        notify_url: str | None = None,
        merchant_name: str = "Toko",
        merchant_id: str = MERCHANT_ID,
        server_key: str = SERVER_KEY,
        client_key: str = CLIENT_KEY,
        minute_s: float = 60.0,
    ) -> None:
        self._port = port
        merchant = Merchant(name=merchant_name, id=merchant_id, server_key=server_key, client_key=client_key)
        self.courier = Courier(url=notify_url, minute_s=minute_s)
        self.desk = Desk(merchant, self.courier)
        self.faults = Faults()
        self.api = Api(self.desk, self.faults, page_of=self._page_of, base=lambda: self.url)
        self._page = SnapPage(self.desk)
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()
        self.desk.watchers.append(lambda _: self._changed.set())

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1024 * 1024)
        app.add_routes([*self.api.routes, *self._page.routes])
        # A hanging request ends with its client, and never holds up the server's own end.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        self._runner = runner
        await self.courier.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.desk.close()
        await self.courier.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The address of the Core API; Snap's is ``/snap/v1`` below it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which the product comes here."""
        return {
            "MIDTRANS_SERVER_KEY": self.desk.merchant.server_key,
            "MIDTRANS_CLIENT_KEY": self.desk.merchant.client_key,
            "MIDTRANS_MERCHANT_ID": self.desk.merchant.id,
            "MIDTRANS_PRODUCTION": "false",
            "MIDTRANS_SNAP_URL": f"{self.url}/snap/v1",
            "MIDTRANS_API_URL": self.url,
        }

    @property
    def notify_url(self) -> str | None:
        """Where notifications go; None keeps them here."""
        return self.courier.url

    @notify_url.setter
    def notify_url(self, url: str | None) -> None:
        self.courier.url = url

    @property
    def deliveries(self) -> list[Delivery]:
        """Every notification so far, and how each attempt to bring it went."""
        return self.courier.deliveries

    def transaction(self, order_id: str) -> Transaction:
        """How it stands with this order. Raises KeyError before it was created."""
        return self.desk[order_id]

    def page_of(self, order_id: str) -> str:
        """The address at which this order can be paid in a browser. Raises KeyError before it was created."""
        return self._page_of(self.desk[order_id].token)

    def code_of(self, order_id: str) -> str:
        """What its QRIS code says. Raises KeyError before it was created."""
        return self.api.code_of(self.desk[order_id])

    # --- What customers and Midtrans do ---------------------------------------------------------------------

    async def pick(self, order_id: str, method: str) -> None:
        """Choose how to pay, and not pay yet."""
        self.desk.pick(self.desk[order_id], method)

    async def pay(self, order_id: str, method: str | None = None, *, fee_idr: int = 0) -> None:
        """Pay, by QRIS unless something else is named or was picked; with a fee on top if it is given."""
        transaction = self.desk[order_id]
        transaction.fee_idr = fee_idr
        self.desk.pay(transaction, method)

    async def settle(self, order_id: str) -> None:
        """A captured card payment reaches the merchant's account."""
        self.desk.become(self.desk[order_id], "settlement")

    async def challenge(self, order_id: str) -> None:
        """Pay by a card that looks like fraud: somebody has to look at it."""
        self.desk.pick(self.desk[order_id], "credit_card")
        self.desk.become(self.desk[order_id], "capture", fraud_status="challenge")

    async def authorize(self, order_id: str) -> None:
        """A card is found good, and nothing is taken from it yet."""
        self.desk.pick(self.desk[order_id], "credit_card")
        self.desk.become(self.desk[order_id], "authorize")

    async def deny(self, order_id: str) -> None:
        """The bank says no."""
        transaction = self.desk[order_id]
        if transaction.method is None or transaction.status == "deny":
            self.desk.pick(transaction, "credit_card")
        self.desk.become(transaction, "deny")

    async def expire(self, order_id: str) -> None:
        """Nobody paid in time."""
        self.desk.become(self.desk[order_id], "expire")

    async def cancel(self, order_id: str) -> None:
        """Somebody cancelled it in the dashboard."""
        self.desk.become(self.desk[order_id], "cancel")

    async def fail(self, order_id: str) -> None:
        """Something broke on the way to the bank."""
        self.desk.become(self.desk[order_id], "failure")

    async def refund(self, order_id: str, amount_idr: int | None = None) -> None:
        """Give back so much, or all that is left."""
        transaction = self.desk[order_id]
        left = transaction.charged_idr - transaction.refunded_idr
        self.desk.refund(transaction, left if amount_idr is None else amount_idr)

    async def charge_back(self, order_id: str, *, partly: bool = False) -> None:
        """The customer's bank took the money back."""
        self.desk.become(self.desk[order_id], "partial_chargeback" if partly else "chargeback")

    # --- Notifications --------------------------------------------------------------------------------------

    def notify(self, order_id: str, **altered: Any) -> None:
        """One more notification of how it stands, with these fields instead, validly signed."""
        self.courier.send(self.desk.notification(self.desk[order_id], **altered))

    def forge(self, order_id: str, **altered: Any) -> None:
        """The true notification with fields changed by somebody who has no key: the signature stays."""
        self.courier.send({**self.desk.notification(self.desk[order_id]), **altered})

    def press_test_button(self) -> None:
        """As in the dashboard's settings."""
        merchant = self.desk.merchant
        self.courier.send(wire.test_button(merchant.id, merchant.server_key, datetime.now(UTC)))

    def alter(self, order_id: str, /, *, notified: bool = True, answered: bool = True, **fields: Any) -> None:
        """From now on this order's reports hold these fields instead, validly signed; see ``Desk.alter``."""
        self.desk.alter(order_id, notified=notified, answered=answered, **fields)

    def drop_notifications(self, count: int = 1_000_000) -> None:
        """So many of the next notifications never arrive."""
        self.courier.dropping = count

    def hold_notifications(self) -> None:
        """Keep notifications until they are released."""
        self.courier.hold()

    def release_notifications(self, *, reverse: bool = False) -> None:
        self.courier.release(reverse=reverse)

    def duplicate_notifications(self, copies: int) -> None:
        """From now on each notification comes so often, all at once."""
        self.courier.copies = copies

    async def delivered(self, timeout_s: float = 30.0) -> None:
        """Return once no notification is under way, retries included. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self.courier.settled()

    async def until(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until it holds; looked at whenever a transaction changes. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # --- Faults ---------------------------------------------------------------------------------------------

    def break_down(
        self,
        mode: Mode,
        target: Target = Target.ALL,
        *,
        times: int | None = None,
        delay_s: float = FOREVER_S,
    ) -> None:
        """Requests go wrong from now on, or only so many of them."""
        self.faults.add(Fault(mode=mode, target=target, times=times, delay_s=delay_s))

    def mend(self) -> None:
        """Everything is well again."""
        self.faults.clear()

    def _page_of(self, token: str) -> str:
        return f"{self.url}{ROOT}/{token}"
