"""The payment process as it runs: started, asked for its figures, stopped, killed, without a key."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select, update

from config.settings import Settings
from sandbox.midtrans import MidtransServer
from store import owners, payment_events, schema
from store import queue as queues
from store.orders import State
from store.schema import now_ms
from store.sqlite import SqliteStore
from tests.guarantees.paycrashes import books_open, point
from tests.guarantees.payprocess import PayHome, living
from tests.integration.payments.shop import PaymentShop, payment_shop, settings_for
from webhooks.assembly import assemble


@pytest.fixture
def home(midtrans: MidtransServer, tmp_path: Path) -> PayHome:
    return PayHome(state_dir=tmp_path / "var", midtrans=midtrans)


async def test_the_real_process_confirms_a_payment_and_stops_in_good_order(
    home: PayHome, midtrans: MidtransServer
) -> None:
    async with books_open(home) as shop, living(home) as life:
        await life.ready()
        point(home, life)
        attempt = await shop.linked()
        await midtrans.pay(attempt.id, "qris")
        await shop.confirmed()
        assert await shop.state(attempt.order_id) is State.PAID
        memory_mb = psutil.Process(life.process.pid).memory_info().rss / 2**20
        assert memory_mb <= 80
        ours = shop.service.instance
        listed = await shop.store.read(lambda c: c.execute(select(schema.owners.c.instance)).scalars().all())
        (other,) = set(listed) - {ours}
        assert other.startswith("webhooks-")
        await life.stop()
        left = await shop.store.read(lambda c: c.execute(select(schema.owners.c.instance)).scalars().all())
        assert list(left) == [ours]
        assert midtrans.desk.merchant.server_key not in "".join(life.log)


async def test_without_a_midtrans_key_there_is_no_door_and_everything_else_runs(
    home: PayHome, midtrans: MidtransServer
) -> None:
    home.settings["MIDTRANS_SERVER_KEY"] = ""
    async with books_open(home) as shop, living(home) as life:
        await life.ready()
        base = f"http://127.0.0.1:{life.port}"
        async with shop.session.post(f"{base}/midtrans/notification", data=b"{}") as answer:
            assert answer.status == 404
        async with shop.session.get(f"{base}/ready") as answer:
            assert answer.status == 200
        await life.stop()


async def test_a_key_of_the_wrong_world_ends_the_start_with_78(home: PayHome) -> None:
    home.settings["MIDTRANS_PRODUCTION"] = "true"
    async with living(home) as life:
        assert await life.ended() == 78
    assert any("MIDTRANS_PRODUCTION" in line for line in life.log)
    assert home.midtrans.desk.merchant.server_key not in "".join(life.log)


async def test_a_process_that_starts_alone_takes_back_at_once_what_a_dead_one_had(
    home: PayHome, midtrans: MidtransServer
) -> None:
    async with books_open(home) as shop:
        attempt = await shop.linked()
        await midtrans.pay(attempt.id, "gopay")
        body = shop.signed(order_id=attempt.id, status_code="200", gross_amount="770000.00")
        assert await shop.notify(body) == 200
        queue = payment_events.payment_queue("utama")
        # Its owner was alive a moment ago, so that nobody else would touch it for half a minute.
        await shop.store.write(lambda c: owners.register(c, "webhooks-mati", "utama"))
        assert await shop.store.write(lambda c: queues.claim(c, queue, owner="webhooks-mati", most=5))
        async with living(home) as life:
            await life.ready()
            await shop.confirmed()
        assert await shop.state(attempt.order_id) is State.PAID


async def test_two_processes_share_the_work_and_take_over_from_one_that_fell_silent(
    midtrans: MidtransServer, tmp_path: Path, postgres_store: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.assembly.HEARTBEAT_S", 0.05)
    settings = settings_for(midtrans, tmp_path)
    async with (
        payment_shop(postgres_store, midtrans, settings) as first,  # type: ignore[arg-type] # a store
        payment_shop(postgres_store, midtrans, settings) as second,  # type: ignore[arg-type] # a store
    ):
        links = [await first.linked() for _ in range(12)]
        for number, attempt in enumerate(links):
            midtrans.notify_url = f"{(first, second)[number % 2].url}/midtrans/notification"
            await midtrans.pay(attempt.id, "gopay")
        await first.confirmed()
        assert len(await first.invoice_numbers()) == 12

        # A third one claimed a row and was never heard of again.
        late = await first.linked()
        queue = payment_events.payment_queue("utama")

        def stolen(connection: object) -> None:
            payment_events.record(connection, "utama", key=late.id, body=b"{}")  # type: ignore[arg-type] # one
            connection.execute(  # type: ignore[attr-defined] # a connection
                update(schema.payment_events)
                .where(schema.payment_events.c.key == late.id)
                .values(state="claimed", owner="webhooks-hilang", claimed_ms=now_ms(), attempts=1)
            )

        await first.store.write(stolen)
        assert queue.transport == "midtrans"
        midtrans.drop_notifications()
        await midtrans.pay(late.id, "gopay")
        await first.confirmed()
        assert await first.state(late.order_id) is State.PAID


async def figures(shop: PaymentShop) -> dict[str, float]:
    async with shop.session.get(f"{shop.url}/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    return {
        name: float(value) for name, value in re.findall(r"^(balas_\S+) (\S+)$", text, flags=re.MULTILINE)
    }


async def test_the_figures_say_what_waits_and_what_was_refused_and_name_nobody(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked(number="6281234567834")
    await midtrans.pay(attempt.id, "gopay")
    await shop.confirmed()
    await shop.notify(b"{")
    await shop.notify({"order_id": "a", "status_code": "200", "gross_amount": "1", "signature_key": "x"})
    found = await figures(shop)
    assert found['balas_notifications_total{result="no_json"}'] == 1
    assert found['balas_notifications_total{result="bad_signature"}'] == 1
    assert found['balas_confirmations_total{outcome="paid"}'] == 1
    assert found["balas_paid_without_invoice"] == 0
    assert found['balas_waiting{queue="notifications"}'] == 0
    assert "6281234567834" not in str(found)
    assert attempt.order_id not in str(found)

    await shop.store.write(lambda c: c.exec_driver_sql("DELETE FROM invoices").close())
    assert (await figures(shop))["balas_paid_without_invoice"] == 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
async def test_the_figures_are_for_this_machine_alone(shop: PaymentShop, header: str) -> None:
    async with shop.session.get(f"{shop.url}/metrics", headers={header: "203.0.113.9"}) as answer:
        assert answer.status == 404


async def test_a_background_task_that_dies_takes_the_process_with_it(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path
) -> None:
    from config.shop import Shop
    from config.wording import Wording
    from webhooks.app import _until

    settings: Settings = settings_for(midtrans, tmp_path)
    shop = Shop(nama="Toko Uji")

    async def dies() -> None:
        raise ZeroDivisionError

    async with assemble(settings, shop, Wording.load(settings.data_dir, shop), sqlite_store) as service:
        service.background["poller"].close()
        service.background["poller"] = dies()
        with pytest.raises(ZeroDivisionError):
            await _until(asyncio.Event(), service, drain_s=1)
