"""What looks like a payment and is none, or not yet."""

from __future__ import annotations

import pytest

from bot.selling.cashier import Money
from bot.selling.midtrans import MidtransCashier
from sandbox.midtrans import MidtransServer
from store import attempts
from store.orders import State
from tests.integration.payments.shop import PaymentShop


async def ends(shop: PaymentShop, order_id: str, state: State) -> None:
    """The order ended so, and nothing was made of it that only a paid one has."""
    await shop.confirmed()
    assert await shop.state(order_id) is state
    assert await shop.invoice(order_id) is None
    assert not any("Lunas" in notice for notice in await shop.told())


async def test_a_challenged_card_waits_for_a_person(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.challenge(attempt.id)
    await ends(shop, attempt.order_id, State.REVIEW)
    (notice,) = await shop.told()
    assert "Perlu ditinjau" in notice


async def test_of_a_challenged_card_the_cashier_says_neither_paid_nor_unpaid(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.challenge(attempt.id)
    cashier = MidtransCashier(store=shop.store, checkout=shop.checkout)
    assert await cashier.look(attempt.order_id) is Money.REVIEW
    assert await cashier.call_off(attempt.order_id) is Money.REVIEW
    assert await shop.state(attempt.order_id) is State.REVIEW


async def test_a_challenge_that_was_accepted_is_paid(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.challenge(attempt.id)
    midtrans.desk[attempt.id].fraud_status = "accept"
    midtrans.notify(attempt.id)
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


async def test_an_authorised_card_has_paid_nothing(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.authorize(attempt.id)
    await ends(shop, attempt.order_id, State.PENDING)


async def test_picking_a_method_pays_nothing(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.pick(attempt.id, "bca_va")
    await ends(shop, attempt.order_id, State.PENDING)
    assert (await shop.attempt(attempt.id)).status == "pending"


async def test_a_denied_card_closes_nothing_and_the_next_one_pays(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.deny(attempt.id)
    await ends(shop, attempt.order_id, State.PENDING)
    await midtrans.pay(attempt.id, "credit_card")
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


@pytest.mark.parametrize(
    ("what", "state"),
    [("expire", State.EXPIRED), ("cancel", State.CANCELLED), ("fail", State.FAILED)],
)
async def test_a_payment_that_ends_at_midtrans_ends_here(
    shop: PaymentShop, midtrans: MidtransServer, what: str, state: State
) -> None:
    attempt = await shop.linked()
    await midtrans.pick(attempt.id, "bca_va")
    await getattr(midtrans, what)(attempt.id)
    await ends(shop, attempt.order_id, state)
    assert (await shop.attempt(attempt.id)).state is attempts.State.CLOSED


async def test_an_unknown_status_changes_nothing_and_is_told_once(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.pick(attempt.id, "bca_va")
    midtrans.alter(attempt.id, transaction_status="quantum_settlement")
    for number in range(3):
        midtrans.notify(attempt.id, extra=str(number))
    await ends(shop, attempt.order_id, State.PENDING)
    (notice,) = await shop.told()
    assert "quantum_settlement" in notice


async def test_a_success_with_another_code_than_200_is_no_success(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    midtrans.alter(attempt.id, status_code="201")
    await midtrans.pay(attempt.id, "qris")
    await ends(shop, attempt.order_id, State.PENDING)
