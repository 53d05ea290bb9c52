"""Work that is done again and again outlives what fails for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bot.periodic import every
from store.errors import StoreUnavailable


async def test_a_store_or_a_disk_that_fails_once_does_not_end_it() -> None:
    faults: Iterator[Exception] = iter(
        (StoreUnavailable("locked"), PermissionError("a file"), TimeoutError())
    )
    over = asyncio.Event()

    async def work() -> None:
        if (fault := next(faults, None)) is not None:
            raise fault
        over.set()

    task = asyncio.create_task(every(0, "uji", work))
    await asyncio.wait_for(over.wait(), 5)
    task.cancel()


async def test_a_fault_of_ours_does() -> None:
    async def work() -> None:
        raise KeyError("uji")

    with pytest.raises(KeyError):
        await every(0, "uji", work)
