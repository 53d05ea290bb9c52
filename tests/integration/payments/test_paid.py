"""Payments that arrive: every method, and what the customer and the owner get of it."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, delete, insert, update

from store.orders import State
from store.payment_tables import orders as order_rows
from store.schema import aliases, customers
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


async def _loses_his_number(shop: PaymentShop, order_id: str, *, name: str | None) -> int:
    """WhatsApp told us a LID of him and no number, as it does for customers with a hidden one; his id."""
    customer_id = (await shop.found(order_id)).customer_id
    assert customer_id is not None

    def write(connection: Connection) -> None:
        connection.execute(delete(aliases).where(aliases.c.customer_id == customer_id))
        connection.execute(
            insert(aliases).values(
                account=shop.settings.account, server="lid", user="128394820384756", customer_id=customer_id
            )
        )
        connection.execute(update(customers).where(customers.c.id == customer_id).values(name=name))

    await shop.store.write(write)
    return customer_id


async def test_the_notice_of_a_customer_without_a_number_is_his_name_and_no_empty_brackets(
    any_shop: PaymentShop,
) -> None:
    shop = any_shop
    attempt = await shop.linked()
    await _loses_his_number(shop, attempt.order_id, name="Sari")
    await shop.midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    (notice,) = await shop.told()
    assert notice.splitlines()[0] == "💰 *Lunas Rp770.000*: Sari"
    assert "wa.me" not in notice


async def test_a_customer_without_name_and_number_is_called_by_his_number_in_the_list(
    shop: PaymentShop,
) -> None:
    attempt = await shop.linked()
    customer_id = await _loses_his_number(shop, attempt.order_id, name=None)
    await shop.midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    (notice,) = await shop.told()
    assert notice.splitlines()[0] == f"💰 *Lunas Rp770.000*: pelanggan {customer_id}"


async def test_a_customer_without_a_name_is_told_by_his_number_once(shop: PaymentShop) -> None:
    attempt = await shop.linked(number="6281234567834")
    order = await shop.found(attempt.order_id)
    await shop.store.write(
        lambda c: (
            c.execute(update(customers).where(customers.c.id == order.customer_id).values(name=None)) and None
        )
    )
    await shop.midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    (notice,) = await shop.told()
    assert notice.splitlines()[0] == "💰 *Lunas Rp770.000*: 0812…34"


async def test_a_payment_whose_customer_was_deleted_names_nobody(shop: PaymentShop) -> None:
    attempt = await shop.linked()
    await shop.store.write(
        lambda c: (
            c.execute(
                update(order_rows)
                .where(order_rows.c.id == attempt.order_id)
                .values(customer_id=None, chat=None)
            )
            and None
        )
    )
    await shop.midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    (notice,) = await shop.told()
    assert notice.splitlines()[0] == "💰 *Lunas Rp770.000*: pelanggan yang sudah dihapus"
