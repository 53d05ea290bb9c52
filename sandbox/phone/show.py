"""Puts everything on stage: the WhatsApp server, the bot's real process, the phones and their page."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from config.settings import Settings
from sandbox.phone.bot import Bot
from sandbox.phone.diary import Diary
from sandbox.phone.ideas import ideas
from sandbox.phone.keeper import Keeper
from sandbox.phone.live import Live
from sandbox.phone.payments import Payments, payments, process, processing
from sandbox.phone.stage import ADMIN_NAME, ADMIN_NUMBER, Stage
from sandbox.phone.standing import Lookout
from sandbox.phone.trouble import Trouble
from sandbox.phone.web import Page
from sandbox.whatsapp.server import WhatsAppServer
from store.ownership import owning

SHOP_NUMBER = "6281100000001"
# What the bot is started with; the sandbox's own files are beside the state.
COMMAND = ("run_bot.py", "--channel", "whatsapp")
_FIRST_CUSTOMERS = 2


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A running demo."""

    address: str
    state_dir: Path
    page: Page
    keeper: Keeper
    server: WhatsAppServer
    payments: Payments
    # What runs behind the page; none of it ends before the demo does.
    tasks: tuple[asyncio.Task[None], ...]


def settings_for(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with what the simulated phones need, whatever else was set."""
    return {
        **environment,
        "RUANG_ADMIN": ADMIN_NUMBER,
        "WHATSAPP_NUMBER": "",
        "WHATSAPP_LOGIN": "qr",
    }


@contextlib.asynccontextmanager
async def showing(environment: Mapping[str, str], *, port: int = 0) -> AsyncIterator[Shown]:
    """Run it all as long as the context lasts. ``environment`` is that of the bot's process, whole.

    The page is at ``port``, or at any free one. Simulated phones forget everything at the end, so a session
    of an earlier run could not be used any more and is removed. Raises AlreadyOwned while another bot runs on
    the same state, and OSError when the port is taken.
    """
    environment = settings_for(environment)
    settings = Settings.load(environment, None)
    folder = settings.state_dir
    # Not under a bot that runs, such as that of another demo.
    with owning(settings):
        for old in folder.glob(f"{settings.account}-whatsapp.db*"):
            old.unlink()
    live = Live()
    diary = Diary(live)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            WhatsAppServer(owner_number=SHOP_NUMBER, owner_name=settings.shop_name)
        )
        paying = await stack.enter_async_context(payments(server, diary, shop_name=settings.shop_name))
        environment = environment | paying.environment
        people = Stage(server, live)
        trouble = Trouble(server, people, live, diary, paying)
        for _ in range(_FIRST_CUSTOMERS):
            await people.enter()
        await people.enter(ADMIN_NAME, number=ADMIN_NUMBER, is_admin=True)
        keeper = Keeper(
            COMMAND,
            environment=await asyncio.to_thread(_bots_environment, environment, server),
            log=_private(folder / "bot.log"),
            on_end=lambda code: bot.ended(code),
        )
        paying_process = process(environment, diary, log=_private(folder / "webhooks.log"))
        bot = Bot(
            keeper,
            paying_process,
            Lookout(folder, settings.account),
            server,
            live,
            diary,
            memory=settings.memory.kind,
        )
        shop = {"name": settings.shop_name, "number": SHOP_NUMBER}
        page = Page(
            stage=people,
            bot=bot,
            trouble=trouble,
            diary=diary,
            live=live,
            shop=shop,
            ideas=ideas(settings.data_dir),
        )
        address = await _serve(stack, page, port)
        webhooks = await stack.enter_async_context(processing(paying_process))
        stack.callback(live.close)
        tasks = (
            asyncio.create_task(keeper.run(), name="keeper"),
            asyncio.create_task(bot.watch(), name="watch"),
        )
        stack.push_async_callback(_end, tasks)
        stack.push_async_callback(keeper.stop)
        # First of all: over a frozen network nothing ends in order.
        stack.callback(trouble.close)
        yield Shown(
            address=address,
            state_dir=folder,
            page=page,
            keeper=keeper,
            server=server,
            payments=paying,
            tasks=(*tasks, webhooks),
        )


def _bots_environment(environment: Mapping[str, str], server: WhatsAppServer) -> dict[str, str]:
    """Copies the library the first time, which takes a second."""
    theirs = server.environment
    direct = {name: environment[name] for name in ("NO_PROXY", "no_proxy") if name in environment}
    return {**environment, **theirs, **direct}


def _private(path: Path) -> Path:
    """An empty file that nobody else reads."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    return path


async def _serve(stack: contextlib.AsyncExitStack, page: Page, port: int) -> str:
    runner = web.AppRunner(page.app(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/"


async def _end(tasks: tuple[asyncio.Task[None], ...]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def show(environment: Mapping[str, str], *, port: int = 0) -> int:
    """Run it until a signal; the exit code. Where there is a desktop, its browser opens the page."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _tell_once, told, number)
    async with showing(environment, port=port) as shown:
        print(f"\n  {shown.address}\n", flush=True)
        _say("Buka alamat di atas di browser. Selesai: Ctrl-C.")
        _say("Open the address above in a browser. To end: Ctrl-C.")
        if _has_desktop():
            # Some browsers stay in the foreground of whoever starts them.
            await asyncio.to_thread(webbrowser.open, shown.address)
        waiting: list[asyncio.Future[Any]] = [told, *shown.tasks]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        _say("Berhenti… / Stopping…")
        for task in shown.tasks:
            if task.done():
                # Nothing behind the page ends by itself; the exception says what broke.
                task.result()
    return 0 if told.result() == signal.SIGINT else 128 + told.result()


def _tell_once(told: asyncio.Future[int], number: int) -> None:
    if not told.done():
        told.set_result(number)


def _has_desktop() -> bool:
    return sys.stdout.isatty() and any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
