"""Bank transfers: a person's word, the same invoice, and nothing else pays them."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection

from billing import transfer
from sandbox.midtrans import MidtransServer
from store import attempts, orders
from store.orders import Method, Order, State
from tests.integration.payments.shop import PaymentShop


async def chosen(shop: PaymentShop) -> Order:
    """An order whose customer pays by transfer."""
    order = await shop.order(number="6281234567834")
    assert await shop.store.write(lambda c: transfer.choose(c, order.id))
    found = await shop.found(order.id)
    assert (found.state, found.method) == (State.WAITING_CONFIRMATION, Method.TRANSFER)
    return found


async def test_lunas_pays_it_with_an_invoice_and_a_notice(any_shop: PaymentShop) -> None:
    shop = any_shop
    order = await chosen(shop)
    decision = await shop.store.write(
        lambda c: transfer.confirm(c, shop.till, order.id, by="pemilik", method="Transfer BCA")
    )
    assert decision is not None
    assert decision.changed
    assert decision.invoice is not None
    assert decision.invoice.body["method"] == "Transfer BCA"
    assert (decision.order.state, decision.order.paid_by) == (State.PAID, "pemilik")
    assert "Lunas Rp770.000" in (await shop.told())[0]
    assert len(await shop.told("6281234567834@s.whatsapp.net")) == 2


async def test_ten_admins_who_say_lunas_at_once_make_one_invoice(any_shop: PaymentShop) -> None:
    shop = any_shop
    order = await chosen(shop)

    def lunas(connection: Connection) -> bool:
        decision = transfer.confirm(connection, shop.till, order.id, by="pemilik")
        assert decision is not None
        return decision.changed

    changed = await asyncio.gather(*(shop.store.write(lunas) for _ in range(10)))
    assert sorted(changed) == [False] * 9 + [True]
    assert len(await shop.invoice_numbers()) == 1


async def test_tolak_leaves_it_waiting(shop: PaymentShop) -> None:
    order = await chosen(shop)
    decision = await shop.store.write(lambda c: transfer.reject(c, shop.till, order.id, by="pemilik"))
    assert decision is not None
    assert decision.changed
    assert await shop.state(order.id) is State.WAITING_CONFIRMATION
    assert await shop.invoice_numbers() == []


async def test_lunas_for_what_is_no_transfer_changes_nothing(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    for word in (transfer.confirm, transfer.reject):
        decision = await shop.store.write(lambda c, word=word: word(c, shop.till, attempt.order_id, by="x"))  # type: ignore[misc] # mypy infers no default
        assert decision is not None
        assert not decision.changed
    assert await shop.state(attempt.order_id) is State.PENDING
    assert await shop.store.write(lambda c: transfer.confirm(c, shop.till, "B000000000", by="x")) is None


async def test_a_transfer_that_came_after_the_end_is_still_money(shop: PaymentShop) -> None:
    order = await chosen(shop)
    await shop.store.write(
        lambda c: orders.move(c, order.id, was=State.WAITING_CONFIRMATION, to=State.EXPIRED)
    )
    decision = await shop.store.write(lambda c: transfer.confirm(c, shop.till, order.id, by="pemilik"))
    assert decision is not None
    assert decision.changed
    assert await shop.state(order.id) is State.PAID


async def test_a_link_that_was_left_open_is_called_off_once_the_transfer_is_confirmed(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    assert await shop.store.write(lambda c: transfer.choose(c, attempt.order_id))
    await shop.store.write(lambda c: transfer.confirm(c, shop.till, attempt.order_id, by="pemilik"))
    await shop.poller_calls_off()
    assert midtrans.transaction(attempt.id).is_token_cancelled
    assert (await shop.attempt(attempt.id)).state is attempts.State.CLOSED
    assert await shop.state(attempt.order_id) is State.PAID


async def test_paying_by_link_after_a_confirmed_transfer_is_paid_twice(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    assert await shop.store.write(lambda c: transfer.choose(c, attempt.order_id))
    await shop.store.write(lambda c: transfer.confirm(c, shop.till, attempt.order_id, by="pemilik"))
    await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.OVERPAID
    assert len(await shop.invoice_numbers()) == 1
    assert any("Terbayar dua kali" in notice for notice in await shop.told())


async def test_an_order_that_is_over_or_paid_cannot_be_paid_by_transfer(shop: PaymentShop) -> None:
    order = await chosen(shop)
    await shop.store.write(lambda c: transfer.confirm(c, shop.till, order.id, by="pemilik"))
    assert not await shop.store.write(lambda c: transfer.choose(c, order.id))
    assert not await shop.store.write(lambda c: transfer.choose(c, "B000000000"))
