"""Keeps the bot's process running as Supervisor does on a server, and tells what became of it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from bot.exits import EXIT_AGAIN, EXIT_MISCONFIGURED, EXIT_OK

PROJECT = Path(__file__).resolve().parents[2]
# Longer than DRAIN_S, or answers under way would be cut off.
_STOP_S = 20.0
# Before a new start after a process that broke; doubled as long as none lives for `_SOUND_S`.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 10.0
_SOUND_S = 10.0


class Life(StrEnum):
    """Whether there is a process."""

    STARTING = "starting"  # none yet, or the next one in a moment
    RUNNING = "running"
    ENDED = "ended"  # it wants a person; `start_again` makes a new one


class Keeper:
    """``run`` until it is cancelled or ``stop`` was called. ``on_end`` hears each exit code."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        on_end: Callable[[int], None],
    ) -> None:
        self._command = [sys.executable, "-m", "sandbox.phone.leash", str(os.getpid()), *command]
        self._environment = dict(environment)
        self._log = log
        self._on_end = on_end
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._again = asyncio.Event()
        self.life = Life.STARTING
        self.starts = 0
        # When the present process was started, Unix milliseconds.
        self.started_ms = 0

    @property
    def pid(self) -> int:
        """The process id, 0 while there is none."""
        return self._process.pid if self._process is not None and self.life is Life.RUNNING else 0

    async def run(self) -> None:
        """Start the process, and a new one whenever it ends without having been told to."""
        loop, pause_s = asyncio.get_running_loop(), _FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = loop.time()
            code = await self._one_life()
            if self._stopping.is_set():
                break
            self._on_end(code)
            if code in (EXIT_OK, EXIT_MISCONFIGURED):
                # Another start would help neither; Supervisor leaves them, too.
                self.life = Life.ENDED
                self._again.clear()
                await self._again.wait()
                continue
            if loop.time() - began > _SOUND_S:
                pause_s = _FIRST_PAUSE_S
            if code != EXIT_AGAIN:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _one_life(self) -> int:
        self.started_ms = time.time_ns() // 1_000_000
        with self._log.open("ab") as log:
            # A session of its own: the terminal's Ctrl-C is for us, and we stop the bot in order.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=PROJECT,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.life, self.starts = Life.RUNNING, self.starts + 1
        if self._stopping.is_set():
            # The order came while the process was being made.
            self._process.terminate()
        try:
            return await self._process.wait()
        finally:
            self.life = Life.STARTING

    def start_again(self) -> None:
        """A person mended what the process ended for."""
        self._again.set()

    def kill(self) -> None:
        """SIGKILL, as a machine that loses its power."""
        if self.life is Life.RUNNING and self._process is not None:
            self._process.kill()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough; no new process afterwards."""
        self._stopping.set()
        self._again.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
