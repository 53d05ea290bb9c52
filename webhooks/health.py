"""Health of the payment process: `/live` for "does it run", `/ready` for "may it be given work"."""

from __future__ import annotations

from aiohttp import web

from store.probe import Readiness


def routes(readiness: Readiness) -> list[web.RouteDef]:
    """`GET /live` and `GET /ready`."""

    async def live(request: web.Request) -> web.Response:
        # That it is answered at all is the proof: the event loop turns.
        return web.json_response({"live": True})

    async def ready(request: web.Request) -> web.Response:
        reasons = await readiness.reasons()
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    return [web.get("/live", live), web.get("/ready", ready)]
