"""The download of invoices on a server of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from billing.printing import Printer
from store.doors import Store
from tests.integration.invoices.shop import ACCOUNT
from webhooks.invoices import routes


@contextlib.asynccontextmanager
async def serving_invoices(store: Store, printer: Printer | None = None) -> AsyncIterator[str]:
    """Its address, as ``PUBLIC_URL`` has it."""
    app = web.Application()
    app.add_routes(routes(store, ACCOUNT, printer or Printer()))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
