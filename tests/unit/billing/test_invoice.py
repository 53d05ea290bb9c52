from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoice import InvoiceBody, InvoiceLine, Ppn, file_name, needs_stamp_duty

BODY = InvoiceBody(
    number="INV/2026/11/0007",
    order_id="B7Q2K9M1XA",
    paid_ms=1_795_581_720_000,
    zone="Asia/Jakarta",
    method="QRIS",
    shop_name="Toko Roti",
    customer_name="Budi",
    customer_number="6281234560001",
    details={"alamat": "Jl. Kenanga 12"},
    lines=(InvoiceLine(kind="item", name="Roti sobek", quantity=3, unit_idr=28_000),),
    total_idr=84_000,
)


def test_what_is_stored_is_read_back_whole() -> None:
    assert InvoiceBody.from_json(json.loads(json.dumps(BODY.as_json()))) == BODY


def test_an_invoice_whose_customer_was_deleted_still_reads() -> None:
    stored = BODY.as_json()
    stored["customer"] = {"name": "Budi"}
    del stored["details"]
    read = InvoiceBody.from_json(stored)
    assert (read.customer_name, read.customer_number, read.details) == ("Budi", "", {})


@pytest.mark.parametrize("broken", [{}, {**BODY.as_json(), "lines": 3}, {**BODY.as_json(), "paid_ms": "x"}])
def test_what_nobody_stored_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        InvoiceBody.from_json(broken)


@given(st.integers(min_value=1, max_value=10**12))
def test_price_and_tax_make_up_the_total_and_the_tax_is_twelve_percent_of_its_base(total: int) -> None:
    ppn = Ppn.inside(total)
    assert ppn.price_idr + ppn.tax_idr == total
    assert abs(100 * ppn.tax_idr - 12 * ppn.base_idr) <= 200  # Each of the two is rounded by itself.


def test_the_tax_of_a_round_price() -> None:
    assert Ppn.inside(111_000) == Ppn(price_idr=100_000, base_idr=91_667, tax_idr=11_000)


@pytest.mark.parametrize(("total", "needed"), [(5_000_000, False), (5_000_001, True)])
def test_stamp_duty_begins_above_five_million(total: int, needed: bool) -> None:
    assert needs_stamp_duty(total) is needed


def test_the_file_is_named_by_the_number() -> None:
    assert file_name("INV/2026/11/0007") == "INV-2026-11-0007.pdf"
