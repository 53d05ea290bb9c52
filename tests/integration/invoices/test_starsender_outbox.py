"""Guarantee 8: a paid customer's invoice arrives at least once, or is a dead letter of which the owner hears.

The real worker over a real store, the real client against Starsender on loopback, which fails on command.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Row, update

from billing.posting import left_behind
from billing.printing import Printer
from billing.starsender import StarsenderClient
from config.secret import Secret
from config.settings import Settings
from sandbox.starsender import Mode, StarsenderServer
from store import invoices
from store import queue as queues
from store.doors import Store
from store.queue import Backoff
from store.schema import alerts, outbox
from tests.integration.invoices.download import serving_invoices
from tests.integration.invoices.ledger import verdict
from tests.integration.invoices.shop import (
    ACCOUNT,
    NUMBER,
    SHOP_NUMBER,
    make_delivery,
    make_paid,
    make_post,
    open_room,
    outbox_rows,
    to_customer,
)
from tests.integration.tiny_shop import age
from tests.mutants import failed_invoices_dropped, replace, unanswered_invoices_counted_as_sent
from webhooks import starsender as module
from webhooks.starsender import StarsenderDelivery, starsender_queue, starsender_worker

PATIENCE_S = 60.0
CAUSES = {
    Mode.BROKEN: "servernya lagi gangguan",
    Mode.HTML: "servernya lagi gangguan",
    Mode.RESET: "servernya tidak menjawab",
    Mode.REFUSED: "pesannya ditolak (“Device is disconnected”)",
    Mode.GARBAGE: "pesannya ditolak",
    Mode.EMPTY: "pesannya ditolak",
}
ENDED = ("done", "dropped", "dead")
Make = Callable[..., Settings]


class Scene:
    """Everything between a paid order and the customer's phone."""

    def __init__(self, store: Store, starsender: StarsenderServer, delivery: StarsenderDelivery) -> None:
        self.store = store
        self.starsender = starsender
        self.delivery = delivery

    @property
    def texts(self) -> list[str]:
        return [sent.body for sent in self.starsender.sent if not sent.file]

    @property
    def files(self) -> list[bytes]:
        return [sent.file for sent in self.starsender.sent if sent.file]

    async def pay(self) -> invoices.Invoice:
        post = self.delivery.post
        paid = await self.store.write(make_paid)
        assert await self.store.write(lambda c: post.post(c, paid.invoice, paid.order))
        return paid.invoice

    async def work(self, *, timeout_s: float = 60.0) -> list[Row[Any]]:
        """Run the worker until it has nothing left; what is in the outbox then."""
        worker = starsender_worker(self.delivery, poll_s=0.02)
        running = asyncio.create_task(worker.run(), name="starsender")
        try:
            async with asyncio.timeout(timeout_s):
                while await outbox_rows(self.store, where=_waits):
                    assert not running.done()
                    await asyncio.sleep(0.02)
        finally:
            await worker.stop(drain_s=5)
            await running
        return await outbox_rows(self.store)


def _waits(row: Row[Any]) -> bool:
    return row.transport == "starsender" and row.state not in ENDED


