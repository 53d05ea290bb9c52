"""Notifications late, twice, and in the wrong order: the end is what Midtrans says when it is asked."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from sandbox.midtrans import MidtransServer
from store.orders import State
from tests.integration.payments.shop import TOTAL_IDR, PaymentShop


async def test_an_old_pending_after_the_settlement_changes_nothing(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    midtrans.hold_notifications()
    await midtrans.pay(attempt.id, "bca_va")
    midtrans.release_notifications(reverse=True)
    await shop.confirmed()
    assert [delivery.body["transaction_status"] for delivery in midtrans.deliveries] == [
        "pending",
        "settlement",
    ]
    assert await shop.state(attempt.order_id) is State.PAID
    assert len(await shop.told()) == 1


async def test_an_expiry_after_the_payment_is_asked_about_and_ignored(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "bca_va")
    midtrans.notify(attempt.id, transaction_status="expire", status_code="202")
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


async def test_a_bank_that_takes_the_payment_back_reverses_it_and_warns(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "permata_va")
    await shop.confirmed()
    await midtrans.deny(attempt.id)
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.REVERSED
    assert "Pembayaran ditarik" in (await shop.told())[-1]
    assert len(await shop.invoice_numbers()) == 1


async def test_a_denial_that_midtrans_does_not_confirm_reverses_nothing(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "permata_va")
    midtrans.notify(attempt.id, transaction_status="deny", status_code="202")
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


async def test_money_after_our_own_expiry_is_taken_and_the_owner_warned(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked(expires_in_ms=120_000)
    await shop.store.write(
        lambda c: c.exec_driver_sql("UPDATE orders SET expires_ms = created_ms, state = 'expired'").close()
    )
    await midtrans.pay(attempt.id, "bca_va")
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID
    notices = await shop.told()
    assert any("Lunas" in notice for notice in notices)
    assert any("Bayar terlambat" in notice for notice in notices)
    assert len(await shop.invoice_numbers()) == 1


async def test_capture_and_settlement_are_one_payment(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "credit_card")
    await shop.confirmed()
    await midtrans.settle(attempt.id)
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID
    assert len(await shop.invoice_numbers()) == 1
    assert len(await shop.told()) == 1


async def test_refunds_add_up_and_each_is_told(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    for amount_idr, state, refunded_idr in (
        (70_000, State.PART_REFUNDED, 70_000),
        (200_000, State.PART_REFUNDED, 270_000),
        (None, State.REFUNDED, TOTAL_IDR),
    ):
        await midtrans.refund(attempt.id, amount_idr)
        await shop.confirmed()
        order = await shop.found(attempt.order_id)
        assert (order.state, order.refunded_idr) == (state, refunded_idr)
    refunds = [notice for notice in await shop.told() if "Refund" in notice]
    assert [("Rp70.000" in one, "Rp270.000" in one) for one in refunds[:2]] == [(True, False), (False, True)]
    assert len(refunds) == 3


async def test_a_chargeback_is_a_state_and_a_warning(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "credit_card")
    await shop.confirmed()
    await midtrans.charge_back(attempt.id)
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.CHARGEBACK
    assert "Chargeback" in (await shop.told())[-1]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_whatever_order_the_notifications_of_a_payment_come_in_the_end_is_the_same(
    shop: PaymentShop, midtrans: MidtransServer, order: tuple[int, ...]
) -> None:
    """Four true notifications of one story, each twice: pending, settled, and two refunds."""
    attempt = await shop.linked()
    midtrans.hold_notifications()
    await midtrans.pay(attempt.id, "bca_va")
    await midtrans.refund(attempt.id, 70_000)
    await midtrans.refund(attempt.id, 30_000)
    bodies = [delivery.body for delivery in midtrans.deliveries]
    assert len(bodies) == 4
    answers = await asyncio.gather(*(shop.notify(bodies[number]) for number in (*order, *reversed(order))))
    assert set(answers) == {200}
    await shop.confirmed()
    found = await shop.found(attempt.order_id)
    assert (found.state, found.refunded_idr) == (State.PART_REFUNDED, 100_000)
    assert len(await shop.invoice_numbers()) == 1
    assert sum("Lunas" in notice for notice in await shop.told()) == 1
