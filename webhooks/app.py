"""The payment process: builds the server over the store, serves until a signal, stops in good order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import structlog
from aiohttp import web

from config import ending, heap
from config.settings import Settings, WebhookSettings
from config.shop import Shop
from config.wording import Wording
from store.doors import Store
from store.opening import open_store
from store.ownership import WEBHOOKS, alone_on_this_host
from store.probe import Readiness
from webhooks.assembly import Service, assemble, taken_over
from webhooks.errors import AddressTaken, ListenMisconfigured
from webhooks.health import routes as health_routes
from webhooks.login import LoginPage

log = structlog.get_logger(__name__)

# A notification is a few hundred bytes; whoever sends more than this has something else in mind.
MAX_BODY_BYTES = 64 * 1024
BODY_TIMEOUT_S = 10.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; confirmations and then requests under way get ``DRAIN_S`` to end.

    Raises ``ConfigError``, ``StoreError`` or ``ListenError`` when it cannot start, each saying what to do;
    and whatever ended a background task, so that Supervisor starts a new process.
    """
    heap.keep_small()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    wording = Wording.load(settings.data_dir, shop)
    async with contextlib.AsyncExitStack() as stack:
        alone = stack.enter_context(alone_on_this_host(settings, WEBHOOKS))
        store = await open_store(settings)
        stack.push_async_callback(_closed, "store", store.close)
        service = await stack.enter_async_context(
            ending.opened("service", assemble(settings, shop, wording, store))
        )
        login = LoginPage(store=store, state_dir=settings.state_dir, wording=wording)
        app = make_app(store, settings.account, routes=[*service.routes, *login.routes()])
        address = await stack.enter_async_context(
            serving(app, settings.webhooks, drain_s=settings.bot.drain_s)
        )
        await stack.enter_async_context(ending.opened("owner", taken_over(service, alone=alone)))
        heap.settled()
        log.info("webhooks_started", host=address[0], port=address[1])
        await _until(stopping, service, drain_s=settings.bot.drain_s)


def make_app(store: Store, account: str, *, routes: Iterable[web.RouteDef] = ()) -> web.Application:
    """The application over an open store: health, and what the service adds."""
    app = web.Application(middlewares=[_bounded_body], client_max_size=MAX_BODY_BYTES)
    app.add_routes(health_routes(Readiness(store=store, key=f"webhooks_probe:{account}")))
    app.add_routes(routes)
    return app


async def _until(stopping: asyncio.Event, service: Service, *, drain_s: float) -> None:
    """Run the background work until a signal, or until one of its tasks ends: then the process must."""

    async def signalled() -> None:
        await stopping.wait()

    tasks = {
        asyncio.create_task(work, name=name): name
        for name, work in (service.background | {"stop-signal": signalled()}).items()
    }
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log.info("webhooks_stopping", cause=tasks[next(iter(done))])
    await ending.close("workers", service.stop(drain_s), most_s=drain_s + ending.CLOSE_S)
    for task in tasks:
        if not task.done():
            task.cancel()
    await ending.close("background", asyncio.wait(tasks))
    for task in done:
        # A task that died takes the process with it; the exception says why.
        task.result()


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
        await ending.close("requests", runner.cleanup(), most_s=drain_s + ending.CLOSE_S)


@web.middleware
async def _bounded_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody makes the process hold more than the limit, or wait for ever for the rest of a body."""
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, request.content_length)
    if request.can_read_body and request.content.is_eof():
        # All of it came with the head, as nearly always: there is nothing to wait for.
        await request.read()
    elif request.can_read_body:
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


async def _closed(name: str, close: Callable[[], Awaitable[None]]) -> None:
    await ending.close(name, close())
