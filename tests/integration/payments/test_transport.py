"""What goes wrong on the way: odd bodies at our door, Midtrans away, a store that takes nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pysqlite3
import pytest

from billing.errors import MidtransMisconfigured
from sandbox.midtrans import MidtransServer, Mode, Target
from store.orders import State
from store.queue import Backoff
from store.sqlite import SqliteStore
from tests.integration.payments.shop import PaymentShop, payment_shop, settings_for
from webhooks.confirming import BACKOFF


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"ada"', b"5", b"\xff\xfe{}", b"[" * 60_000, b"1" * 60_000, b'{"a": NaN,}', b"a=b"],
    ids=lambda body: repr(body[:12]),
)
async def test_what_is_no_json_object_is_refused_as_that(shop: PaymentShop, body: bytes) -> None:
    assert await shop.notify(body) == 400
    assert await shop.events() == []


async def test_an_oversize_body_is_refused_unread(shop: PaymentShop) -> None:
    assert await shop.notify(b"{" + b" " * 70_000 + b"}") == 413
    assert await shop.events() == []


async def test_fields_that_nobody_knows_are_no_trouble(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    midtrans.alter(attempt.id, brand_new={"deep": [1, {"er": None}]}, emoji="🙏", number=5)
    await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


async def test_capitals_mean_the_same(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    midtrans.desk.in_capitals = True
    await midtrans.pay(attempt.id, "dana")
    await shop.confirmed()
    assert midtrans.deliveries[-1].body["transaction_status"] == "SETTLEMENT"
    assert await shop.state(attempt.order_id) is State.PAID


async def test_a_404_inside_a_200_is_a_404(shop: PaymentShop, midtrans: MidtransServer) -> None:
    """Before a method is picked Midtrans's status knows of nothing, and says so in two ways."""
    midtrans.api.is_missing_inside_200 = True
    attempt = await shop.linked()
    found = await shop.checkout.ask(attempt.order_id)
    assert found is not None
    assert found.state is State.PENDING
    midtrans.api.is_missing_inside_200 = False
    assert (await shop.checkout.ask(attempt.order_id)) is not None


