"""What an invoice says: the content of ``invoices.body``, complete, so that its document needs nothing else.

Pure, and without the PDF library: that one is loaded by ``billing.invoice_pdf`` in a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A receipt above this needs stamp duty (UU 10/2020), which nobody but the shop can pay.
STAMP_DUTY_ABOVE_IDR = 5_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceLine:
    """One line; ``unit_idr`` is negative for a discount."""

    kind: str  # item, shipping, discount
    name: str
    quantity: int
    unit_idr: int

    @property
    def amount_idr(self) -> int:
        return self.quantity * self.unit_idr


@dataclass(frozen=True, kw_only=True, slots=True)
class Ppn:
    """The tax inside a total, by PMK-131/2024: 12% of 11/12 of the price, which is 11%. Whole rupiah."""

    price_idr: int  # without the tax
    base_idr: int  # eleven twelfths of it: "DPP nilai lain"
    tax_idr: int

    @classmethod
    def inside(cls, total_idr: int) -> Ppn:
        """The shop's prices include the tax, so price and tax make up the total exactly."""
        price = _rounded(total_idr * 100, 111)
        return cls(price_idr=price, base_idr=_rounded(price * 11, 12), tax_idr=total_idr - price)


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceBody:
    """The snapshot. Texts that are not known are empty; who was deleted has no name, number and details."""

    number: str
    order_id: str
    paid_ms: int
    zone: str  # the shop's, such as "Asia/Jakarta"
    method: str  # as people call it: "QRIS", "Transfer BCA"
    shop_name: str
    shop_address: str = ""
    shop_number: str = ""
    shop_about: str = ""
    shop_npwp: str = ""
    logo: str = ""  # the picture's path
    has_ppn: bool = False
    customer_name: str = ""
    customer_number: str = ""
    details: Mapping[str, str] = field(default_factory=dict)  # what the customer was asked: alamat, ...
    lines: tuple[InvoiceLine, ...]
    total_idr: int

    def as_json(self) -> dict[str, Any]:
        """What is stored; ``from_json`` reads it back."""
        return {
            "number": self.number,
            "order_id": self.order_id,
            "paid_ms": self.paid_ms,
            "zone": self.zone,
            "method": self.method,
            "shop": {
                "name": self.shop_name,
                "address": self.shop_address,
                "number": self.shop_number,
                "about": self.shop_about,
                "npwp": self.shop_npwp,
                "logo": self.logo,
            },
            "ppn": self.has_ppn,
            # Under these two keys, because deleting a customer empties them (store/order_owners.py).
            "customer": {"name": self.customer_name, "number": self.customer_number},
            "details": dict(self.details),
            "lines": [
                {
                    "kind": line.kind,
                    "name": line.name,
                    "quantity": line.quantity,
                    "unit_idr": line.unit_idr,
                }
                for line in self.lines
            ],
            "total_idr": self.total_idr,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> InvoiceBody:
        """Raises KeyError, TypeError or ValueError for what no version of this program stored."""
        shop, customer = stored["shop"], stored.get("customer", {})
        lines = tuple(
            InvoiceLine(
                kind=str(line["kind"]),
                name=str(line["name"]),
                quantity=int(line["quantity"]),
                unit_idr=int(line["unit_idr"]),
            )
            for line in stored["lines"]
        )
        return cls(
            number=str(stored["number"]),
            order_id=str(stored["order_id"]),
            paid_ms=int(stored["paid_ms"]),
            zone=str(stored["zone"]),
            method=str(stored["method"]),
            shop_name=str(shop["name"]),
            shop_address=str(shop.get("address", "")),
            shop_number=str(shop.get("number", "")),
            shop_about=str(shop.get("about", "")),
            shop_npwp=str(shop.get("npwp", "")),
            logo=str(shop.get("logo", "")),
            has_ppn=bool(stored.get("ppn", False)),
            customer_name=str(customer.get("name", "")),
            customer_number=str(customer.get("number", "")),
            details={str(key): str(value) for key, value in stored.get("details", {}).items()},
            lines=lines,
            total_idr=int(stored["total_idr"]),
        )


def needs_stamp_duty(total_idr: int) -> bool:
    """Whether the owner has to be told of it."""
    return total_idr > STAMP_DUTY_ABOVE_IDR


def file_name(number: str) -> str:
    """ "INV-2026-10-0001.pdf": what the customer's phone saves it under."""
    return f"{number.replace('/', '-')}.pdf"


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient of two positive numbers to the nearest whole one, a half upwards."""
    return (2 * numerator + denominator) // (2 * denominator)
