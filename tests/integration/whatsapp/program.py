"""A program with the real neonize in a process of its own, and what it tells."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ECHO_BOT = Path(__file__).with_name("echo_bot.py")
DEADLINE_S = 30.0


class Program:
    """``async with Program(environment, state) as bot``: runs until the block ends or it is stopped."""

    def __init__(
        self, environment: Mapping[str, str], state: Path, *arguments: str, script: Path = ECHO_BOT
    ) -> None:
        self._environment = environment
        self._arguments = [str(state), *arguments]
        self._script = script
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._told = asyncio.Event()
        # Everything that it told, in order; and how much of it `expect` went past.
        self.events: list[dict[str, Any]] = []
        self._passed = 0

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(self._script),
            *self._arguments,
            env=os.environ | dict(self._environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read(self._process), name="program-output")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, reading = self._process, self._reading
        assert process is not None
        assert process.stdin is not None
        assert reading is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reading

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.events.append(json.loads(line))
            self._told.set()
        self.events.append({"event": "exited"})
        self._told.set()

    async def expect(self, event: str, timeout_s: float = DEADLINE_S) -> dict[str, Any]:
        """The next such event; fails when the program ends first. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                while self._passed < len(self.events):
                    told = self.events[self._passed]
                    self._passed += 1
                    if told["event"] == event:
                        return told
                    assert told["event"] != "exited", f"the program ended before it told {event!r}"
                self._told.clear()
                await self._told.wait()

    def all(self, event: str) -> list[dict[str, Any]]:
        return [told for told in self.events if told["event"] == event]
