"""What can be wrong with a session, a disk or a setting: one clear sentence, an exit code, no damage."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.exits import EXIT_MISCONFIGURED, EXIT_OK
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import ask, heard, hears, stranger
from tests.whatsapp_bot import ACCOUNT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = "6281100000001"


@pytest_asyncio.fixture(loop_scope="module")
async def stopped(bot: WhatsAppBot) -> AsyncIterator[WhatsAppBot]:
    """The file's paired bot, not running. Its session is as before when the test is over."""
    if bot.running.returncode is None:
        assert await bot.stop() == 0
    kept = bot.session.read_bytes()
    settings = dict(bot.settings)
    yield bot
    if bot.running.returncode is None:
        await bot.kill()
    bot.session.write_bytes(kept)
    bot.session.chmod(0o600)
    bot.settings = settings


async def refuses(bot: WhatsAppBot, *words: str) -> None:
    """It ends by itself, for a person to act, and says all of this in its last words."""
    await bot.start()
    assert await bot.ended() == EXIT_MISCONFIGURED, bot.tail()
    last = bot.tail(2)
    assert all(word in last for word in words), last


async def test_a_damaged_session_is_refused_and_not_overwritten(stopped: WhatsAppBot) -> None:
    data = bytearray(stopped.session.read_bytes())
    data[:64] = os.urandom(64)
    stopped.session.write_bytes(data)
    for path in stopped.state.glob(f"{ACCOUNT}-whatsapp.db-*"):
        path.unlink()
    before = hashlib.sha256(data).hexdigest()
    await refuses(stopped, "is damaged", "restore it from a backup", "not overwritten")
    assert hashlib.sha256(stopped.session.read_bytes()).hexdigest() == before


async def test_damage_in_the_middle_of_a_session_is_found_too(stopped: WhatsAppBot) -> None:
    data = bytearray(stopped.session.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 8192] = b"\xff" * 8192
    stopped.session.write_bytes(data)
    await refuses(stopped, "is damaged")


async def test_a_session_that_others_can_read_is_refused(stopped: WhatsAppBot) -> None:
    stopped.session.chmod(0o640)
    await refuses(stopped, "others on this machine can read", "chmod 600", "log this device out")


async def test_a_session_that_another_program_writes_is_refused(stopped: WhatsAppBot) -> None:
    other = sqlite3.connect(stopped.session, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        await refuses(stopped, "another program has", "stop that one first")
    finally:
        other.close()


async def test_a_session_of_another_number_is_refused_before_it_connects(
    wa: WhatsAppServer, stopped: WhatsAppBot
) -> None:
    stopped.settings["WHATSAPP_NUMBER"] = "081299998888"
    await refuses(stopped, "…0001", "WHATSAPP_NUMBER ends in 8888")
    stopped.settings["WHATSAPP_NUMBER"] = "0811-0000-0001"
    async with stopped:
        await stopped.online()


async def test_a_state_folder_that_the_library_cannot_open_is_refused(make_bot: MakeBot) -> None:
    bot = make_bot()
    bot.settings["STATE_DIR"] = str(bot.folder / "toko#1")
    await refuses(bot, "#", "set STATE_DIR")


async def test_a_missing_libmagic_is_named_with_its_package(make_bot: MakeBot, tmp_path: Path) -> None:
    bot = make_bot()
    # The library's Python half, as it fails where its other half is not installed.
    (tmp_path / "magic.py").write_text("raise ImportError('failed to find libmagic')\n")
    inherited = bot.environment()["PYTHONPATH"]
    bot.settings["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{inherited}"
    await refuses(bot, "libmagic", "apt-get install libmagic1")


async def test_a_refused_number_for_the_code_leaves_the_qr_code_usable(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot(WHATSAPP_LOGIN="code", WHATSAPP_NUMBER="6281277776666")
    await bot.start()
    await bot.qr()
    await bot.wait_until(
        lambda: "code" in pairing_file(bot) or "pairing_code_refused" in bot.tail(), "a code"
    )
    assert await bot.stop() == EXIT_OK


async def test_a_code_typed_into_the_phone_lets_the_bot_in(wa: WhatsAppServer, make_bot: MakeBot) -> None:
    bot = make_bot(WHATSAPP_LOGIN="code", WHATSAPP_NUMBER=OWNER)
    async with bot:
        await bot.wait_until(lambda: '"code"' in pairing_file(bot), "a code")
        assert (bot.state / f"{ACCOUNT}-pairing.json").stat().st_mode & 0o077 == 0
        code = pairing_file(bot).partition('"code": "')[2].partition('"')[0]
        assert code not in bot.log.read_text()
        await wa.owner.enter_code(code)
        await bot.online()
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
    async with bot:
        await bot.online()


def pairing_file(bot: WhatsAppBot) -> str:
    path = bot.state / f"{ACCOUNT}-pairing.json"
    return path.read_text() if path.exists() else ""


async def test_a_disk_that_fills_up_while_pairing_ends_the_process_and_it_can_pair_later(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot()
    await bot.start()
    code = await bot.qr()
    pid = bot.running.pid
    # From here on the kernel refuses every write that makes a file longer than this, as on a full disk.
    size = max(path.stat().st_size for path in bot.state.iterdir() if "whatsapp.db" in path.name)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    scanning = asyncio.create_task(wa.owner.scan(code), name="scan")
    done, _ = await asyncio.wait(
        [scanning, asyncio.create_task(bot.running.wait(), name="end")],
        timeout=40,
        return_when=asyncio.FIRST_COMPLETED,
    )
    assert done, bot.tail()
    code_of_end = await bot.ended()
    await asyncio.gather(scanning, return_exceptions=True)
    assert code_of_end not in (EXIT_OK, EXIT_MISCONFIGURED), bot.tail()
    assert "file too large" in bot.tail(1)
    # With room again the next process either logs in with what was kept, or shows a new code.
    await bot.start()
    await bot.wait_until(
        lambda: bot.standing().get("state") == "online" or pairing_file(bot) != "", "a code or a login"
    )
    if bot.standing().get("state") != "online":
        await bot.pair()
    assert await bot.stop() == EXIT_OK


async def test_a_folder_that_was_moved_with_its_session_goes_on(
    wa: WhatsAppServer, stopped: WhatsAppBot, tmp_path: Path
) -> None:
    budi = await stranger(wa)
    moved = tmp_path / "baru"
    shutil.copytree(stopped.state, moved)
    moved.chmod(0o700)
    stopped.settings["STATE_DIR"] = str(moved)
    await stopped.start()
    code = await ask(budi)
    await hears(budi, code)
    assert await stopped.stop() == EXIT_OK
    assert heard(budi) == [code]
