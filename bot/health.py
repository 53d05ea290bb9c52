"""The bot's health on loopback: `/live` (does the loop turn?), `/ready` (give it work?), `/metrics`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import tzinfo

import structlog
from aiohttp import web

from bot.channel import Channel, State
from config.operation import OperationSettings
from config.settings import Settings
from store import metrics
from store.doors import Store
from store.health import free_mb, metrics_body, read_vitals
from store.probe import Readiness

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
TICK_S = 0.5
# A loop that is this late serves nobody.
MOST_LAG_S = 5.0
# An earlier process may be ending still, and nothing of a customer's depends on the port.
TRY_AGAIN_S = 30.0
_WORKING = frozenset({State.ONLINE, State.DEGRADED})


@dataclass(kw_only=True)
class Health:
    """What is asked and answered; one event loop uses it."""

    account: str
    channel: Channel
    store: Store
    settings: Settings
    zone: tzinfo
    _ticked: float = field(default_factory=time.monotonic, init=False)
    _readiness: Readiness = field(init=False)

    def __post_init__(self) -> None:
        self._readiness = Readiness(store=self.store, key=f"bot_probe:{self.account}")

    async def tick(self) -> None:
        """Measures how late the loop is; runs until it is cancelled."""
        while True:
            due = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self._ticked = time.monotonic()
            metrics.LOOP_LAG_S.set(max(0.0, self._ticked - due))

    @property
    def lag_s(self) -> float:
        """How late the loop is now."""
        return max(0.0, time.monotonic() - self._ticked - TICK_S)

    async def reasons(self) -> list[str]:
        """Why the bot is not ready, a sentence each; empty when it is. A model that is away is no reason."""
        found = [*await self._readiness.reasons(), *self._channel(), *self._disk()]
        vitals = await read_vitals(self.store, self.account, zone=self.zone)
        if vitals is not None:
            waited_min, most = vitals.inbox.oldest_s / 60, self._limits.unanswered_min
            if waited_min > most:
                found.append(
                    f"a message has waited {waited_min:.0f} minutes for its answer, {most:g} at most"
                )
        return found

    def _channel(self) -> list[str]:
        state = self.channel.state
        return [] if state in _WORKING else [f"the channel is {state.value}"]

    def _disk(self) -> list[str]:
        free, least = free_mb(self.settings.state_dir), self._limits.disk_free_mb
        return [f"{free} MB are free on the disk, {least} are needed"] if free < least else []

    @property
    def _limits(self) -> OperationSettings:
        return self.settings.operation

    async def metrics(self) -> bytes:
        """The body of `/metrics`."""
        for state in State:
            metrics.CHANNEL.labels(state.value).set(state is self.channel.state)
        return await metrics_body(self.store, self.account, zone=self.zone)


def make_app(health: Health) -> web.Application:
    """The three addresses."""

    async def live(request: web.Request) -> web.Response:
        lag_s = health.lag_s
        is_live = lag_s < MOST_LAG_S
        return web.json_response({"live": is_live, "lag_s": round(lag_s, 3)}, status=200 if is_live else 503)

    async def ready(request: web.Request) -> web.Response:
        reasons = await health.reasons()
        told = {"ready": not reasons, "reasons": reasons, "channel": health.channel.state.value}
        return web.json_response(told, status=503 if reasons else 200)

    async def figures(request: web.Request) -> web.Response:
        return web.Response(body=await health.metrics(), headers={"Content-Type": metrics.CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/live", live), web.get("/ready", ready), web.get("/metrics", figures)])
    return app


async def serve(health: Health, port: int) -> None:
    """Serve on loopback until it is cancelled; a taken port is tried again and ends nothing."""
    runner = web.AppRunner(make_app(health), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        while True:
            try:
                await web.TCPSite(runner, HOST, port).start()
                break
            except OSError as exc:
                log.warning(
                    "health_not_served",
                    port=port,
                    reason=exc.strerror,
                    advice="set HEALTH_PORT to a free port, or off",
                )
                await asyncio.sleep(TRY_AGAIN_S)
        log.info("health_served", host=HOST, port=runner.addresses[0][1])
        await health.tick()
    finally:
        await runner.cleanup()
