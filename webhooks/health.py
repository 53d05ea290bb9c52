"""Health of the payment process: `/live` (does it run?), `/ready` (may it be given work?), `/metrics`."""

from __future__ import annotations

from aiohttp import web

from store.doors import Store
from store.health import metrics_body
from store.metrics import CONTENT_TYPE
from store.probe import Readiness


def routes(readiness: Readiness, store: Store, account: str) -> list[web.RouteDef]:
    """`GET /live`, `GET /ready` and `GET /metrics`."""

    async def live(request: web.Request) -> web.Response:
        # That it is answered at all is the proof: the event loop turns.
        return web.json_response({"live": True})

    async def ready(request: web.Request) -> web.Response:
        reasons = await readiness.reasons()
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    async def metrics(request: web.Request) -> web.Response:
        body = await metrics_body(store, account)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/live", live), web.get("/ready", ready), web.get("/metrics", metrics)]
