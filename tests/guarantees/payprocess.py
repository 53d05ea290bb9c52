"""The real payment process in a child process, with faults, beside Midtrans's stand-in in this one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.midtrans import MidtransServer
from sandbox.surroundings import surroundings
from tests.guarantees.home import PROJECT

START_S = 60.0
END_S = 60.0
_BROKEN = ("TypeError", "AttributeError", "NameError", "ImportError", "UnboundLocalError", "AssertionError")


class ProcessBroke(Exception):
    """The process ended or failed in a way that the scenario did not ask for: an error of the test."""


@dataclass(kw_only=True)
class PayHome:
    """Where the process keeps its state, and which Midtrans it talks to."""

    state_dir: Path
    midtrans: MidtransServer
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the machine's own settings leaks in."""
        data_dir = self.state_dir.parent / "data"
        data_dir.mkdir(exist_ok=True)
        return {
            **surroundings(),
            "OPENAI_API_KEY": "kunci-uji",
            "SHOP_NAME": "Toko Uji",
            "DATA_DIR": str(data_dir),
            "STATE_DIR": str(self.state_dir),
            "WEBHOOKS_PORT": "0",
            "LOG_FORMAT": "json",
            "POLL_S": "0.05",
            "DRAIN_S": "5",
            # With an address the poller is slow: what is confirmed here is confirmed by notifications.
            "PUBLIC_URL": "https://bayar.example",
            **self.midtrans.environment,
            **self.settings,
        }


class PayProcess:
    """One life of the process; use ``living``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[str] = []
        self.port = 0
        self._started = asyncio.Event()
        self._reader = asyncio.create_task(self._read(), name="pay-process-log")

    async def ready(self) -> None:
        """Returns once it listens. Raises ``ProcessBroke`` when it ended before."""
        started = asyncio.create_task(self._started.wait())
        try:
            async with asyncio.timeout(START_S):
                await asyncio.wait({started, self._reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            started.cancel()
        if not self._started.is_set():
            raise ProcessBroke(f"the payment process did not start: {self.last_words()}")

    @property
    def has_ended(self) -> bool:
        return self._reader.done()

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        async with asyncio.timeout(END_S):
            await self._reader
            code = await self.process.wait()
        self.look_for_bugs()
        return code

    async def kill(self) -> None:
        """kill -9, whether it lives or not."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self._reader
        await self.process.wait()

    async def stop(self) -> None:
        """A stop in good order."""
        self.process.send_signal(signal.SIGTERM)
        code = await self.ended()
        if code != 0:
            raise ProcessBroke(f"exit code {code} after SIGTERM: {self.last_words()}")

    def look_for_bugs(self) -> None:
        """A mutant that breaks the code, rather than the guarantee, must never pass for a proof."""
        if found := [line for line in self.log if any(name in line for name in _BROKEN)]:
            raise ProcessBroke(f"an error that no fault explains: {found[0][:2000]}")

    def last_words(self) -> str:
        return "".join(self.log[-20:])[-3000:]

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            text = line.decode(errors="replace")
            self.log.append(text)
            with contextlib.suppress(ValueError):
                self._take(json.loads(text))

    def _take(self, event: dict[str, Any]) -> None:
        if event.get("event") == "webhooks_started":
            self.port = int(event["port"])
            self._started.set()


@contextlib.asynccontextmanager
async def living(
    home: PayHome, *, mutant: str | None = None, faults: Sequence[str] = (), wrapper: Sequence[str] = ()
) -> AsyncIterator[PayProcess]:
    """A started process, to which Midtrans's stand-in notifies; killed at the end of the block."""
    options = [] if mutant is None else ["--mutant", f"tests.mutants.{mutant}"]
    process = await asyncio.create_subprocess_exec(
        *wrapper,
        *(sys.executable, "-m", "tests.launch", "--program", "run_webhooks.py", *options, *faults),
        cwd=PROJECT,
        env=home.environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    life = PayProcess(process)
    try:
        yield life
    finally:
        home.midtrans.notify_url = None
        await life.kill()
