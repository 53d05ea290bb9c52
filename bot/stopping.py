"""The stop in good order: intake first, then answers, then delivery, all of it within one budget of time.

Nothing is lost by a short one: whatever is left is claimable again, and the next process goes on with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from config.ending import Budget, step, within
from store import owners
from store.errors import StoreError

if TYPE_CHECKING:
    from bot.assembly import Running
    from store.worker import Worker

log = structlog.get_logger(__name__)

# What of the budget is kept for sending what was just answered.
DELIVERY_SHARE = 0.2
# A socket that was dropped is back within this. Without a network nothing is sent, however long one waits.
REACHABLE_WITHIN_S = 2.0
# Nobody is answered or sent to by these any more; one that does not let itself be cancelled is left behind.
BACKGROUND_S = 3.0


async def stop(bot: Running, tasks: dict[asyncio.Task[None], str], *, drain_s: float) -> None:
    """End the bot's work; ``tasks`` are its background. Takes ``drain_s`` at most, and a cancellation."""
    budget = Budget(drain_s)
    async with step("channel"):
        await bot.channel.stop(drain_s)
    await _stopped("inbox", bot.inbox_worker, drain_s=budget.left_s(keeping=DELIVERY_SHARE))
    await _deliver(bot, budget)
    # A file that is under way is fetched again by the next process.
    await _stopped("media", bot.media_worker, drain_s=0)
    ours = [task for task in tasks if tasks[task] in ("inbox", "outbox", "media")]
    rest = [task for task in tasks if task not in ours]
    for task in rest:
        task.cancel()
    async with step("background"):
        await _ended(tasks)
    async with step("owner"):
        with contextlib.suppress(StoreError):
            unregistered = bot.store.write(lambda connection: owners.unregister(connection, bot.instance))
            await within(BACKGROUND_S, unregistered)


async def _ended(tasks: dict[asyncio.Task[None], str]) -> None:
    if not tasks:
        return
    done, left = await asyncio.wait(tasks, timeout=BACKGROUND_S)
    for task in done:
        if not task.cancelled():
            # Whoever runs the bot has seen the first that failed; the others failed because of the stop.
            task.exception()
    if left:
        log.error("not_ended", tasks=sorted(tasks[task] for task in left))


async def _deliver(bot: Running, budget: Budget) -> None:
    """Send what is committed, unless there is nobody to send it to: then it waits for the next process."""
    async with step("reachable"):
        wait_s = min(REACHABLE_WITHIN_S, budget.left_s())
        is_reachable = await within(wait_s, bot.channel.reachable())
    if is_reachable:
        async with step("delivery"):
            with contextlib.suppress(StoreError):
                left_s = budget.left_s()
                await within(left_s, bot.delivered(left_s))
    await _stopped("outbox", bot.outbox_worker, drain_s=budget.left_s() if is_reachable else 0)


async def _stopped(name: str, worker: Worker, *, drain_s: float) -> None:
    async with step(name):
        if not await within(drain_s + BACKGROUND_S, worker.stop(drain_s=drain_s)):
            # What it has in hand is claimed still, and taken back by the next process.
            log.error("not_ended", tasks=[name])
