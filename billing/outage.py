"""Whether Midtrans can be asked, and telling the owner when it cannot for long."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from billing.till import Till
from store import alerts, handoffs, rooms
from store.doors import Store

log = structlog.get_logger(__name__)

# Shorter outages pass by themselves; a customer who has paid notices a longer one.
ALERT_AFTER_S = 300.0


@dataclass(kw_only=True)
class Outage:
    """Counts from the first failed question to the next answer, by this process's monotonic clock."""

    store: Store
    till: Till
    alert_after_s: float = ALERT_AFTER_S
    _since: float | None = field(default=None, init=False)
    _told: bool = field(default=False, init=False)
    _looked: float = field(default=-math.inf, init=False)

    async def failed(self, reason: str, *, waited_s: float = 0.0) -> None:
        """Midtrans could not be asked; ``waited_s`` is how long somebody has waited for it already."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if self._told or max(now - self._since, waited_s) < self.alert_after_s:
            return
        log.error("midtrans_down", reason=reason)

        def tell(connection: Connection) -> None:
            if alerts.raise_once(connection, self._fingerprint, f"Midtrans cannot be asked: {reason}"):
                say = self.till.wording.say
                self._tell(connection, say("admin_midtrans_mati", sebab=say("admin_rincian_log")))

        await self.store.write(tell)
        self._told = True

    async def key_refused(self, reason: str) -> None:
        """Midtrans does not know our key: that passes by nobody's waiting, so the owner is told at once."""
        self._since = time.monotonic() if self._since is None else self._since
        if self._told:
            return
        is_production = self.till.settings.production
        worlds = ("produksi (uang sungguhan)", "sandbox (uji coba)")
        asked, other = worlds if is_production else reversed(worlds)
        log.error(
            "midtrans_refuses_our_key", asked="production" if is_production else "sandbox", reason=reason
        )

        def tell(connection: Connection) -> None:
            if alerts.raise_once(connection, self._fingerprint, f"Midtrans refuses our key: {reason}"):
                body = self.till.wording.say(
                    "admin_midtrans_kunci",
                    dunia=asked,
                    lain=other,
                    nilai="false" if is_production else "true",
                )
                self._tell(connection, body)

        await self.store.write(tell)
        self._told = True

    async def answered(self) -> None:
        """Midtrans answered: whatever was wrong is over."""
        if self._since is None and await self.store.read(lambda c: not alerts.is_on(c, self._fingerprint)):
            return

        def tell(connection: Connection) -> None:
            if alerts.recover(connection, self._fingerprint):
                self._tell(connection, self.till.wording.say("admin_midtrans_pulih"))

        await self.store.write(tell)
        self._since, self._told = None, False

    @property
    def _fingerprint(self) -> str:
        return f"midtrans:{self.till.account}"

    def _tell(self, connection: Connection, body: str) -> None:
        room = rooms.of_account(connection, self.till.account)
        rooms.tell(connection, room, body, kind=handoffs.ALERT)
