"""Connecting, again and again as long as only the network is missing, and what a refusal leads to."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from bot.channel import State
from bot.exits import EXIT_LATER
from bot.whatsapp.bridge import Bridge, BridgeError
from bot.whatsapp.course import Course
from bot.whatsapp.machine import Happened
from bot.whatsapp.refusals import Refusals

log = structlog.get_logger(__name__)

# Between attempts to connect while there is no network: doubling from the first to the last.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
# A ban whose reason neonize does not know comes without its end.
UNKNOWN_BAN_S = 3600.0


class Dialler:
    """Keeps the bridge connected for the life of this process."""

    def __init__(self, bridge: Bridge, course: Course, refusals: Refusals, session: Path) -> None:
        self.talked = False  # since the last attempt the bridge told something
        self.is_trying = False  # Go is at work: it connects, or reconnects
        self._bridge = bridge
        self._course = course
        self._refusals = refusals
        self._session = session

    async def run(self) -> None:
        """Connect until the connection's end, or until somebody else has to do something about it."""
        course, pause_s = self._course, FIRST_PAUSE_S
        while True:
            self.talked, self.is_trying = False, True
            try:
                await self._bridge.connect()
            except BridgeError as exc:
                reason = str(exc)
            else:
                reason = "it stopped"
            self.is_trying = False
            if course.ended.done():
                return
            if "TemporaryBan" in reason:
                # The pump broke over a ban with a reason that neonize has no number for.
                self._refusals.note()
                until_ms = int((time.time() + UNKNOWN_BAN_S) * 1000)
                course.go(Happened.BANNED, detail="a reason that is new", until_ms=until_ms)
                return
            if self.talked:
                await self._bridge_ended(reason)
                return
            if "database" in reason or "sqlite" in reason:
                course.end(f"the WhatsApp session {self._session} cannot be used: {reason}", EXIT_LATER)
                return
            # No network yet, and nobody but us tries again.
            course.go(Happened.DISCONNECTED, detail="no connection to WhatsApp")
            log.warning("whatsapp_unreachable", reason=reason, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _bridge_ended(self, reason: str) -> None:
        """Go's event pump is over, and Go would go on acknowledging messages that reach nobody."""
        reason = f"the bridge to WhatsApp ended: {reason}"
        if self._course.standing.state in (State.ONLINE, State.DEGRADED):
            self._course.end(reason, EXIT_LATER)
            return
        # An event of a refused login that the bridge cannot pass on, such as a ban of an unknown kind.
        await self._bridge.disconnect()
        await self.end_later(reason)

    async def end_later(self, reason: str) -> None:
        """WhatsApp does not want us now; the next process is to ask later, and later again."""
        pause_s = self._refusals.note()
        log.warning("whatsapp_refuses", reason=reason, next_try_in_s=pause_s)
        self._course.go(Happened.REFUSED, detail=reason)
        await asyncio.sleep(pause_s)
        self._course.end(reason, EXIT_LATER)
