"""``python -m supervisor watch``: looks after the programs, tells the owner; a listener of Supervisor.

It is a process of its own, because what it tells of is that the others are down. It ends when its stdin does:
then supervisord is gone, and the next one brings its own watcher.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import aiohttp
import structlog
from sqlalchemy import Connection

from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store import alerts, standing, vitals
from store.alert_kinds import WHATSAPP, kind_of
from store.doors import Store
from store.errors import StoreError, StoreUnavailable
from store.health import free_mb
from store.opening import open_store
from store.ownership import WATCHER, alone_on_this_host
from store.probe import Readiness
from supervisor import events, nightly, programs, routes
from supervisor.checks import OURS, Finding, Picture, findings, is_healthy
from supervisor.notifier import Notifier
from supervisor.outage import Outage

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 15.0
TELL_EVERY_S = 2.0
PING_EVERY_S = 60.0
# After an error of the database, which may last.
AGAIN_S = 10.0


class Watch:
    """Everything that the watcher does, in loops that ``run`` holds."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shop: Shop,
        notifier: Notifier,
        outage: Outage,
        session: aiohttp.ClientSession,
        wording: Wording,
    ) -> None:
        self._settings = settings
        self._wording = wording
        self._store = store
        self._shop = shop
        self._notifier = notifier
        self._outage = outage
        self._session = session
        self._programs = programs.Programs(settings, session)
        self._readiness = Readiness(store=store, key=f"watch_probe:{settings.account}")
        self._look_now = asyncio.Event()
        self._healthy = False

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """The work by its names; each runs until it is cancelled."""
        found = {
            "look": self._look_again_and_again(),
            "tell": self._tell_again_and_again(),
            "nightly": self._nightly(),
        }
        if self._settings.alerts.ping_url is not None:
            found["ping"] = self._ping(self._settings.alerts.ping_url)
        return found

    async def hear(self, reader: asyncio.StreamReader) -> None:
        """Take supervisord's events until it is gone."""
        while True:
            _write(events.READY)
            header = (await reader.readline()).decode()
            if not header:
                return
            payload = (await reader.readexactly(events.length_of_payload(header))).decode()
            # Before anything else: Supervisor waits for it, and keeps only so many events.
            _write(events.OK)
            if (change := events.change(header, payload)) is not None:
                await self._programs.note(change)
                self._look_now.set()

    async def look(self) -> None:
        """Look once at everything, and write down what is wrong and what no longer is."""
        silent_s = await self._programs.ask()
        if reasons := await self._readiness.reasons():
            await self._database_is_bad(StoreUnavailable(reasons[0]))
            return
        try:
            await self._settle(silent_s)
            await self._notifier.database_is_back(self._outage)
        except StoreError as exc:
            await self._database_is_bad(exc)

    async def _settle(self, silent_s: dict[str, float]) -> None:
        account = self._settings.account
        day = datetime.now(self._shop.zona_waktu).date().isoformat()

        def read(connection: Connection) -> tuple[vitals.Vitals, standing.Told | None, float | None]:
            return (
                vitals.read(connection, account, day=day),
                standing.read(connection, account),
                nightly.backup_age_s(connection),
            )

        found, told, backup_age_s = await self._store.read(read, slow=True)
        picture = Picture(
            vitals=found,
            standing=told,
            now_ms=int(time.time() * 1000),
            free_mb=free_mb(self._settings.state_dir),
            silent_s=silent_s,
            down=dict(self._programs.down),
            crashed=dict(self._programs.crashed),
            backup_age_s=backup_age_s,
        )
        wrong = findings(picture, self._settings, self._wording)
        wrong += _still_logged_out(found.alerts, account)
        over = _over(found.alerts, wrong)

        def settle(connection: Connection) -> None:
            for finding in wrong:
                alerts.raise_alert(connection, finding.fingerprint, finding.message)
            for fingerprint in over:
                alerts.recover(connection, fingerprint)

        if wrong or over:
            await self._store.write(settle)
        still = {fingerprint for fingerprint, _ in found.alerts} - set(over)
        self._healthy = is_healthy(still | {finding.fingerprint for finding in wrong})

    async def _database_is_bad(self, error: StoreError) -> None:
        self._healthy = False
        await self._outage.lasts(error)

    async def _look_again_and_again(self) -> None:
        while True:
            await self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), LOOK_EVERY_S)
            self._look_now.clear()

    async def _tell_again_and_again(self) -> None:
        while True:
            try:
                await self._notifier.tell()
            except StoreError as exc:
                log.warning("alerts_not_read", reason=str(exc))
            await asyncio.sleep(TELL_EVERY_S)

    async def _nightly(self) -> None:
        while True:
            try:
                await nightly.run_every_night(self._store, self._shop.zona_waktu)
            except (StoreError, OSError) as exc:
                # The back-up's age tells of it if it goes on.
                log.error("nightly_failed", reason=str(exc) or type(exc).__name__)
                await asyncio.sleep(AGAIN_S)

    async def _ping(self, url: str) -> None:
        """A sign of life for whoever counts them; none while customers are not served."""
        while True:
            if not self._healthy:
                await asyncio.sleep(TELL_EVERY_S)
                continue
            if not await programs.answers_at(self._session, url):
                log.warning("ping_unanswered")
            await asyncio.sleep(PING_EVERY_S)


