"""What every part of a payment needs of the shop, and the texts that are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from billing.posting import InvoicePost
from billing.rupiah import format_rupiah
from config.billing import BillingSettings
from config.phone import normalise_phone
from config.redaction import mask_phone
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store import customers, handoffs, rooms
from store.orders import Line, LineKind, Order
from store.schema import now_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Till:
    """The shop as its payments see it."""

    account: str
    settings: BillingSettings
    shop: Shop
    wording: Wording
    post: InvoicePost
    shop_number: str | None = None

    @classmethod
    def of(cls, settings: Settings, shop: Shop, wording: Wording) -> Till:
        """The till of the account that the settings name."""
        number = settings.whatsapp.number
        return cls(
            account=settings.account,
            settings=settings.billing,
            shop=shop,
            wording=wording,
            post=InvoicePost(wording=wording, settings=settings.billing, shop_number=number),
            shop_number=number,
        )

    def time(self, ms: int) -> datetime:
        """A moment of the database on the shop's clock."""
        return datetime.fromtimestamp(ms / 1000, self.shop.zona_waktu)


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Whose order it is; all empty after he was deleted."""

    name: str = ""
    number: str = ""

    @property
    def masked(self) -> str:
        """His number as the owner reads it; empty where WhatsApp tells us none."""
        return mask_phone(self.number) if self.number else ""


def customer_of(connection: Connection, order: Order) -> Customer:
    """The order's customer, as the invoice and the owner are told of him."""
    if order.customer_id is None:
        return Customer()
    found = customers.get(connection, order.customer_id)
    numbers = [
        number
        for address in customers.addresses_of(connection, order.customer_id)
        if (number := normalise_phone(address.user)) is not None
    ]
    return Customer(
        name=(found.name or "") if found is not None else "", number=numbers[0] if numbers else ""
    )


def database_time(connection: Connection) -> int:
    """Now, in the database's milliseconds."""
    return int(connection.execute(select(now_ms())).scalar_one())


def tell_owner(
    connection: Connection,
    till: Till,
    order: Order,
    sentence: str,
    *,
    kind: str = handoffs.ORDER_NOTICE,
    added: str = "",
    **values: object,
) -> None:
    """A notice about the order, in one of the sentences that take a payment's placeholders."""
    buyer = customer_of(connection, order)
    body = till.wording.say(
        sentence,
        pesanan=order.id,
        total=format_rupiah(order.total_idr),
        # A number that stands for the name is not said twice.
        nama=buyer.name or buyer.masked or _nameless(order),
        nomor=buyer.masked if buyer.name else "",
        tautan=f"wa.me/{buyer.number}" if buyer.number else "",
        **values,
    )
    rooms.tell(
        connection,
        rooms.of_account(connection, order.account),
        _without_empty_lines(f"{body}\n{added}"),
        kind=kind,
        customer_id=order.customer_id,
        order_id=order.id,
    )


def _nameless(order: Order) -> str:
    """Whom neither a name nor a number tells; by ``#7`` an admin's command finds him."""
    return "pelanggan yang sudah dihapus" if order.customer_id is None else f"pelanggan {order.customer_id}"


def goods(lines: Sequence[Line]) -> str:
    """ "3x Paket 20 Mbps, 1x Router": the items alone, in one line."""
    return ", ".join(f"{line.quantity}x {line.name}" for line in lines if line.kind is LineKind.ITEM)


def listed(details: Mapping[str, Any]) -> str:
    """ "Alamat: Jl. Melati 3. Nama: Budi" of what the customer was asked."""
    return ". ".join(f"{key[:1].upper()}{key[1:]}: {value}" for key, value in details.items() if value)


def _without_empty_lines(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip())
