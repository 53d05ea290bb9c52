"""The database takes nothing: no row of a queue can be written then, so this alone is told from memory."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from config.wording import Wording
from store import alerts
from store.errors import StoreError, StoreMisconfigured
from supervisor.routes import Route

log = structlog.get_logger(__name__)

DATABASE = "database"
# One slow write is not yet an outage.
DOWN_AFTER_S = 20.0


class Outage:
    """One outage after the other, from before the store could be opened; told by ways that need none."""

    def __init__(self, wording: Wording, routes: Sequence[Route]) -> None:
        self._wording = wording
        self._routes = [route for route in routes if not route.needs_store]
        self._since: float | None = None
        self._told_at: float | None = None

    async def lasts(self, error: StoreError) -> None:
        """It is bad now: tell it when that lasts, and again as seldom as any other alert."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        lasted_s = now - self._since
        if lasted_s < DOWN_AFTER_S or self._was_told_lately(now, lasted_s):
            return
        # A full disk mends itself once there is room; a damaged file or a wrong address does not.
        why = "admin_rincian_database" if isinstance(error, StoreMisconfigured) else "admin_rincian_log"
        text = self._wording.say(f"admin_alarm_{DATABASE}", rincian=self._wording.say(why))
        for route in self._routes:
            if await route.send(text):
                self._told_at = now
                log.info("alert_told", fingerprint=DATABASE, detail=str(error), route=route.name)
                return
        log.error("alert_reaches_nobody", fingerprint=DATABASE, reason=str(error))

    @property
    def was_told(self) -> bool:
        """Whether the owner heard of it, and has not yet heard of its end."""
        return self._told_at is not None

    def is_over(self) -> None:
        """The database takes everything again, and whoever had to be told of that has been."""
        self._since = self._told_at = None

    def _was_told_lately(self, now: float, lasted_s: float) -> bool:
        return self._told_at is not None and (now - self._told_at) * 1000 < alerts.pause_ms(lasted_s * 1000)
