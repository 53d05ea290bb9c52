"""The stop in good order: intake first, then answers, then delivery, all of it within one budget of time.

Nothing is lost by a short one: whatever is left is claimable again, and the next process goes on with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING

import structlog

from store import owners
from store.errors import StoreError

if TYPE_CHECKING:
    from bot.assembly import Running

log = structlog.get_logger(__name__)

# What of the budget is kept for sending what was just answered.
DELIVERY_SHARE = 0.2
# A socket that was dropped is back within this. Without a network nothing is sent, however long one waits.
REACHABLE_WITHIN_S = 2.0
# A step that takes longer is worth a line: somebody is waiting for the process to end.
WORTH_TELLING_S = 1.0


class Budget:
    """The time that a stop may take, counted from the moment when this was made."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._seconds = seconds

    def left_s(self, *, keeping: float = 0.0) -> float:
        """What is left; ``keeping`` is the share of the whole that is for somebody else."""
        return max(0.0, self._ends - keeping * self._seconds - time.monotonic())


@contextlib.asynccontextmanager
async def step(name: str) -> AsyncIterator[None]:
    """Around one part of a stop: one that keeps the others waiting is named in the log, with its time."""
    began = time.monotonic()
    try:
        yield
    finally:
        took_s = time.monotonic() - began
        if took_s > WORTH_TELLING_S:
            log.info("slow_stop", part=name, took_s=round(took_s, 1))


async def stop(bot: Running, tasks: dict[asyncio.Task[None], str], *, drain_s: float) -> None:
    """End the bot's work; ``tasks`` are its background. Takes ``drain_s`` at most, and a cancellation."""
    budget = Budget(drain_s)
    async with step("channel"):
        await bot.channel.stop(drain_s)
    async with step("inbox"):
        await bot.inbox_worker.stop(drain_s=budget.left_s(keeping=DELIVERY_SHARE))
    await _deliver(bot, budget)
    # A file that is under way is fetched again by the next process.
    async with step("media"):
        await bot.media_worker.stop(drain_s=0)
    ours = [task for task in tasks if tasks[task] in ("inbox", "outbox", "media")]
    rest = [task for task in tasks if task not in ours]
    for task in rest:
        task.cancel()
    async with step("background"):
        await asyncio.gather(*ours, *rest, return_exceptions=True)
    with contextlib.suppress(StoreError):
        await bot.store.write(lambda connection: owners.unregister(connection, bot.instance))


async def _deliver(bot: Running, budget: Budget) -> None:
    """Send what is committed, unless there is nobody to send it to: then it waits for the next process."""
    async with step("reachable"):
        wait_s = min(REACHABLE_WITHIN_S, budget.left_s())
        is_reachable = await _within(wait_s, bot.channel.reachable())
    if is_reachable:
        async with step("delivery"):
            with contextlib.suppress(StoreError):
                left_s = budget.left_s()
                await _within(left_s, bot.delivered(left_s))
    async with step("outbox"):
        await bot.outbox_worker.stop(drain_s=budget.left_s() if is_reachable else 0)


async def _within(seconds: float, work: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        return False
    return True
