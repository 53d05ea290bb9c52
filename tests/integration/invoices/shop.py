"""A paid order with its invoice, and the parts that bring it to the customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from billing.invoice import InvoiceBody, InvoiceLine
from billing.posting import InvoicePost
from billing.printing import Printer
from billing.starsender import StarsenderClient
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store import customers, invoices, orders, rooms
from store.customers import Address
from store.doors import Store
from store.invoices import Invoice
from store.orders import Line, LineKind, Order
from store.schema import outbox
from webhooks.starsender import StarsenderDelivery, starsender_queue

ACCOUNT = "utama"
NUMBER = "6281234567834"
SHOP_NUMBER = "6281100000001"
STARSENDER_NUMBER = "6281190000003"
WEEK_MS = 7 * 24 * 3_600_000
LINES = (Line(kind=LineKind.ITEM, code="RS1", name="Roti sobek", quantity=3, unit_idr=28_000),)


@dataclass(kw_only=True)
class Paid:
    """An order that is paid, and its invoice."""

    order: Order
    invoice: Invoice


def wording(folder: Path) -> Wording:
    return Wording.load(folder, Shop(nama="Toko Roti"))


def make_paid(connection: Connection, *, number: str = NUMBER) -> Paid:
    """In one transaction, as payments do it."""
    customer, _ = customers.resolve(connection, ACCOUNT, [Address("s", NUMBER)], name="Budi")
    order = orders.create(
        connection,
        account=ACCOUNT,
        customer_id=customer.id,
        transport="terminal",
        chat="budi",
        lines=LINES,
        expires_in_ms=3_600_000,
        details={},
    )
    written, sequence = invoices.next_number(connection, ACCOUNT, period="2026-11")
    body = InvoiceBody(
        number=written,
        order_id=order.id,
        paid_ms=1_795_581_720_000,
        zone="Asia/Jakarta",
        method="QRIS",
        shop_name="Toko Roti",
        customer_name="Budi",
        customer_number=number,
        lines=tuple(
            InvoiceLine(kind=line.kind, name=line.name, quantity=line.quantity, unit_idr=line.unit_idr)
            for line in LINES
        ),
        total_idr=order.total_idr,
    )
    invoice = invoices.issue(
        connection,
        ACCOUNT,
        order_id=order.id,
        period="2026-11",
        sequence=sequence,
        body=body.as_json(),
        link_valid_ms=WEEK_MS,
    )
    return Paid(order=order, invoice=invoice)


async def open_room(store: Store) -> None:
    """The owner has a room, as after the bot's first start."""
    room = rooms.RoomAddress(account=ACCOUNT, transport="terminal", chat="ruang")
    await store.write(lambda c: rooms.announce(c, room))


def make_post(folder: Path, settings: Settings) -> InvoicePost:
    return InvoicePost(wording=wording(folder), settings=settings.billing, shop_number=SHOP_NUMBER)


def make_delivery(
    store: Store,
    post: InvoicePost,
    client: StarsenderClient | None,
    *,
    patience_s: float = 300.0,
    printer: Printer | None = None,
) -> StarsenderDelivery:
    return StarsenderDelivery(
        account=ACCOUNT,
        store=store,
        queue=starsender_queue(ACCOUNT),
        owner="webhooks-uji",
        client=client,
        post=post,
        printer=printer or Printer(),
        wording=post.wording,
        patience_s=patience_s,
    )


async def outbox_rows(store: Store, *, where: Callable[[Row[Any]], bool] = lambda _: True) -> list[Row[Any]]:
    rows = await store.read(lambda c: c.execute(select(outbox).order_by(outbox.c.id)).all())
    return [row for row in rows if where(row)]


def to_customer(rows: list[Row[Any]]) -> list[tuple[str, str, str]]:
    """Transport, kind and state of what is for the customer."""
    return [(row.transport, row.kind, row.state) for row in rows if row.chat != "ruang"]
