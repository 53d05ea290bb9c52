"""How a process ends: each part within its time, a slow one named, and nobody waited for at the last.

What a killed process loses is nothing, so no part of a good order is worth a wait without end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager
from typing import NoReturn, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)

# A step that takes longer is worth a line: somebody is waiting for the process to end.
WORTH_TELLING_S = 1.0
# More than any part needs, also on a busy machine; and together they stay below Supervisor's patience.
CLOSE_S = 5.0


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


async def within(seconds: float, work: Awaitable[object]) -> bool:
    """Whether the work was done in time; it is cancelled when it was not."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        return False
    return True


async def close(name: str, closing: Awaitable[object], *, most_s: float = CLOSE_S) -> None:
    """Close one part; one that hangs is named and left to the end of the process, which closes everything."""
    async with step(name):
        if not await within(most_s, closing):
            log.error("not_closed", part=name, after_s=most_s)


@contextlib.asynccontextmanager
async def opened(name: str, manager: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """``async with manager``, whose end is bounded as ``close`` does it."""
    value = await manager.__aenter__()
    try:
        yield value
    finally:
        await close(name, manager.__aexit__(None, None, None))


def leave(code: int) -> NoReturn:
    """End the process at once, after everything of ours is closed.

    For processes with threads of a foreign library: one that hangs, or never ends, Python would wait for.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