@pytest.fixture
async def scene(
    store: Store, tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """Starsender's device has the shop's own number, so the bot sends nothing unless it has to."""
    monkeypatch.setattr(module, "BACKOFF", Backoff(attempts=100, first_s=0.01, most_s=0.02))
    await open_room(store)
    async with contextlib.AsyncExitStack() as stack:
        # As in the payment process: what was made for one is there for the other.
        printer = Printer()
        public = await stack.enter_async_context(serving_invoices(store, printer))
        starsender = await stack.enter_async_context(StarsenderServer(number=SHOP_NUMBER))
        settings = make_settings(**starsender.environment, PUBLIC_URL=public)
        key = settings.billing.starsender_key
        assert key is not None
        client = await stack.enter_async_context(
            StarsenderClient(key=key, base_url=settings.billing.starsender_url, total_s=2.0)
        )
        delivery = make_delivery(
            store, make_post(tmp_path, settings), client, patience_s=PATIENCE_S, printer=printer
        )
        yield Scene(store, starsender, delivery)


async def test_the_text_comes_first_and_then_the_pdf(scene: Scene) -> None:
    invoice = await scene.pay()
    rows = await scene.work()
    first, second = scene.starsender.sent
    assert (first.to, first.file) == (NUMBER, b"")
    assert first.body == "Invoice INV/2026/11/0001 kami kirim di bawah ini ya Kak."
    assert second.file.startswith(b"%PDF-")
    assert second.name == "INV-2026-11-0001.pdf"
    assert to_customer(rows) == [("starsender", "text", "done"), ("starsender", "document", "done")]
    left = await scene.store.read(lambda c: invoices.get(c, ACCOUNT, invoice.number))
    assert left is not None
    assert (left.delivered_by, left.delivered_ms is not None) == ("starsender", True)


@pytest.mark.parametrize("mode", [Mode.BROKEN, Mode.HTML, Mode.RESET, Mode.LOST])
async def test_what_may_not_have_arrived_is_sent_once_more_and_marked(scene: Scene, mode: Mode) -> None:
    await scene.pay()
    scene.starsender.break_down(mode, times=1, delay_s=5.0)
    await scene.work()
    marked = [text for text in scene.texts if text.startswith("Kirim ulang ya Kak")]
    assert len(marked) == 1
    # Lost is the answer alone: the message had arrived.
    assert len(scene.texts) == (2 if mode is Mode.LOST else 1)
    assert len(scene.files) == 1


@pytest.mark.parametrize("mode", [Mode.BROKEN, Mode.HTML, Mode.GARBAGE, Mode.REFUSED, Mode.EMPTY, Mode.RESET])
async def test_when_starsender_fails_for_good_the_bot_sends_the_document_and_the_owner_hears_of_it(
    scene: Scene, mode: Mode
) -> None:
    invoice = await scene.pay()
    scene.starsender.break_down(mode)
    rows = await scene.work()
    bots = [row for row in rows if row.transport == "terminal" and row.chat == "budi"]
    assert [(row.kind, row.state, row.document) for row in bots] == [("document", "new", invoice.number)]
    assert await verdict(scene.store, scene.starsender) == []
    notices = [row.body for row in rows if row.chat == "ruang"]
    assert len(notices) == 1
    assert notices[0].startswith(f"⚠️ *Starsender bermasalah*: {CAUSES[mode]}")


@pytest.mark.parametrize("mutant", [failed_invoices_dropped, unanswered_invoices_counted_as_sent])
async def test_the_verdict_names_the_invoice_when_the_guard_is_gone(
    scene: Scene, mutant: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.mutate(partial(replace, put=monkeypatch.setattr))
    invoice = await scene.pay()
    scene.starsender.break_down(Mode.BROKEN)
    await scene.work()
    assert await verdict(scene.store, scene.starsender) == [invoice.number]


async def test_a_document_that_may_have_arrived_is_marked_when_the_bot_sends_it(scene: Scene) -> None:
    await scene.pay()
    scene.starsender.break_down(Mode.BROKEN)
    rows = await scene.work()
    (document,) = [row for row in rows if row.chat == "budi"]
    assert document.body.startswith("Kirim ulang ya Kak")


async def test_a_limit_is_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.starsender.LIMITED_PAUSE_S", 0.01)
    await scene.pay()
    scene.starsender.break_down(Mode.LIMITED, times=3)
    rows = await scene.work()
    assert to_customer(rows) == [("starsender", "text", "done"), ("starsender", "document", "done")]
    assert not any(text.startswith("Kirim ulang ya Kak") for text in scene.texts)


async def test_patience_ends_and_the_bot_takes_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.starsender.LIMITED_PAUSE_S", 0.01)
    scene.delivery.patience_s = 0.0
    await scene.pay()
    scene.starsender.break_down(Mode.LIMITED)
    rows = await scene.work()
    assert [(row.transport, row.kind) for row in rows if row.chat == "budi"] == [("terminal", "document")]
    assert scene.starsender.sent == []


async def test_a_doubt_outlives_a_failed_connection_and_a_restart(scene: Scene) -> None:
    await scene.pay()
    scene.starsender.break_down(Mode.LOST, times=1, delay_s=5.0)
    scene.starsender.break_down(Mode.LIMITED, times=1)
    await scene.work()
    assert [text.startswith("Kirim ulang ya Kak") for text in scene.texts] == [False, True]


async def test_a_row_that_was_in_hand_when_the_process_died_is_marked(scene: Scene) -> None:
    await scene.pay()
    queue = starsender_queue(ACCOUNT)
    await scene.store.write(lambda c: queues.claim(c, queue, owner="tot", most=1))
    await scene.store.write(lambda c: queues.take_back_dead(c, queue))
    await scene.work()
    assert scene.texts[0].startswith("Kirim ulang ya Kak")


async def test_without_a_key_any_more_the_bot_takes_what_waits(scene: Scene) -> None:
    await scene.pay()
    scene.delivery.client = None
    rows = await scene.work()
    assert [(row.transport, row.kind, row.state) for row in rows if row.chat == "budi"] == [
        ("terminal", "document", "new")
    ]


async def test_a_row_that_no_attempt_can_end_is_a_dead_letter_and_the_bot_sends_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(row: Row[Any]) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(module, "BACKOFF", Backoff(attempts=2, first_s=0.01, most_s=0.02))
    monkeypatch.setattr(scene.delivery, "deliver", broken)
    await scene.pay()
    rows = await scene.work()
    assert ("starsender", "text", "dead") in to_customer(rows)
    assert ("terminal", "document", "new") in to_customer(rows)
    assert await verdict(scene.store, scene.starsender) == []


async def test_a_starsender_that_goes_on_refusing_is_told_once(scene: Scene) -> None:
    scene.starsender.break_down(Mode.REFUSED)
    for _ in range(2):
        await scene.pay()
        rows = await scene.work()
        await age(scene.store, alerts, "notified_ms", by_ms=16 * 60_000)
    assert len([row for row in rows if row.chat == "ruang"]) == 1


async def test_when_starsender_is_well_again_the_owner_hears_of_that(scene: Scene) -> None:
    await scene.pay()
    scene.starsender.break_down(Mode.REFUSED, times=1)
    await scene.work()
    await scene.pay()
    rows = await scene.work()
    notices = [row.body for row in rows if row.chat == "ruang"]
    assert ["bermasalah" in notices[0], "normal lagi" in notices[1]] == [True, True]
    assert len(notices) == 2


async def test_the_key_and_the_number_are_in_no_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    await scene.pay()
    for mode in (Mode.BROKEN, Mode.REFUSED, Mode.GARBAGE):
        scene.starsender.break_down(mode, times=1)
    await scene.work()
    key = scene.starsender.environment["STARSENDER_KEY"]
    assert key not in caplog.text
    assert key not in repr(Secret(key))


async def _age(store: Store, ms: int) -> None:
    await store.write(lambda c: c.execute(update(outbox).values(created_ms=outbox.c.created_ms - ms)))


async def test_rows_that_no_payment_process_works_are_found(scene: Scene) -> None:
    invoice = await scene.pay()
    assert await scene.store.read(lambda c: left_behind(c, ACCOUNT, older_ms=60_000)) == []
    await _age(scene.store, 61_000)
    found = await scene.store.read(lambda c: left_behind(c, ACCOUNT, older_ms=60_000))
    assert list(found) == [invoice.number]
