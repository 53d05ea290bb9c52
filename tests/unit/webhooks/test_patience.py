"""Many waits with one timer, each of which ends for itself."""

from __future__ import annotations

import asyncio
import time

import pytest

from webhooks.patience import Patience


def waited() -> asyncio.Future[str]:
    return asyncio.get_running_loop().create_future()


async def test_a_wait_that_is_short_enough_is_left_alone() -> None:
    patience = Patience(60)
    for number in range(3):
        one = waited()
        patience.watch(one)
        one.set_result(str(number))
        assert await one == str(number)


async def test_a_wait_that_takes_too_long_fails_with_a_time_out() -> None:
    patience = Patience(0.01)
    for _ in range(3):
        one = waited()
        patience.watch(one)
        with pytest.raises(TimeoutError):
            await one


async def test_each_of_many_waits_ends_for_itself() -> None:
    patience = Patience(0.05)
    waits = [waited() for _ in range(100)]
    for one in waits:
        patience.watch(one)
    for one in waits[1::2]:
        one.set_result("done")
    ends = await asyncio.gather(*waits, return_exceptions=True)
    assert [isinstance(end, TimeoutError) for end in ends] == [True, False] * 50


async def test_a_wait_that_was_called_off_stays_called_off() -> None:
    patience = Patience(0.01)
    gone, late = waited(), waited()
    patience.watch(gone)
    gone.cancel()
    patience.watch(late)
    with pytest.raises(TimeoutError):
        await late
    assert gone.cancelled()


async def test_a_later_wait_has_its_whole_time_whatever_came_before() -> None:
    patience = Patience(0.2)
    first, later = waited(), waited()
    patience.watch(first)
    await asyncio.sleep(0.15)
    began = time.monotonic()
    patience.watch(later)
    with pytest.raises(TimeoutError):
        await later
    assert time.monotonic() - began >= 0.19


async def test_what_is_over_is_not_kept() -> None:
    patience = Patience(60)
    for _ in range(100):
        one = waited()
        patience.watch(one)
        one.set_result("x" * 1000)
    assert len(patience._waits) == 1
