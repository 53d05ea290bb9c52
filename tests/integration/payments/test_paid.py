"""Payments that arrive: every method, and what the customer and the owner get of it."""

from __future__ import annotations

import pytest

from store.orders import State
from tests.integration.payments.shop import TOTAL_IDR, PaymentShop


@pytest.mark.parametrize(
    ("method", "called"),
    [
        ("qris", "QRIS"),
        ("gopay", "GoPay"),
        ("bca_va", "VA BCA"),
        ("permata_va", "VA Permata"),
        ("echannel", "Mandiri Bill"),
        ("indomaret", "Indomaret"),
        ("credit_card", "Kartu"),
    ],
)
async def test_a_payment_by_any_method_is_paid_with_one_invoice(
    shop: PaymentShop, method: str, called: str
) -> None:
    attempt = await shop.linked()
    await shop.midtrans.pay(attempt.id, method)
    await shop.confirmed()

    order = await shop.found(attempt.order_id)
    assert order.state is State.PAID
    assert order.paid_by == shop.midtrans.transaction(attempt.id).transaction_id
    invoice = await shop.invoice(order.id)
    assert invoice is not None
    assert invoice.body["method"] == called
    assert invoice.body["total_idr"] == TOTAL_IDR


async def test_the_customer_is_thanked_and_the_owner_told_in_the_same_transaction(
    any_shop: PaymentShop,
) -> None:
    shop = any_shop
    attempt = await shop.linked(number="6281234567834")
    await shop.midtrans.pay(attempt.id, "qris")
    await shop.confirmed()

    invoice = await shop.invoice(attempt.order_id)
    assert invoice is not None
    thanks, document = await shop.told("6281234567834@s.whatsapp.net")
    assert "Rp770.000" in thanks
    assert "Teknisi menghubungi" in thanks
    assert invoice.number in document
    (notice,) = await shop.told()
    for part in ("Rp770.000", "Budi", "0812…34", "3x Paket 20 Mbps", invoice.number, "QRIS", "Jl. Melati 3"):
        assert part in notice
    assert "wa.me/6281234567834" in notice
