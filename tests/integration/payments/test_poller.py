"""What nobody tells us: lost notifications, ends of time, reminders, links that are left over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from billing import transfer
from billing.poller import FAST, GRACE_MS, MINUTE_MS, SLOW, Poller
from config.settings import Settings
from config.shop import Shop
from sandbox.midtrans import MidtransServer, Mode, Target
from store import attempts, schema
from store.orders import State
from store.sqlite import SqliteStore
from tests.integration.payments.shop import PaymentShop, payment_shop, settings_for

HOUR_MS = 60 * MINUTE_MS


async def ages(shop: PaymentShop, ms: int) -> None:
    """Everything about orders happened so much earlier."""

    def shift(connection: object) -> None:
        for table, columns in (
            (schema.orders, ("created_ms", "expires_ms")),
            (schema.attempts, ("created_ms", "expires_ms", "checked_ms")),
        ):
            connection.execute(update(table).values({name: table.c[name] - ms for name in columns}))  # type: ignore[attr-defined] # any connection

    await shop.store.write(shift)


@pytest.fixture
def by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hours in which the bot may write by itself."""
    monkeypatch.setattr(Shop, "is_quiet_time", lambda self, at: False)


async def test_a_payment_whose_notification_was_lost_is_found_within_seconds_without_an_address(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    poller = shop.poller()
    await poller.round()
    assert await shop.state(attempt.order_id) is State.PENDING
    await ages(shop, FAST.often_ms)
    await poller.round()
    assert await shop.state(attempt.order_id) is State.PAID
    assert len(await shop.invoice_numbers()) == 1


@pytest.mark.parametrize("pace", [FAST, SLOW])
async def test_every_link_is_asked_about_within_a_quarter_of_an_hour(
    shop: PaymentShop, midtrans: MidtransServer, pace: object
) -> None:
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "bca_va")
    # Whether it is young or hours old, and asked about just now.
    for age_ms in (0, 5 * HOUR_MS):
        await ages(shop, age_ms)
        await shop.store.write(
            lambda c: c.execute(update(schema.attempts).values(checked_ms=schema.now_ms())).close()
        )
        await ages(shop, 15 * MINUTE_MS - 1000)
        due = await shop.store.read(
            lambda c: attempts.to_check(
                c,
                "utama",
                young_ms=pace.young_ms,
                often_ms=pace.often_ms,
                seldom_ms=pace.seldom_ms,
                most=5,  # type: ignore[attr-defined] # a Pace
            )
        )
        assert [one.id for one in due] == [attempt.id]
    await shop.poller(pace).round()  # type: ignore[arg-type] # a Pace
    assert await shop.state(attempt.order_id) is State.PAID


async def test_an_order_ends_after_midtrans_was_asked_and_its_customer_hears_it_politely(
    shop: PaymentShop, midtrans: MidtransServer, by_day: None
) -> None:
    attempt = await shop.linked(number="6281234567834", expires_in_ms=HOUR_MS)
    poller = shop.poller()
    await ages(shop, HOUR_MS + 1000)
    asked = midtrans.api.requests["status"]
    await poller.round()
    assert midtrans.api.requests["status"] > asked
    assert await shop.state(attempt.order_id) is State.PENDING, "a page may be paid on in its last second"
    await ages(shop, GRACE_MS)
    await poller.round()
    assert await shop.state(attempt.order_id) is State.EXPIRED
    (note,) = await shop.told("6281234567834@s.whatsapp.net")
    assert "sudah lewat" in note
    await ages(shop, MINUTE_MS)
    await poller.round()
    assert (await shop.attempt(attempt.id)).state is attempts.State.CLOSED
    assert len(await shop.told("6281234567834@s.whatsapp.net")) == 1


