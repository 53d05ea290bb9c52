"""The bot under the real supervisord: it drains on SIGTERM and comes back, or stays down, as it should."""

from __future__ import annotations

import asyncio
import configparser
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.surroundings import surroundings
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import ask, heard, hears, stranger
from tests.whatsapp_bot import PROJECT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPTS = Path(sys.executable).parent
CROWD = 30


class Supervised:
    """A folder laid out like the project's own, with the project's configuration, and supervisord over it."""

    def __init__(self, bot: WhatsAppBot, folder: Path) -> None:
        self.bot = bot
        self.folder = folder

    async def control(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            SCRIPTS / "supervisorctl",
            "-c",
            self.folder / "supervisor" / "balas.conf",
            *words,
            cwd="/",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return (await process.communicate())[0].decode()

    async def pid(self) -> int:
        """The bot's process id; 0 while there is none."""
        answer = (await self.control("pid", "bot")).strip()
        return int(answer) if answer.isdecimal() else 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supervised(wa: WhatsAppServer, make_bot: MakeBot) -> AsyncIterator[Supervised]:
    template = make_bot()
    # A short name, for the socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="balas-wa-"))
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    (folder / "var").chmod(0o700)
    (folder / "supervisor").mkdir()
    parser = configparser.RawConfigParser()
    parser.read_string((PROJECT / "supervisor" / "balas.conf").read_text())
    # The payment process and the watcher have tests of their own.
    parser.set("program:webhooks", "autostart", "false")
    parser.set("eventlistener:watch", "autostart", "false")
    with (folder / "supervisor" / "balas.conf").open("w") as file:
        parser.write(file)
    (folder / "run_bot.py").symlink_to(PROJECT / "run_bot.py")
    bot = WhatsAppBot(folder=folder, server=wa, base_url=template.base_url, settings=template.settings)
    _install(bot)
    daemon = await asyncio.create_subprocess_exec(
        SCRIPTS / "supervisord",
        "-n",
        "-c",
        folder / "supervisor" / "balas.conf",
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    bot.log.touch()
    try:
        await bot.pair()
        yield Supervised(bot, folder)
    finally:
        daemon.terminate()
        code = await asyncio.wait_for(daemon.wait(), 60)
        shutil.rmtree(folder)
    assert code == 0


def _install(bot: WhatsAppBot) -> None:
    """Settings in .env, as an owner has them; what leads the library to loopback in a wrapper of Python."""
    env = bot.environment()
    of_process = {name: value for name, value in env.items() if name in bot.server.environment}
    settings = {
        name: value for name, value in env.items() if name not in surroundings().keys() | of_process.keys()
    }
    file = bot.folder / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    file.chmod(0o600)
    python = bot.folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    exports = "".join(f"export {name}='{value}'\n" for name, value in of_process.items())
    python.write_text(f'#!/bin/sh\n{exports}exec {sys.executable} "$@"\n')
    python.chmod(0o755)


async def test_a_stop_under_load_drains_within_its_time_and_loses_nothing(
    wa: WhatsAppServer, supervised: Supervised, report: Callable[[str], None]
) -> None:
    bot = supervised.bot
    crowd = [await stranger(wa) for _ in range(CROWD)]
    await bot.online()
    asked = [[await ask(who), await ask(who)] for who in crowd]
    await hears(crowd[0], asked[0][0])
    began = time.monotonic()
    await supervised.control("stop", "bot")
    report(f"stopped under load in {time.monotonic() - began:.1f} s")
    log = (bot.state / "supervisord.log").read_text()
    assert "stopped: bot (exit status 0)" in log, log
    assert "killing 'bot'" not in log
    await supervised.control("start", "bot")
    await asyncio.gather(*(hears(who, *codes) for who, codes in zip(crowd, asked, strict=True)))
    await bot.settled()
    assert [heard(who) for who in crowd] == asked


async def test_a_killed_bot_is_started_again_and_answers(wa: WhatsAppServer, supervised: Supervised) -> None:
    bot = supervised.bot
    await bot.online()
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    pid = await supervised.pid()
    os.kill(pid, 9)
    await hears(budi, await ask(budi))
    assert await supervised.pid() != pid


async def test_a_removed_device_shows_a_new_code_without_anybody_starting_it(
    wa: WhatsAppServer, supervised: Supervised
) -> None:
    bot = supervised.bot
    await bot.online()
    await wa.owner.logout_companion()
    await bot.pair()
    assert "exited: bot (exit status 75; not expected)" in (bot.state / "supervisord.log").read_text()


async def test_a_bot_whose_session_was_taken_over_stays_down(
    wa: WhatsAppServer, supervised: Supervised
) -> None:
    bot = supervised.bot
    await bot.online()
    wa.conflict("replaced")
    await bot.wait_for_state("replaced")
    log = bot.state / "supervisord.log"
    await bot.wait_until(lambda: "exited: bot (exit status 78; expected)" in log.read_text(), "its end")
    await asyncio.sleep(1.5)
    assert "EXITED" in await supervised.control("status", "bot")
    # Why nobody is answered stays readable after the process is gone.
    assert bot.standing()["state"] == "replaced"