async def test_a_notification_ahead_of_midtranss_own_status_is_asked_about_again(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    body = shop.signed(
        order_id=attempt.id, status_code="200", gross_amount="770000.00", transaction_status="settlement"
    )
    assert await shop.notify(body) == 200

    async def was_asked() -> bool:
        return midtrans.api.requests["status"] >= 1

    await shop.until(was_asked)
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


async def test_an_expired_one_is_407_to_those_who_ask(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    await midtrans.pick(attempt.id, "bca_va")
    await midtrans.expire(attempt.id)
    await shop.confirmed()
    assert midtrans.desk.answer(midtrans.transaction(attempt.id))["status_code"] == "407"
    assert await shop.state(attempt.order_id) is State.EXPIRED


@pytest.fixture
async def impatient(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PaymentShop]:
    """A shop that does not wait long for Midtrans, nor for the next try."""
    monkeypatch.setattr("billing.midtrans.READ_TIMEOUT_S", 0.3)
    monkeypatch.setattr("webhooks.confirming.BACKOFF", Backoff(attempts=10_000, first_s=0.05, most_s=0.2))
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as opened:
        yield opened


@pytest.mark.parametrize(
    "mode", [Mode.HANG, Mode.HTML, Mode.GARBAGE, Mode.EMPTY, Mode.BROKEN, Mode.RESET, Mode.LIMITED]
)
async def test_whatever_midtrans_does_the_notification_is_taken_and_confirmed_when_it_is_back(
    impatient: PaymentShop, midtrans: MidtransServer, mode: Mode
) -> None:
    shop = impatient
    attempt = await shop.linked()
    midtrans.break_down(mode, Target.STATUS)
    await midtrans.pay(attempt.id, "qris")
    await midtrans.delivered()
    # Answered while Midtrans itself has answered nothing: the row was enough.
    assert midtrans.deliveries[-1].answers == [200]

    async def was_asked() -> bool:
        return midtrans.api.requests["status"] >= 2

    await shop.until(was_asked)
    assert await shop.state(attempt.order_id) is State.PENDING
    assert {state for state, _ in await shop.events()} <= {"new", "claimed"}
    midtrans.mend()
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


async def test_the_owner_hears_of_an_outage_after_five_minutes_and_of_its_end(
    impatient: PaymentShop, midtrans: MidtransServer
) -> None:
    shop = impatient
    attempt = await shop.linked()
    midtrans.break_down(Mode.HTML, Target.STATUS)
    await midtrans.pay(attempt.id, "qris")

    async def was_asked() -> bool:
        return midtrans.api.requests["status"] >= 2

    await shop.until(was_asked)
    assert await shop.told() == []
    await shop.store.write(
        lambda c: c.exec_driver_sql("UPDATE payment_events SET received_ms = received_ms - 301000").close()
    )

    async def told() -> bool:
        return bool(await shop.told())

    await shop.until(told)
    assert "Midtrans tidak bisa ditanya" in (await shop.told())[0]
    midtrans.mend()
    await shop.confirmed()
    notices = await shop.told()
    assert len(notices) == 3
    assert any("Midtrans sudah normal lagi" in notice for notice in notices)
    assert any("Lunas" in notice for notice in notices)


async def test_a_key_that_midtrans_does_not_know_waits_for_a_person(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.pick(attempt.id, "bca_va")
    await shop.confirmed()
    # Signed with the key that we have, and Midtrans knows another one by now.
    body = shop.signed(order_id=attempt.id, status_code="200", gross_amount="770000.00")
    merchant = midtrans.desk.merchant
    midtrans.desk.merchant = dataclasses.replace(merchant, server_key="SB-Mid-server-lain")
    assert await shop.notify(body) == 200

    async def waits() -> bool:
        return any("MIDTRANS_SERVER_KEY" in (error or "") for _, error in await shop.events())

    await shop.until(waits)
    # The owner need not wait five minutes for what no waiting mends.
    [notice] = await shop.told()
    assert "Midtrans menolak kunci toko ini" in notice
    assert "Midtrans *sandbox (uji coba)*" in notice
    assert "Kalau kuncinya memang punya produksi (uang sungguhan), tulis MIDTRANS_PRODUCTION=true" in notice
    midtrans.desk.merchant = merchant
    await shop.confirmed()
    assert any("Midtrans sudah normal lagi" in notice for notice in await shop.told())


async def test_a_link_that_the_key_cannot_make_tells_the_owner_which_key_is_wanted(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    merchant = midtrans.desk.merchant
    midtrans.desk.merchant = dataclasses.replace(merchant, server_key="Mid-server-lain")
    for _ in range(2):
        with pytest.raises(MidtransMisconfigured, match=r"MIDTRANS_PRODUCTION: true asks production"):
            await shop.linked()
    # Told once, however many customers try.
    [notice] = await shop.told()
    assert "*Server Key* (bukan Client Key)" in notice
    assert merchant.server_key not in notice
    midtrans.desk.merchant = merchant
    await shop.linked()


@pytest.fixture
async def hasty(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PaymentShop]:
    """A shop that gives its database less time for a commit."""
    monkeypatch.setattr("webhooks.notifications.COMMIT_TIMEOUT_S", 0.3)
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as opened:
        yield opened


async def test_a_store_that_takes_nothing_is_a_503_and_the_next_try_is_taken(
    hasty: PaymentShop, midtrans: MidtransServer, sqlite_path: Path
) -> None:
    shop = hasty
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    body = midtrans.desk.notification(midtrans.transaction(attempt.id))
    other = pysqlite3.connect(sqlite_path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert set(await asyncio.gather(*(shop.notify(body) for _ in range(5)))) == {503}
        assert await shop.events() == []
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert await shop.notify(body) == 200
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PAID


async def test_an_unforeseen_fault_is_a_503_too(
    shop: PaymentShop, midtrans: MidtransServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bool:
        raise ZeroDivisionError

    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    body = midtrans.desk.notification(midtrans.transaction(attempt.id))
    with monkeypatch.context() as patch:
        patch.setattr("webhooks.notifications.is_signed", broken)
        assert await shop.notify(body) == 503
    assert await shop.notify(body) == 200


async def test_an_answer_that_nobody_understands_becomes_a_dead_letter_that_is_told(
    shop: PaymentShop, midtrans: MidtransServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.confirming.PATIENCE_FOR_ANSWERS", 1)
    attempt = await shop.linked()
    midtrans.alter(attempt.id, notified=False, gross_amount="banyak")
    await midtrans.pay(attempt.id, "qris")
    await shop.confirmed()
    assert {state for state, _ in await shop.events()} == {"dead"}
    assert "tidak bisa kuproses" in (await shop.told())[-1]
    assert await shop.state(attempt.order_id) is State.PENDING


async def test_no_key_and_no_number_is_in_the_log(
    shop: PaymentShop, midtrans: MidtransServer, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt = await shop.linked(number="6281234567834")
    midtrans.break_down(Mode.HTML, Target.STATUS, times=1)
    await midtrans.pay(attempt.id, "qris")
    await shop.notify(b"{")
    await shop.confirmed()
    logged = "".join(capsys.readouterr())
    assert "payment_asked" in logged
    assert midtrans.desk.merchant.server_key not in logged
    assert "6281234567834" not in logged
    assert json.dumps(midtrans.deliveries[-1].body["signature_key"]) not in logged


def test_a_week_of_midtrans_being_away_makes_no_dead_letter() -> None:
    waited_s = sum(
        min(BACKOFF.most_s, BACKOFF.first_s * 2 ** min(n, 30)) / 2 for n in range(BACKOFF.attempts)
    )
    assert waited_s > 3 * 24 * 3600