def _still_logged_out(active: Any, account: str) -> list[Finding]:
    """The bot raises it once; it is repeated, with a fresh code, for as long as it lasts."""
    return [
        Finding(fingerprint=fingerprint, message=message)
        for fingerprint, message in active
        if fingerprint == f"{WHATSAPP}:{account}"
    ]


def _over(active: Any, wrong: list[Finding]) -> list[str]:
    found = {finding.fingerprint for finding in wrong}
    return [
        fingerprint
        for fingerprint, _ in active
        if kind_of(fingerprint).name in OURS and fingerprint not in found
    ]


async def run(settings: Settings, *, listens: bool) -> int:
    """Watch until SIGTERM or the end of supervisord; the exit code."""
    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    wording = Wording.load(settings.data_dir, shop)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with contextlib.AsyncExitStack() as stack:
        # Whoever puts a back-up in the database's place sees by it that the watcher runs.
        stack.enter_context(alone_on_this_host(settings, WATCHER))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        outage = Outage(wording, routes.without_store(settings, session))
        supervisord = await _stdin() if listens else None
        store = await _open(settings, stopping, outage, supervisord)
        if store is None:
            return 0
        stack.push_async_callback(store.close)
        notifier = Notifier(settings, store, wording, routes.routes(settings, store, session))
        watch = Watch(settings, store, shop, notifier, outage, session, wording)
        work = watch.loops() | {"stop": _wait(stopping)}
        if supervisord is not None:
            work["events"] = watch.hear(supervisord)
        tasks = {asyncio.create_task(loop, name=name): name for name, loop in work.items()}
        log.info(
            "watch_started", account=settings.account, routes=len(routes.routes(settings, store, session))
        )
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for task in done:
            log.info("watch_stopping", cause=tasks[task])
            # A loop that died takes the process with it.
            task.result()
    return 0


async def _open(
    settings: Settings, stopping: asyncio.Event, outage: Outage, supervisord: asyncio.StreamReader | None
) -> Store | None:
    """The store, as soon as it can be opened; None when the stop comes first.

    A damaged file or a wrong address is waited for as well: who ends here can tell nobody of it any more.
    """
    while not stopping.is_set() and not (supervisord is not None and supervisord.at_eof()):
        try:
            return await open_store(settings)
        except StoreError as exc:
            log.warning("database_unavailable", reason=str(exc))
            await outage.lasts(exc)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), AGAIN_S)
    return None


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(0), "rb")
    )
    return reader


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
