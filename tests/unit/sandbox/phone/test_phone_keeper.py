"""The demo keeps its bot running as Supervisor would, and takes it along when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from sandbox.phone import keeper as keeping
from sandbox.phone.keeper import PROJECT, Keeper, Life

PATIENCE_S = 30.0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - another process sets no event here.
            await asyncio.sleep(0.02)


@asynccontextmanager
async def kept(script: str, folder: Path) -> AsyncIterator[tuple[Keeper, list[int]]]:
    """A keeper of this Python script, running; and the exit codes that it told."""
    path = folder / "script.py"
    path.write_text(script)
    codes: list[int] = []
    keeper = Keeper([str(path)], environment=os.environ, log=folder / "log", on_end=codes.append)
    task = asyncio.create_task(keeper.run())
    try:
        yield keeper, codes
    finally:
        await keeper.stop()
        await asyncio.wait_for(task, PATIENCE_S)
    assert keeper.life is not Life.RUNNING


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_FIRST_PAUSE_S", 0.01)


@pytest.mark.parametrize("code", [1, 75])
async def test_a_process_that_broke_or_wants_a_fresh_one_is_started_again(tmp_path: Path, code: int) -> None:
    async with kept(f"import sys; sys.exit({code})", tmp_path) as (keeper, codes):
        await until(lambda: keeper.starts >= 3)
        assert set(codes) == {code}


@pytest.mark.parametrize("code", [0, 78])
async def test_a_process_that_wants_a_person_waits_for_one(tmp_path: Path, code: int) -> None:
    async with kept(f"import sys; sys.exit({code})", tmp_path) as (keeper, codes):
        await until(lambda: keeper.life is Life.ENDED)
        assert (codes, keeper.starts, keeper.pid) == ([code], 1, 0)
        keeper.start_again()
        await until(lambda: keeper.starts == 2)


async def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    async with kept("import time; time.sleep(600)", tmp_path) as (keeper, codes):
        await until(lambda: keeper.pid > 0)
        keeper.kill()
        await until(lambda: keeper.starts == 2)
        assert codes == [-signal.SIGKILL]


async def test_the_end_is_told_by_sigterm_and_starts_nothing(tmp_path: Path) -> None:
    script = """
import signal, sys
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(print("ended in order", flush=True)))
print("ready", flush=True)
signal.pause()
"""
    async with kept(script, tmp_path) as (keeper, codes):
        await until(lambda: keeper.pid > 0 and b"ready" in (tmp_path / "log").read_bytes())
    assert (tmp_path / "log").read_text() == "ready\nended in order\n"
    assert (codes, keeper.starts) == ([], 1)


KEEP = """
import asyncio, os, sys
from pathlib import Path
from sandbox.phone.keeper import Keeper
async def main():
    keeper = Keeper([sys.argv[1]], environment=os.environ, log=Path(sys.argv[2]), on_end=print)
    await keeper.run()
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
async def test_a_bot_whose_demo_was_killed_ends_too(tmp_path: Path) -> None:
    script, log = tmp_path / "script.py", tmp_path / "log"
    script.write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n")
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KEEP, str(script), str(log), cwd=PROJECT
    )
    await until(lambda: log.exists() and log.read_text().endswith("\n"))
    bot = psutil.Process(int(log.read_text()))
    demo.kill()
    await demo.wait()
    await until(lambda: not bot.is_running() or bot.status() == psutil.STATUS_ZOMBIE)