async def test_an_order_that_was_paid_in_its_last_minute_is_paid(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked(expires_in_ms=HOUR_MS)
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    # Nobody asked all the time: only its end does.
    await ages(shop, HOUR_MS + GRACE_MS + 1000)
    await shop.store.write(
        lambda c: c.execute(update(schema.attempts).values(checked_ms=schema.now_ms())).close()
    )
    await shop.poller().round()
    assert await shop.state(attempt.order_id) is State.PAID
    assert not any("terlambat" in notice for notice in await shop.told())


async def test_no_order_is_closed_while_midtrans_cannot_be_asked(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked(expires_in_ms=HOUR_MS)
    await ages(shop, 3 * HOUR_MS)
    midtrans.break_down(Mode.HTML, Target.STATUS)
    poller = shop.poller()
    poller.pause_s = 0.0
    await poller.round()
    assert await shop.state(attempt.order_id) is State.PENDING
    midtrans.mend()
    await poller.round()
    assert await shop.state(attempt.order_id) is State.EXPIRED


async def test_a_virtual_account_that_outlives_its_order_is_called_off(
    shop: PaymentShop, midtrans: MidtransServer, by_day: None
) -> None:
    attempt = await shop.linked(expires_in_ms=HOUR_MS)
    await midtrans.pick(attempt.id, "bca_va")
    await shop.confirmed()
    await ages(shop, HOUR_MS + GRACE_MS + 1000)
    poller = shop.poller()
    await poller.round()
    assert await shop.state(attempt.order_id) is State.EXPIRED
    await ages(shop, MINUTE_MS)
    await poller.round()
    assert midtrans.transaction(attempt.id).status == "cancel"
    assert (await shop.attempt(attempt.id)).state is attempts.State.CLOSED
    # What Midtrans says about it afterwards closes nothing twice.
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.CANCELLED


async def test_who_has_not_paid_is_reminded_once_before_the_end(
    shop: PaymentShop, midtrans: MidtransServer, by_day: None
) -> None:
    attempt = await shop.linked(number="6281234567834", expires_in_ms=24 * HOUR_MS)
    poller = shop.poller()
    await poller.round()
    assert await shop.told("6281234567834@s.whatsapp.net") == []
    await ages(shop, 23 * HOUR_MS)
    await poller.round()
    await poller.round()
    (reminder,) = await shop.told("6281234567834@s.whatsapp.net")
    assert "belum dibayar" in reminder
    assert attempt.order_id in reminder


async def test_who_pays_by_transfer_is_reminded_of_that_and_of_no_link(
    shop: PaymentShop, by_day: None
) -> None:
    order = await shop.order(number="6281234567834", expires_in_ms=24 * HOUR_MS)
    assert await shop.store.write(lambda c: transfer.choose(c, order.id))
    await ages(shop, 23 * HOUR_MS)
    await shop.poller().round()
    (reminder,) = await shop.told("6281234567834@s.whatsapp.net")
    assert "*sudah transfer*" in reminder
    assert order.id in reminder
    assert "link" not in reminder


async def test_nobody_is_reminded_in_the_first_half_of_a_short_time(shop: PaymentShop, by_day: None) -> None:
    await shop.linked(number="6281234567834", expires_in_ms=HOUR_MS)
    poller = shop.poller()
    await poller.round()
    assert await shop.told("6281234567834@s.whatsapp.net") == []
    await ages(shop, HOUR_MS * 3 // 4)
    await poller.round()
    assert len(await shop.told("6281234567834@s.whatsapp.net")) == 1


async def test_nobody_is_reminded_at_night(shop: PaymentShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shop, "is_quiet_time", lambda self, at: True)
    await shop.linked(number="6281234567834", expires_in_ms=HOUR_MS)
    await ages(shop, HOUR_MS * 3 // 4)
    await shop.poller().round()
    assert await shop.told("6281234567834@s.whatsapp.net") == []


async def test_what_ends_at_night_is_said_once_in_the_morning_whoever_runs_then(
    any_shop: PaymentShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, chat, night = any_shop, "6281234567834@s.whatsapp.net", [True]
    monkeypatch.setattr(Shop, "is_quiet_time", lambda self, at: night[0])
    order = await shop.order(number="6281234567834", expires_in_ms=HOUR_MS)
    paid = await shop.order(number="6281234567834", expires_in_ms=HOUR_MS)
    draft = await shop.order(number="6281234567834", expires_in_ms=HOUR_MS)
    for one in (order, paid):
        assert await shop.store.write(lambda c, id=one.id: transfer.choose(c, id))  # type: ignore[misc] # mypy infers no default
    await ages(shop, HOUR_MS + 1000)
    poller = shop.poller()
    await poller.round()
    assert {await shop.state(one.id) for one in (order, paid, draft)} == {State.EXPIRED}
    # Nothing of it is in the outbox, where all that comes after it would have to wait.
    assert await shop.told(chat) == []
    await shop.store.write(lambda c: transfer.confirm(c, shop.till, paid.id, by="pemilik"))
    thanks = await shop.told(chat)
    night[0] = False
    after_a_restart = shop.poller()
    for runs in (poller, after_a_restart, poller):
        await runs.round()
    (note,) = (await shop.told(chat))[len(thanks) :]
    assert "sudah lewat" in note
    assert order.id in note


async def test_each_night_is_told_of_in_its_morning(
    shop: PaymentShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = [False]
    monkeypatch.setattr(Shop, "is_quiet_time", lambda self, at: night[0])
    poller = shop.poller()
    await poller.round()
    for number in ("6281234567834", "6281234567835"):
        night[0] = True
        order = await shop.order(number=number, expires_in_ms=HOUR_MS)
        assert await shop.store.write(lambda c, id=order.id: transfer.choose(c, id))  # type: ignore[misc] # mypy infers no default
        await ages(shop, HOUR_MS + 1000)
        await poller.round()
        night[0] = False
        await poller.round()
        assert len(await shop.told(f"{number}@s.whatsapp.net")) == 1


async def test_a_transfer_that_nobody_confirmed_ends_too_without_any_midtrans(
    sqlite_store: SqliteStore,
    midtrans: MidtransServer,
    tmp_path: Path,
    make_settings: Callable[..., Settings],
    by_day: None,
) -> None:
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as shop:
        order = await shop.order(expires_in_ms=HOUR_MS)
        assert await shop.store.write(lambda c: transfer.choose(c, order.id))
        poller = Poller(store=shop.store, till=shop.till, payments=None, checkout=None, pace=FAST)
        await poller.round()
        assert await shop.state(order.id) is State.WAITING_CONFIRMATION
        await ages(shop, HOUR_MS)
        await poller.round()
        assert await shop.state(order.id) is State.EXPIRED


async def test_the_process_polls_by_itself(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path
) -> None:
    """The real background task, without a notification and without a round of the test's own."""
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as shop:
        attempt = await shop.linked()
        midtrans.drop_notifications()
        await midtrans.pay(attempt.id, "qris")
        await ages(shop, FAST.often_ms)
        task = asyncio.create_task(shop.poller().run())

        async def paid() -> bool:
            return await shop.state(attempt.order_id) is State.PAID

        await shop.until(paid)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_after_a_start_a_payment_that_came_meanwhile_is_found_though_midtrans_reaches_us(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path
) -> None:
    """Its notification comes again in two minutes, and the slow pace would ask in five."""
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as shop:
        missed = await shop.linked()
        midtrans.drop_notifications()
        await midtrans.pay(missed.id, "qris")
        task = asyncio.create_task(shop.poller(SLOW).run())

        async def paid() -> bool:
            return await shop.state(missed.order_id) is State.PAID

        await shop.until(paid)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_only_what_was_there_before_the_start_is_asked_about_out_of_turn(
    shop: PaymentShop, midtrans: MidtransServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller, rounds = shop.poller(SLOW), 0
    poller.pause_s = 0.0
    enough = asyncio.Event()

    async def counted() -> None:
        nonlocal rounds
        rounds += 1
        await Poller.round(poller)
        if rounds >= 5:
            enough.set()

    monkeypatch.setattr(poller, "round", counted)
    task = asyncio.create_task(poller.run())
    await asyncio.wait_for(enough.wait(), 30)
    # The two clocks differ by a millisecond at most.
    await asyncio.sleep(0.01)
    midtrans.drop_notifications()
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "qris")
    rounds, enough = 0, asyncio.Event()
    await asyncio.wait_for(enough.wait(), 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await shop.state(attempt.order_id) is State.PENDING
