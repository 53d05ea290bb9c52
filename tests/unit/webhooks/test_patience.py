"""Many waits with one timer, each of which ends as ``asyncio.timeout`` would end it."""

from __future__ import annotations

import asyncio
import time

import pytest

from webhooks.patience import Patience


async def test_a_wait_that_is_short_enough_is_left_alone() -> None:
    patience = Patience(60)
    for _ in range(3):
        with patience.within():
            await asyncio.sleep(0)


async def test_a_wait_that_takes_too_long_ends_with_a_time_out_and_the_task_goes_on() -> None:
    patience = Patience(0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError), patience.within():
            await asyncio.Event().wait()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr] # there is one
    await asyncio.sleep(0)


async def test_each_of_many_waits_ends_for_itself() -> None:
    patience = Patience(0.05)
    released = asyncio.Event()

    async def one(number: int) -> str:
        try:
            with patience.within():
                await (released if number % 2 else asyncio.Event()).wait()
        except TimeoutError:
            return "late"
        return "done"

    tasks = [asyncio.create_task(one(number)) for number in range(100)]
    await asyncio.sleep(0)
    released.set()
    assert await asyncio.gather(*tasks) == ["late", "done"] * 50


async def test_a_task_that_somebody_else_cancels_is_cancelled() -> None:
    patience = Patience(60)

    async def waits() -> None:
        with patience.within():
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_inside_comes_out_as_it_is() -> None:
    patience = Patience(60)
    with pytest.raises(ZeroDivisionError), patience.within():
        raise ZeroDivisionError


async def test_a_later_wait_has_its_whole_time_whatever_came_before() -> None:
    patience = Patience(0.2)
    with patience.within():
        await asyncio.sleep(0.15)
    began = time.monotonic()
    with pytest.raises(TimeoutError), patience.within():
        await asyncio.Event().wait()
    assert time.monotonic() - began >= 0.19
