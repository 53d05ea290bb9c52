"""Whether the store takes writes, found out by writing: a full or read-only disk can still be read."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from store import meta
from store.doors import Store
from store.errors import StoreError

log = structlog.get_logger(__name__)

# A monitor must have its answer sooner than SQLite's busy time-out.
PROBE_TIMEOUT_S = 2.0
# However often somebody asks: one write a second at most.
KEEP_S = 1.0


@dataclass(kw_only=True)
class Readiness:
    """Asks the store by a write; ``key`` is the asking process's own row of ``meta``."""

    store: Store
    key: str
    _reasons: list[str] = field(default_factory=list, init=False)
    _known_until: float = field(default=0.0, init=False)
    _probing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def reasons(self) -> list[str]:
        """Why the process is not ready, a sentence each; empty when it is."""
        async with self._probing:
            if time.monotonic() >= self._known_until:
                found = await self._probe()
                if found != self._reasons:
                    log.warning("readiness_changed", reasons=found)
                self._reasons = found
                self._known_until = time.monotonic() + KEEP_S
            return self._reasons

    async def _probe(self) -> list[str]:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self.store.write(self._touch)
        except StoreError as exc:
            return [str(exc)]
        except TimeoutError:
            return [f"the database did not take a write within {PROBE_TIMEOUT_S:.0f} s"]
        return []

    def _touch(self, connection: Connection) -> None:
        # Another value each time, or nothing would be written.
        meta.put(connection, self.key, str(time.time_ns()))
