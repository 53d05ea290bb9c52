"""Tells the owner of alerts, once each: the first way that takes a message has it.

Starsender and WhatsApp only take a row into their queue, so that both get one where Telegram is not set or
does not answer. While nobody is reached the alert stays to be told, and is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import structlog
from sqlalchemy import Connection

from config.settings import Settings
from config.wording import Wording
from store import alerts, login_links, pairing_files, standing
from store.alert_kinds import WHATSAPP, kind_of
from store.alerts import News, Telling
from store.doors import Store
from supervisor.messages import WayIn, compose, needs_login
from supervisor.outage import DATABASE, Outage
from supervisor.routes import Route

log = structlog.get_logger(__name__)

# After a log-out a new process has to start and ask for the code that the message is to carry.
WAIT_FOR_CODE_S = 90.0
# While no way takes it: doubling from the first to the last.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
PAGE = "masuk"


class Notifier:
    """Looks for what is to be told; ``tell`` is called again and again by one task."""

    def __init__(self, settings: Settings, store: Store, wording: Wording, routes: Sequence[Route]) -> None:
        self._settings = settings
        self._store = store
        self._wording = wording
        self._routes = routes
        self._pause_s = 0.0
        self._not_before = 0.0

    async def tell(self) -> None:
        """Tell everything that is due. Raises ``StoreError``."""
        if time.monotonic() < self._not_before:
            return
        account = self._settings.account
        was_refused = False
        for telling in await self._store.read(lambda c: alerts.to_tell(c, account)):
            state = await self._state()
            if needs_login(telling, state=state) and self._code_will_come(telling):
                continue
            if not await self._tell_one(telling, state):
                # The others may have ways that this one has not.
                was_refused = True
        self._pause_s = min(max(self._pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S) if was_refused else 0.0
        self._not_before = time.monotonic() + self._pause_s

    async def database_is_back(self, outage: Outage) -> None:
        """Tell that it is over, where it had been told."""
        fingerprint = f"{DATABASE}:{self._settings.account}"

        def note(connection: Connection) -> None:
            alerts.raise_alert(connection, fingerprint, "database tidak bisa ditulisi tadi")
            alerts.recover(connection, fingerprint)

        if outage.was_told:
            await self._store.write(note)
        outage.is_over()

    async def _tell_one(self, telling: Telling, state: str | None) -> bool:
        ways = self._ways(telling)
        if ways:
            way_in = await self._way_in() if needs_login(telling, state=state) else None
            text = compose(self._wording, telling, state=state, way_in=way_in)
            taken = await self._send(ways, text)
            if not taken:
                return False
            # With what a program noted: the owner's message sends whoever looks after the server here.
            log.info(
                "alert_told",
                fingerprint=telling.fingerprint,
                news=telling.news.value,
                detail=telling.message,
                routes=taken,
            )
        else:
            # The log is all there is; `status` shows it as well, and says which settings are missing.
            log.warning("alert_told_to_nobody", fingerprint=telling.fingerprint, news=telling.news.value)
        await self._store.write(lambda c: alerts.mark_told(c, telling))
        return True

    async def _send(self, ways: Sequence[Route], text: str) -> list[str]:
        taken = []
        for route in ways:
            if await route.send(text):
                taken.append(route.name)
                if not route.needs_store:
                    # It is with the owner. The others only put it into a queue.
                    break
        return taken

    def _ways(self, telling: Telling) -> list[Route]:
        kind = kind_of(telling.fingerprint)
        # Nobody logs in by a message that comes once he is logged in.
        without_whatsapp = kind.told_in_room or (
            kind.name in (WHATSAPP, "offline") and telling.news is News.WRONG
        )
        return [
            route
            for route in self._routes
            # Nor does Starsender bring the news that Starsender refuses.
            if not (without_whatsapp and route.needs_whatsapp) and route.name != kind.name
        ]

    async def _state(self) -> str | None:
        told = await self._store.read(lambda c: standing.read(c, self._settings.account))
        return None if told is None else told.state

    def _code_will_come(self, telling: Telling) -> bool:
        if telling.lasted_ms > WAIT_FOR_CODE_S * 1000:
            return False
        code = self._code()
        return code is None or (self._settings.whatsapp.number is not None and code.typed is None)

    def _code(self) -> pairing_files.Code | None:
        return pairing_files.read(Path(self._settings.state_dir), self._settings.account)

    async def _way_in(self) -> WayIn:
        code = self._code()
        link = None
        if (base := self._settings.billing.public_url) is not None:
            account = self._settings.account
            token = await self._store.write(lambda c: login_links.create(c, account))
            link = f"{base}/{PAGE}/{token}"
        return WayIn(typed=None if code is None else code.typed, link=link)
