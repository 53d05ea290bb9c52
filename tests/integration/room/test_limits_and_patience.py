"""Limits of a day that end in FAQ answers, and promises that are not forgotten."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

import pytest

from bot.people import MOST_REMINDERS
from store import handoffs
from store.schema import handoffs as handoff_rows
from store.schema import usage
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, OpenShop, TinyShop, age

# Without the model only what an FAQ entry says in so many words is answered.
EXACT = "Bisa COD?"
NOON = datetime.fromisoformat("2026-11-02T12:00:00+07:00")


async def test_after_his_days_answers_a_customer_gets_the_faq_and_the_owner_hears_it_once(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop(CUSTOMER_DAILY_ANSWERS="2")
    for _ in range(2):
        await shop.says("budi", EXACT, name="Budi")
    asked = shop.model_asked()
    assert await shop.says("budi", EXACT, name="Budi") == [COD]
    await shop.says("budi", UNKNOWN, name="Budi")
    assert shop.model_asked() == asked
    told = [text for text in shop.heard("owner") if "batas jawaban" in text]
    assert told == [shop.wording.say("admin_batas_pelanggan", nama="Budi", nomor="pelanggan 1")]
    # Nobody else is meant.
    await shop.says("siti", QUESTION)
    assert shop.model_asked() == asked + 1


async def test_the_owner_hears_once_that_the_days_money_is_spent(open_shop: OpenShop) -> None:
    shop = await open_shop(MODEL_DAILY_BUDGET_IDR="0")
    for person in ("budi", "siti", "budi"):
        await shop.says(person, EXACT)
    assert shop.heard("owner") == [shop.wording.say("admin_batas_toko", batas="Rp0")]
    assert COD in shop.heard("siti")[0]
    assert shop.model_asked() == 0
    assert await shop.count(usage, usage.c.told_ms.is_not(None)) == 1


async def test_reminders_come_ever_later_and_end(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    pauses = []
    for _ in range(MOST_REMINDERS + 2):
        await age(shop.store, handoff_rows, "due_ms", by_ms=10**9)
        due = await shop.store.read(lambda c: handoffs.due(c, "utama"))
        for handoff in due:
            await shop.write(partial(shop.running.people.remind, handoff=handoff))
            [row] = await shop.rows(handoff_rows)
            pauses.append(row.due_ms)
    await shop.settled()
    reminders = [text for text in shop.heard("owner") if "belum dijawab" in text]
    assert len(reminders) == MOST_REMINDERS
    assert [("terakhir" in text) for text in reminders] == [False] * (MOST_REMINDERS - 1) + [True]
    assert "Menunggu admin: 1" in (await shop.owner("status"))[0]


async def _patience(shop: TinyShop, now: datetime) -> None:
    await shop.running.patience.tell(now)
    shop.running.outbox_worker.wake()
    await shop.settled()


async def test_who_waits_for_long_hears_the_truth_once(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    await shop.says("budi", "sewa tenda pesta besar bisa?")
    await _patience(shop, NOON)
    assert shop.wording.say("masih_menunggu") not in shop.heard("budi")
    await age(shop.store, handoff_rows, "created_ms", by_ms=5 * 3600 * 1000)
    for _ in range(2):
        await _patience(shop, NOON)
    assert shop.heard("budi").count(shop.wording.say("masih_menunggu")) == 1


@pytest.mark.parametrize("clock", ["2026-11-02T20:00:00+07:00", "2026-11-02T07:59:00+07:00"])
async def test_nobody_is_told_at_night(open_shop: OpenShop, clock: str) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    await age(shop.store, handoff_rows, "created_ms", by_ms=5 * 3600 * 1000)
    await _patience(shop, datetime.fromisoformat(clock))
    assert shop.wording.say("masih_menunggu") not in shop.heard("budi")
    await _patience(shop, NOON)
    assert shop.wording.say("masih_menunggu") in shop.heard("budi")


async def test_who_was_answered_or_is_in_a_silent_chat_is_told_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    await shop.owner("Ada Kak.", quote=shop.last_id())
    await shop.says("siti", UNKNOWN)
    await shop.owner("abaikan siti")
    await age(shop.store, handoff_rows, "created_ms", by_ms=5 * 3600 * 1000)
    await _patience(shop, NOON)
    await asyncio.sleep(0)
    for person in ("budi", "siti"):
        assert shop.wording.say("masih_menunggu") not in shop.heard(person)
