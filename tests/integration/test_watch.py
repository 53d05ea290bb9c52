"""The watcher as supervisord's listener: what becomes of the programs reaches the owner's Telegram."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from config.settings import Settings
from store.ownership import WATCHER, alone_on_this_host

PROJECT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
PATIENCE_S = 60.0
TOKEN = "123456:rahasia"
# Stands in for the bot: ends with the code in the file, once there is one.
BOT = """
import pathlib, sys, time
code = pathlib.Path("kode")
while not code.exists():
    time.sleep(0.05)
found = int(code.read_text())
code.unlink()
sys.exit(found)
"""


class Watched:
    """A folder like an installation's, supervisord over it, and a Telegram that it talks to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts: list[str] = []
        self.pings = 0

    async def hears(self, request: web.Request) -> web.Response:
        if request.path == "/ping":
            self.pings += 1
        else:
            self.texts.append((await request.json())["text"])
        return web.json_response({"ok": True})

    async def control(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(SCRIPTS / "supervisorctl", "-c", self.folder / "supervisor" / "balas.conf", *words),
            cwd="/",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return (await process.communicate())[0].decode()

    async def running(self, program: str, *, other_than: int = 0) -> int:
        """The program's process id, once Supervisor says that it is up under another one than that."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                status = await self.control("status", program)
                if " RUNNING " in status and f"pid {other_than}," not in status:
                    return int(status.split("pid ")[1].split(",")[0])
                await asyncio.sleep(0.1)

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():  # noqa: ASYNC110 - other processes set no event here.
                    await asyncio.sleep(0.1)
        except TimeoutError:
            log = (self.folder / "var" / "watch.log").read_text()
            raise AssertionError(f"waited in vain for {what}; told: {self.texts}\n{log}") from None

    async def until_told(self, part: str) -> str:
        await self.until(lambda: any(part in text for text in self.texts), part)
        return next(text for text in self.texts if part in text)


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    # A short name, for the socket's path is short.
    found = Watched(Path(tempfile.mkdtemp(prefix="balas-w-")))
    folder = found.folder
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", found.hears)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    for name in ("supervisor", "data", ".venv/bin"):
        (folder / name).mkdir(parents=True)
    (folder / "var").mkdir(mode=0o700)
    shutil.copy(PROJECT / "supervisor" / "balas.conf", folder / "supervisor")
    (folder / "run_webhooks.py").symlink_to(PROJECT / "run_webhooks.py")
    (folder / "run_bot.py").write_text(BOT)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={PROJECT} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    env = folder / ".env"
    env.write_text(
        "OPENAI_API_KEY=sk-uji\nSHOP_NAME=Toko Uji\nWEBHOOKS_PORT=0\nHEALTH_PORT=off\n"
        f"TELEGRAM_TOKEN={TOKEN}\nTELEGRAM_CHAT=7\nTELEGRAM_URL={url}\nPING_URL={url}/ping\n"
    )
    env.chmod(0o600)
    daemon = await asyncio.create_subprocess_exec(
        *(SCRIPTS / "supervisord", "-n", "-c", folder / "supervisor" / "balas.conf"),
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        log = folder / "var" / "watch.log"
        await found.until(lambda: log.exists() and "watch_started" in log.read_text(), "the watcher")
        yield found
    finally:
        daemon.terminate()
        code = await asyncio.wait_for(daemon.wait(), PATIENCE_S)
        await runner.cleanup()
        shutil.rmtree(folder)
    assert code == 0


async def test_the_owner_hears_of_what_ended_by_itself_and_of_nothing_else(watched: Watched) -> None:
    await watched.until(lambda: watched.pings > 0, "a ping")
    pid = int((await watched.control("pid", "webhooks")).strip())
    os.kill(pid, signal.SIGKILL)
    crashed = await watched.until_told("mati sendiri")
    assert "webhooks berhenti sendiri (kode SIGKILL)" in crashed

    bot = await watched.running("bot")
    # 75 only asks for a new process, as when nobody scanned the code in time.
    (watched.folder / "kode").write_text("75")
    await watched.running("bot", other_than=bot)
    # 78 leaves it down until a person acts.
    (watched.folder / "kode").write_text("78")
    down = await watched.until_told("tidak bisa dijalankan lagi")
    assert "bot berhenti sendiri (kode 78)" in down
    await watched.control("start", "bot")
    await watched.until_told("Sudah normal lagi: Program berhenti")
    # What a person stops is no news.
    await watched.control("stop", "webhooks")
    await watched.control("restart", "bot")
    assert [text for text in watched.texts if "kode 75" in text or "STOPPED" in text] == []
    assert len(watched.texts) <= 4


async def test_a_restore_sees_that_the_watcher_runs(
    watched: Watched, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(STATE_DIR=str(watched.folder / "var"))
    with alone_on_this_host(settings, WATCHER) as alone:
        assert not alone


async def test_the_watcher_leaves_with_supervisord_and_writes_nothing_but_the_protocol(
    watched: Watched,
) -> None:
    pid = int((await watched.control("pid", "watch")).strip())
    log = (watched.folder / "var" / "watch.log").read_text()
    assert TOKEN not in log
    daemon_log = (watched.folder / "var" / "supervisord.log").read_text()
    # What is none of the protocol's lines makes Supervisor call the listener UNKNOWN.
    assert "UNKNOWN" not in daemon_log
    daemon = int((watched.folder / "var" / "supervisord.pid").read_text())
    assert Path(f"/proc/{pid}").exists()
    assert daemon != pid
