"""The end of a process: slow parts are named, hanging ones left behind, foreign threads never waited for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from config import ending

PROJECT = Path(__file__).resolve().parents[3]
# A thread that never ends, and that Python would wait for.
FOREIGN = """
import sys, threading
from config import ending
threading.Thread(target=threading.Event().wait).start()
print("so far", end="")
ending.leave(7)
"""


async def test_a_part_that_keeps_the_others_waiting_is_named_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ending, "WORTH_TELLING_S", 0.0)
    with structlog.testing.capture_logs() as logged:
        async with ending.step("inbox"):
            await asyncio.sleep(0.001)
    assert [(line["event"], line["part"]) for line in logged] == [("slow_stop", "inbox")]


async def test_a_part_that_hangs_is_named_and_left_behind() -> None:
    with structlog.testing.capture_logs() as logged:
        await ending.close("store", asyncio.Event().wait(), most_s=0.01)
    assert [(line["event"], line["part"]) for line in logged] == [("not_closed", "store")]


async def test_a_part_that_fails_to_close_says_so_to_its_caller() -> None:
    async def broken() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await ending.close("store", broken())


async def test_what_is_opened_is_closed_within_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    @asynccontextmanager
    async def client() -> AsyncIterator[str]:
        seen.append("open")
        try:
            yield "client"
        finally:
            seen.append("closed")

    async with ending.opened("model", client()) as given:
        seen.append(given)
    assert seen == ["open", "client", "closed"]


async def test_work_that_takes_too_long_is_cancelled() -> None:
    assert await ending.within(30, asyncio.sleep(0))
    assert not await ending.within(0.01, asyncio.Event().wait())


def test_the_process_ends_with_its_code_whatever_thread_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (7, "so far"), done.stderr
