"""Links: made after they are written down, kept when nobody answered, and paid twice when somebody does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from billing.errors import MidtransRefused, MidtransUnavailable, MidtransUncertain, NotPayable
from sandbox.midtrans import MidtransServer, Mode, Target
from store import attempts, orders
from store.attempts import Channel
from store.orders import Line, LineKind, State
from store.sqlite import SqliteStore
from tests.integration.payments.shop import TOTAL_IDR, PaymentShop, payment_shop, settings_for


async def test_a_link_shows_the_lines_and_ends_with_the_order(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    discount = Line(kind=LineKind.DISCOUNT, code="POTONGAN", name="Potongan", quantity=1, unit_idr=-50_000)
    item = Line(kind=LineKind.ITEM, code="IH20", name="Paket 20 Mbps", quantity=3, unit_idr=250_000)
    attempt = await shop.linked(lines=(item, discount), expires_in_ms=90 * 60_000)
    made = midtrans.transaction(attempt.id)
    assert made.amount_idr == 700_000
    assert [(one["name"], one["quantity"], one["price"]) for one in made.items] == [
        ("Paket 20 Mbps", 3, 250_000),
        ("Potongan", 1, -50_000),
    ]
    assert made.customer["first_name"] == "Budi"
    assert made.expires is not None
    assert made.page_expires is not None
    for end in (made.expires, made.page_expires):
        assert -1 <= end.timestamp() - attempt.expires_ms / 1000 <= 61
    assert attempt.url is not None
    assert attempt.url.startswith(midtrans.url)
    assert await shop.state(attempt.order_id) is State.PENDING


async def test_asking_for_the_link_again_gives_the_same_one(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    assert (await shop.checkout.link(attempt.order_id)).url == attempt.url
    assert midtrans.api.requests["snap"] == 1


async def test_both_links_of_an_order_paid_are_one_invoice_and_a_warning_with_both_transactions(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    first = await shop.linked()
    await shop.store.write(
        lambda c: c.exec_driver_sql("UPDATE attempts SET url = NULL, state = 'unknown'").close()
    )
    second = await shop.checkout.link(first.order_id)
    assert second.id == f"{first.order_id}-2"
    for attempt in (first, second):
        await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()

    assert await shop.state(first.order_id) is State.OVERPAID
    assert len(await shop.invoice_numbers()) == 1
    (warning,) = [notice for notice in await shop.told() if "Terbayar dua kali" in notice]
    for attempt in (first, second):
        assert midtrans.transaction(attempt.id).transaction_id in warning

    # One of them is given back in the dashboard, and all is well.
    await midtrans.refund(second.id)
    await shop.confirmed()
    order = await shop.found(first.order_id)
    assert (order.state, order.refunded_idr) == (State.PAID, TOTAL_IDR)


@pytest.fixture
async def impatient(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PaymentShop]:
    monkeypatch.setattr("billing.midtrans.READ_TIMEOUT_S", 0.3)
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as opened:
        yield opened


async def test_a_link_whose_making_was_not_answered_can_still_be_paid(
    impatient: PaymentShop, midtrans: MidtransServer
) -> None:
    shop = impatient
    order = await shop.order()
    midtrans.break_down(Mode.LOST, Target.SNAP, times=1)
    with pytest.raises(MidtransUncertain):
        await shop.checkout.link(order.id)
    (lost,) = await shop.store.read(lambda c: attempts.of_order(c, order.id))
    assert (lost.state, lost.url) == (attempts.State.UNKNOWN, None)
    assert await shop.state(order.id) is State.CREATED

    second = await shop.checkout.link(order.id)
    assert second.id == f"{order.id}-2"
    # The page that nobody was told of exists, and is paid.
    await midtrans.pay(lost.id, "qris")
    await shop.confirmed()
    assert await shop.state(order.id) is State.PAID
    assert (await shop.attempt(lost.id)).state is attempts.State.PAID

    # The other link is called off, so that nobody pays again.
    await shop.poller_calls_off()
    assert (await shop.attempt(second.id)).state is attempts.State.CLOSED
    assert midtrans.transaction(second.id).is_token_cancelled


@pytest.mark.parametrize(
    ("mode", "error", "left"),
    [
        (Mode.HANG, MidtransUncertain, attempts.State.UNKNOWN),
        (Mode.RESET, MidtransUncertain, attempts.State.UNKNOWN),
        (Mode.HTML, MidtransUncertain, attempts.State.UNKNOWN),
        (Mode.GARBAGE, MidtransUncertain, attempts.State.UNKNOWN),
        (Mode.EMPTY, MidtransUncertain, attempts.State.UNKNOWN),
        (Mode.BROKEN, MidtransUncertain, attempts.State.UNKNOWN),
        (Mode.LIMITED, MidtransUnavailable, attempts.State.CLOSED),
        (Mode.REFUSED, MidtransRefused, attempts.State.CLOSED),
    ],
)
async def test_a_link_that_was_not_made_leaves_the_order_as_it_was_and_can_be_tried_again(
    impatient: PaymentShop,
    midtrans: MidtransServer,
    mode: Mode,
    error: type[Exception],
    left: attempts.State,
) -> None:
    shop = impatient
    order = await shop.order()
    midtrans.break_down(mode, Target.SNAP)
    with pytest.raises(error):
        await shop.checkout.link(order.id)
    (attempt,) = await shop.store.read(lambda c: attempts.of_order(c, order.id))
    assert attempt.state is left
    assert await shop.state(order.id) is State.CREATED
    midtrans.mend()
    assert (await shop.checkout.link(order.id)).url


async def test_nobody_there_at_all_is_certainly_no_link(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path
) -> None:
    nowhere = settings_for(midtrans, tmp_path, MIDTRANS_SNAP_URL="http://127.0.0.1:9/snap/v1")
    async with payment_shop(sqlite_store, midtrans, nowhere) as shop:
        order = await shop.order()
        with pytest.raises(MidtransUnavailable) as caught:
            await shop.checkout.link(order.id)
        assert not isinstance(caught.value, MidtransUncertain)
        (attempt,) = await shop.store.read(lambda c: attempts.of_order(c, order.id))
        assert attempt.state is attempts.State.CLOSED


@pytest.mark.parametrize(
    "state", [State.PAID, State.EXPIRED, State.CANCELLED, State.FAILED, State.REVIEW, State.REFUNDED]
)
async def test_an_order_that_is_over_gets_no_link(
    shop: PaymentShop, midtrans: MidtransServer, state: State
) -> None:
    order = await shop.order()
    await shop.store.write(lambda c: orders.move(c, order.id, was=State.CREATED, to=state))
    with pytest.raises(NotPayable):
        await shop.checkout.link(order.id)
    assert midtrans.api.requests["snap"] == 0


async def test_an_order_whose_time_is_over_gets_no_link(shop: PaymentShop) -> None:
    order = await shop.order(expires_in_ms=1000)
    with pytest.raises(NotPayable, match="is over"):
        await shop.checkout.link(order.id)
    with pytest.raises(NotPayable, match="no order"):
        await shop.checkout.link("B000000000")


async def test_qris_is_a_picture_where_the_amount_allows_it(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path
) -> None:
    async with payment_shop(
        sqlite_store, midtrans, settings_for(midtrans, tmp_path, PAYMENT_QRIS="true")
    ) as shop:
        attempt = await shop.linked()
        assert attempt.channel is Channel.QRIS
        assert attempt.url is not None
        async with shop.session.get(attempt.url) as picture:
            assert picture.content_type == "image/png"
        assert attempt.token
        await midtrans.pay(attempt.id)
        await shop.confirmed()
        assert await shop.state(attempt.order_id) is State.PAID

        large = Line(kind=LineKind.ITEM, code="R", name="Server", quantity=1, unit_idr=10_000_001)
        assert (await shop.linked(lines=(large,))).channel is Channel.SNAP


async def test_the_customer_calls_his_order_off(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    assert await shop.checkout.cancel(attempt.order_id)
    assert await shop.state(attempt.order_id) is State.CANCELLED
    assert midtrans.transaction(attempt.id).is_token_cancelled
    assert (await shop.attempt(attempt.id)).state is attempts.State.CLOSED
    assert not await shop.checkout.cancel(attempt.order_id)


async def test_an_order_that_was_just_paid_is_not_called_off(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    assert not await shop.checkout.cancel(attempt.order_id)
    assert await shop.state(attempt.order_id) is State.PAID


async def test_nothing_is_called_off_while_nobody_knows_whether_it_was_paid(
    impatient: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await impatient.linked()
    midtrans.break_down(Mode.HTML, Target.STATUS)
    with pytest.raises(MidtransUnavailable):
        await impatient.checkout.cancel(attempt.order_id)
    assert await impatient.state(attempt.order_id) is State.PENDING


async def test_a_virtual_account_is_called_off_with_its_order(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.pick(attempt.id, "bca_va")
    assert await shop.checkout.cancel(attempt.order_id)
    await shop.confirmed()
    assert midtrans.transaction(attempt.id).status == "cancel"
    assert await shop.state(attempt.order_id) is State.CANCELLED
