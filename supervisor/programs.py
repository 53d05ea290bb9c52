"""What is known of the programs that Supervisor runs: from its events, its log, and by asking them."""

from __future__ import annotations

import asyncio
import contextlib
import time

import aiohttp

from config.settings import Settings
from supervisor.events import Became, Change, last_exit

# Supervisor writes how a program ended into its log right behind the event.
_LOGGED_WITHIN_S, _LOG_POLL_S = 10.0, 0.2
_LOG_TAIL_BYTES = 64 * 1024
_PROBE_TIMEOUT_S = 5.0
# A program that was started again and answers, or just runs, for so long has got over it.
RECOVERED_AFTER_S = 60.0
# A good end, and one that only asks for a new process (a pairing code that nobody scanned).
_NO_NEWS = frozenset({"0", "75"})


class Programs:
    """The programs' states as far as this process knows them; one event loop uses it."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.down: dict[str, str | None] = {}
        self.crashed: dict[str, str] = {}
        self._crashed_at: dict[str, float] = {}
        self._running_since: dict[str, float] = {}
        self._stopped: set[str] = set()  # by a person, or left down
        self._silent_since: dict[str, float] = {}
        self._told: dict[str, str] = {}  # the log's last line about each program's end
        self._log = settings.state_dir / "supervisord.log"
        self._session = session
        self._live = live_addresses(settings)

    async def note(self, change: Change) -> None:
        """An event of Supervisor's."""
        program = change.program
        match change.became:
            case Became.STARTING:
                self._stopped.discard(program)
            case Became.RUNNING:
                self._running_since[program] = time.monotonic()
                self._stopped.discard(program)
                self.down.pop(program, None)
            case Became.STOPPED:
                self._stopped.add(program)
                self.down.pop(program, None)
                self.crashed.pop(program, None)
            case Became.FATAL:
                self._stopped.add(program)
                self.down[program] = None
            case Became.EXITED:
                await self._ended(program, expected=change.expected)

    async def _ended(self, program: str, *, expected: bool) -> None:
        self._running_since.pop(program, None)
        code = await self._exit_code(program)
        if expected:
            self._stopped.add(program)
            # Where the log is elsewhere this may as well be the good end of what is not wanted here.
            if code not in (None, "0"):
                self.down[program] = code
        elif code not in _NO_NEWS:
            self.crashed[program] = code or "?"
            self._crashed_at[program] = time.monotonic()

    async def _exit_code(self, program: str) -> str | None:
        """How it ended just now; None when the log does not tell."""
        before = self._told.get(program)
        deadline = time.monotonic() + _LOGGED_WITHIN_S
        while time.monotonic() < deadline:
            await asyncio.sleep(_LOG_POLL_S)
            found = last_exit(await asyncio.to_thread(self._tail), program)
            if found is not None and found.line != before:
                self._told[program] = found.line
                return found.code
        return None

    async def ask(self) -> dict[str, float]:
        """How long each program has been silent, in seconds; those that are stopped are left out."""
        asked = {name: url for name, url in self._live.items() if name not in self._stopped}
        answers = await asyncio.gather(*(answers_at(self._session, url) for url in asked.values()))
        now = time.monotonic()
        silent_s = {}
        for name, answered in zip(asked, answers, strict=True):
            if answered:
                self._silent_since.pop(name, None)
                self.down.pop(name, None)
            silent_s[name] = 0.0 if answered else now - self._silent_since.setdefault(name, now)
        for name in [name for name in self.crashed if self._has_recovered(name, now, silent_s.get(name))]:
            del self.crashed[name]
        return silent_s

    def _has_recovered(self, program: str, now: float, silent_s: float | None) -> bool:
        """Whether it answers, or where it cannot be asked has been running, for long enough since."""
        if silent_s is not None:
            return silent_s == 0.0 and now - self._crashed_at[program] >= RECOVERED_AFTER_S
        since = self._running_since.get(program)
        return since is not None and now - since >= RECOVERED_AFTER_S

    def _tail(self) -> str:
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LOG_TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
        return ""


def live_addresses(settings: Settings) -> dict[str, str]:
    """Where each program says that it lives, by its name in ``balas.conf``; a free port is not known."""
    found = {}
    if settings.operation.health_port:
        found["bot"] = f"http://127.0.0.1:{settings.operation.health_port}/live"
    if settings.webhooks.port:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.webhooks.host, settings.webhooks.host)
        shown = f"[{host}]" if ":" in host else host
        found["webhooks"] = f"http://{shown}:{settings.webhooks.port}/live"
    return found


async def answers_at(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether something there answers 200 in time."""
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S), session.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
