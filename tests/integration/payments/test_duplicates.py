"""The same notification many times: credited once, whatever happens in between."""

from __future__ import annotations

import asyncio

from sandbox.midtrans import MidtransServer
from store.orders import State
from tests.integration.payments.shop import PaymentShop


async def credited_once(shop: PaymentShop, order_id: str) -> None:
    assert await shop.state(order_id) is State.PAID
    assert len(await shop.invoice_numbers()) == 1
    assert sum("Lunas" in notice for notice in await shop.told()) == 1


async def test_the_same_notification_again_is_taken_and_changes_nothing(
    any_shop: PaymentShop, midtrans: MidtransServer
) -> None:
    shop = any_shop
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    events = await shop.events()
    body = midtrans.deliveries[-1].body
    assert [await shop.notify(body) for _ in range(3)] == [200, 200, 200]
    await shop.confirmed()
    assert await shop.events() == events
    await credited_once(shop, attempt.order_id)


async def test_fifty_at_once_are_one_row_and_one_payment(
    any_shop: PaymentShop, midtrans: MidtransServer
) -> None:
    shop = any_shop
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    body = midtrans.desk.notification(midtrans.transaction(attempt.id))
    assert set(await asyncio.gather(*(shop.notify(body) for _ in range(50)))) == {200}
    await shop.confirmed()
    assert await shop.events() == [("done", "paid")]
    await credited_once(shop, attempt.order_id)


async def test_fifty_different_ones_of_one_payment_at_once_are_one_payment(
    any_shop: PaymentShop, midtrans: MidtransServer
) -> None:
    shop = any_shop
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    bodies = [
        midtrans.desk.notification(midtrans.transaction(attempt.id), number=str(number))
        for number in range(50)
    ]
    # Beside them the customer asks whether it arrived, as he does.
    asked = [shop.checkout.ask(attempt.order_id) for _ in range(5)]
    answers = await asyncio.gather(*(shop.notify(body) for body in bodies), *asked)
    assert set(answers[:50]) == {200}
    await shop.confirmed()
    assert sorted(outcome for _, outcome in await shop.events() if outcome == "paid") in ([], ["paid"])
    await credited_once(shop, attempt.order_id)


async def test_many_orders_paid_at_once_have_numbers_without_a_gap(
    any_shop: PaymentShop, midtrans: MidtransServer
) -> None:
    shop = any_shop
    links = [await shop.linked() for _ in range(30)]
    for attempt in links:
        await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    numbers = [number.rpartition("/")[2] for number in await shop.invoice_numbers()]
    assert numbers == [f"{number:04d}" for number in range(1, 31)]
    for attempt in links:
        assert await shop.state(attempt.order_id) is State.PAID
