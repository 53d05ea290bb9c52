"""Follows the memory's log, and tells the owner once when its server is away and once when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection

from bot.people import People
from store import alerts, handoffs
from store.doors import Store
from store.memory.index import MemoryIndex

# Nobody is told of a server that was only restarted; customers notice nothing of it anyway.
PATIENCE_S = 20.0


class MemoryWatch:
    """The bot's periodic look at its memory."""

    def __init__(
        self,
        *,
        store: Store,
        memory: MemoryIndex,
        people: People,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._memory = memory
        self._people = people
        self._patience_s = patience_s
        self._clock = clock
        self._fingerprint = f"memory:{people.room.account}"
        self._ill: bool | None = None  # how it was at the last look; None before the first
        self._since_s = 0.0
        # What the owner knows; None when an earlier process may have told him something.
        self._told: bool | None = None

    async def look(self) -> None:
        """Bring the memory up to date and tell the owner what lasts."""
        await self._memory.catch_up()
        trouble = self._memory.trouble
        ill = trouble is not None
        if ill is not self._ill:
            self._ill, self._since_s = ill, self._clock()
        if ill is self._told or self._clock() - self._since_s < self._patience_s:
            return
        await self._store.write(lambda connection: self._tell(connection, trouble))
        self._told = ill

    def _tell(self, connection: Connection, trouble: str | None) -> None:
        wording = self._people.wording
        if trouble is None:
            if alerts.recover(connection, self._fingerprint):
                self._people.notify(connection, wording.say("admin_ingatan_pulih"), kind=handoffs.ALERT)
        elif alerts.raise_once(connection, self._fingerprint, trouble):
            body = wording.say("admin_ingatan_mati", sebab=wording.say("admin_rincian_log"))
            self._people.notify(connection, body, kind=handoffs.ALERT)
