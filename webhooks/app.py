"""The payment process: builds the server over the store, serves until a signal, stops in good order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from aiohttp import web

from config.settings import Settings, WebhookSettings
from config.shop import Shop
from config.wording import Wording
from store.doors import Store
from store.opening import open_store
from store.probe import Readiness
from webhooks.errors import AddressTaken, ListenMisconfigured
from webhooks.health import routes
from webhooks.login import LoginPage

log = structlog.get_logger(__name__)

# A notification is a few hundred bytes; whoever sends more than this has something else in mind.
MAX_BODY_BYTES = 64 * 1024
BODY_TIMEOUT_S = 10.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way get ``DRAIN_S`` to end.

    Raises ``StoreError`` or ``ListenError`` when it cannot start, each saying what to do.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        app = make_app(store, settings.account)
        app.add_routes(_login_page(store, settings).routes())
        address = await stack.enter_async_context(
            serving(app, settings.webhooks, drain_s=settings.bot.drain_s)
        )
        log.info("webhooks_started", host=address[0], port=address[1])
        await stopping.wait()
        log.info("webhooks_stopping")


def make_app(store: Store, account: str) -> web.Application:
    """The application over an open store."""
    app = web.Application(middlewares=[_bounded_body], client_max_size=MAX_BODY_BYTES)
    readiness = Readiness(store=store, key=f"webhooks_probe:{account}")
    app.add_routes(routes(readiness, store, account))
    return app


def _login_page(store: Store, settings: Settings) -> LoginPage:
    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    wording = Wording.load(settings.data_dir, shop)
    return LoginPage(store=store, state_dir=settings.state_dir, wording=wording)


@contextlib.asynccontextmanager
async def serving(
    app: web.Application, webhooks: WebhookSettings, *, drain_s: float
) -> AsyncIterator[tuple[str, int]]:
    """Listen for as long as the block runs; gives the address that was really taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=drain_s)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, webhooks.host, webhooks.port).start()
        except OSError as exc:
            raise _listen_error(webhooks, exc) from exc
        host, port = runner.addresses[0][:2]
        yield host, port
    finally:
        # Stops listening first, then lets the requests under way end.
        await runner.cleanup()


@web.middleware
async def _bounded_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody makes the process hold more than the limit, or wait for ever for the rest of a body."""
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, request.content_length)
    if request.can_read_body:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                # Kept by aiohttp for the handler; raises HTTPRequestEntityTooLarge at the limit.
                await request.read()
        except TimeoutError as exc:
            raise web.HTTPRequestTimeout from exc
    return await handler(request)


def _listen_error(webhooks: WebhookSettings, exc: OSError) -> AddressTaken | ListenMisconfigured:
    where = f"{webhooks.host}:{webhooks.port}"
    if exc.errno == errno.EADDRINUSE:
        return AddressTaken(
            f"another program already listens on {where}; stop it or set WEBHOOKS_PORT to a free port"
        )
    # asyncio's own text repeats the address in Python's notation.
    reason = os.strerror(exc.errno) if exc.errno else str(exc)
    return ListenMisconfigured(f"cannot listen on {where} ({reason}); change WEBHOOKS_HOST or WEBHOOKS_PORT")
