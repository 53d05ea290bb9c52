"""The real ``run_bot.py --channel whatsapp`` as its own process, against the loopback WhatsApp server.

The server and the simulated phones live in the test's process, so that what they sent and read is a ledger
that no crash of the bot can touch.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.surroundings import surroundings
from sandbox.whatsapp.server import WhatsAppServer

PROJECT = Path(__file__).resolve().parents[1]
# Far more than a loaded machine needs; a test that works never waits for it.
PATIENCE_S = 40.0
ACCOUNT = "utama"


@dataclass(kw_only=True)
class WhatsAppBot:
    """One shop's bot; ``async with bot:`` is one life of its process, which ends with SIGTERM."""

    folder: Path
    server: WhatsAppServer
    base_url: str
    settings: dict[str, str] = field(default_factory=dict)
    launcher: tuple[str, ...] = (str(PROJECT / "run_bot.py"),)
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def state(self) -> Path:
        return self.folder / "var"

    @property
    def log(self) -> Path:
        """Everything that every life wrote to stdout and stderr."""
        return self.folder / "log"

    @property
    def session(self) -> Path:
        return self.state / f"{ACCOUNT}-whatsapp.db"

    def environment(self) -> dict[str, str]:
        theirs = self.server.environment
        return {
            **surroundings(),
            **theirs,
            "PYTHONPATH": os.pathsep.join(filter(None, (theirs.get("PYTHONPATH"), str(PROJECT)))),
            "OPENAI_API_KEY": "sk-uji-whatsapp",
            "OPENAI_BASE_URL": self.base_url,
            "EMBEDDING_DIMENSIONS": "64",
            # Without the owner's word nobody would be answered after the pairing.
            "BALAS_MODE": "on",
            "DATA_DIR": str(self.folder / "data"),
            "STATE_DIR": str(self.state),
            "BURST_QUIET_S": "0",
            "BURST_QUESTION_S": "0",
            "LOOP_ANSWERS": "0",
            "PACE_S": "0",
            "POLL_S": "0.05",
            "WATCH_KNOWLEDGE": "false",
            "LOG_FORMAT": "json",
            # Several run at once.
            "HEALTH_PORT": "off",
            **self.settings,
        }

    async def start(self) -> None:
        """Start a life; whoever needs more than a process waits for it."""
        self.state.mkdir(exist_ok=True, mode=0o700)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.launcher,
                "--channel",
                "whatsapp",
                cwd=self.folder,
                env=self.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        if error is not None:
            # A test that failed has no use for a graceful end.
            await self.kill()
            return
        assert await self.stop() == 0, self.tail()

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.running.send_signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """SIGKILL: nothing is said or written any more."""
        if self.running.returncode is None:
            self.running.kill()
        await self.running.wait()

    async def ended(self) -> int:
        """Wait for the process to end by itself; its exit code."""
        return await asyncio.wait_for(self.running.wait(), PATIENCE_S)

    @property
    def running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the bot was never started"
        return self._process

    async def qr(self, *, other_than: str = "") -> str:
        """The text of the pairing code that is shown now."""
        file = self.state / f"{ACCOUNT}-pairing.json"

        def shown() -> str:
            try:
                return str(json.loads(file.read_bytes())["qr"])
            except (OSError, ValueError, KeyError):
                return ""

        await self.wait_until(lambda: shown() not in ("", other_than), "a pairing code")
        return shown()

    async def pair(self) -> None:
        """Scan the code with the shop's phone and wait until the bot is there for customers."""
        await self.server.owner.scan(await self.qr())
        await self.online()

    async def online(self) -> None:
        await self.wait_for_state("online")

    async def wait_for_state(self, *wanted: str) -> None:
        """Until the channel's state, as other processes read it, is one of these."""
        await self.wait_until(lambda: self.standing().get("state") in wanted, f"state {wanted}")

    def standing(self) -> dict[str, Any]:
        """The channel's state as it is written down."""
        try:
            found = self.query("SELECT value FROM meta WHERE key = ?", f"channel:{ACCOUNT}")
        except sqlite3.OperationalError:
            return {}  # There is no database yet.
        return dict(json.loads(found[0][0])) if found else {}

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the shop's database, read from outside."""
        path = self.state / "balas.db"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    async def settled(self) -> None:
        """Until nothing waits in either queue."""

        def unfinished() -> int:
            return sum(
                self.query(
                    f"SELECT count(*) FROM {table} WHERE finished_ms IS NULL AND state IN ('new', 'claimed')"
                )[0][0]
                for table in ("inbox", "outbox")
            )

        await self.wait_until(lambda: unfinished() == 0, "empty queues")

    async def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():  # noqa: ASYNC110 - another process sets no event here.
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(
                f"waited in vain for {what}; standing {self.standing()}\n{self.tail()}"
            ) from None

    def tail(self, lines: int = 40) -> str:
        """The end of the log, for messages of failed tests."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
