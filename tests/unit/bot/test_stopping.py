"""The stop's one budget: who gets which part of it, and that nobody waits for a network that is away."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest
import structlog

from bot import stopping
from bot.assembly import Running

# Long enough for any machine; no test waits for it.
DRAIN_S = 60.0


@dataclass(kw_only=True)
class Worker:
    """Notes how long it is given."""

    drains_s: list[float] = field(default_factory=list)
    hangs: bool = False

    async def stop(self, *, drain_s: float) -> None:
        self.drains_s.append(drain_s)
        if self.hangs:
            await asyncio.Event().wait()


class Channel:
    def __init__(self, *, is_reachable: bool) -> None:
        self._is_reachable = is_reachable

    async def stop(self, drain_s: float) -> None:
        pass

    async def reachable(self) -> None:
        if not self._is_reachable:
            await asyncio.Event().wait()


class Store:
    def __init__(self) -> None:
        self.writes = 0

    async def write(self, job: object) -> None:
        self.writes += 1


class Bot:
    """What of a running bot a stop touches."""

    def __init__(self, *, is_reachable: bool) -> None:
        self.inbox, self.outbox, self.media = Worker(), Worker(), Worker()
        self.store = Store()
        self.awaited: list[float] = []
        self.running = cast(
            "Running",
            SimpleNamespace(
                channel=Channel(is_reachable=is_reachable),
                inbox_worker=self.inbox,
                outbox_worker=self.outbox,
                media_worker=self.media,
                delivered=self.delivered,
                store=self.store,
                instance="bot-1",
            ),
        )

    async def delivered(self, timeout_s: float) -> None:
        self.awaited.append(timeout_s)


async def test_answers_leave_delivery_its_share_and_both_stay_within_the_drain() -> None:
    bot = Bot(is_reachable=True)
    await stopping.stop(bot.running, {}, drain_s=DRAIN_S)
    (answers_s,), (sends_s,), (awaited_s,) = bot.inbox.drains_s, bot.outbox.drains_s, bot.awaited
    assert 0 < answers_s <= DRAIN_S * (1 - stopping.DELIVERY_SHARE)
    assert 0 < sends_s <= awaited_s <= DRAIN_S
    assert bot.media.drains_s == [0]
    assert bot.store.writes == 1, "it is no owner any more"


async def test_what_cannot_be_sent_now_is_left_to_the_next_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "REACHABLE_WITHIN_S", 0.01)
    bot = Bot(is_reachable=False)
    await stopping.stop(bot.running, {}, drain_s=DRAIN_S)
    assert bot.awaited == [], "nobody waits for deliveries without a network"
    assert bot.outbox.drains_s == [0]


async def test_background_work_is_cancelled_and_the_workers_end_by_themselves() -> None:
    bot = Bot(is_reachable=True)
    ended: list[str] = []

    async def worker() -> None:
        ended.append("inbox")

    inbox = asyncio.create_task(worker())
    digest = asyncio.create_task(asyncio.Event().wait())
    tasks = cast("dict[asyncio.Task[None], str]", {inbox: "inbox", digest: "digest"})
    await stopping.stop(bot.running, tasks, drain_s=DRAIN_S)
    assert ended == ["inbox"]
    assert digest.cancelled()


async def test_work_that_lets_nobody_cancel_it_is_named_and_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stopping, "BACKGROUND_S", 0.05)
    bot, over = Bot(is_reachable=True), asyncio.Event()

    async def stubborn() -> None:
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await over.wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    with structlog.testing.capture_logs() as logged:
        await stopping.stop(bot.running, {task: "stubborn"}, drain_s=DRAIN_S)
    assert [line["tasks"] for line in logged if line["event"] == "not_ended"] == [["stubborn"]]
    assert bot.store.writes == 1, "the rest of the stop goes on"
    over.set()
    await task


async def test_a_worker_that_does_not_end_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "BACKGROUND_S", 0.05)
    bot = Bot(is_reachable=True)
    bot.media.hangs = True
    with structlog.testing.capture_logs() as logged:
        await stopping.stop(bot.running, {}, drain_s=DRAIN_S)
    assert [line["tasks"] for line in logged if line["event"] == "not_ended"] == [["media"]]
    assert bot.store.writes == 1
