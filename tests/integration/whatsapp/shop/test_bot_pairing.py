"""The shop's phone lets the bot in: codes, who may see them, and what a restart remembers."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.exits import EXIT_AGAIN, EXIT_MISCONFIGURED
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.crashes import launcher
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import ACCOUNT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = "6281100000001"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def ignored(make_bot: MakeBot) -> AsyncIterator[tuple[WhatsAppBot, str]]:
    """A bot and its code, which nobody scans. Begun first: the code lasts 20 s, and other tests fill them."""
    async with WhatsAppServer() as server:
        server.offer_codes(1)
        bot = make_bot(server=server)
        await bot.start()
        yield bot, await bot.qr()
        await bot.kill()


def modes(bot: WhatsAppBot) -> dict[str, int]:
    """The rights of every file in the bot's state folder."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in bot.state.iterdir()}


def codes_shown(bot: WhatsAppBot) -> int:
    return bot.log.read_text().count('"pairing_code_ready"')


def pairing_files(bot: WhatsAppBot) -> list[str]:
    return [path.name for path in bot.state.glob(f"{ACCOUNT}-pairing*")]


async def test_a_code_is_shown_to_its_owner_only_and_is_gone_once_scanned(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot()
    async with bot:
        code = await bot.qr()
        await bot.wait_for_state("pairing")
        assert {f"{ACCOUNT}-pairing.png", f"{ACCOUNT}-pairing.json"} <= modes(bot).keys()
        assert (bot.state / f"{ACCOUNT}-pairing.png").read_bytes().startswith(b"\x89PNG")
        assert [name for name, mode in modes(bot).items() if mode & 0o077] == []
        assert code not in bot.log.read_text()
        await wa.owner.scan(code)
        await bot.online()
        assert pairing_files(bot) == []
        assert f"{ACCOUNT}-whatsapp.db" in modes(bot)
        assert [name for name, mode in modes(bot).items() if mode & 0o077] == []
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
    shown = codes_shown(bot)
    async with bot:
        await bot.online()
        await hears(budi, await ask(budi))
    assert codes_shown(bot) == shown


async def test_a_device_that_the_phone_removed_shows_a_new_code_after_a_restart(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot()
    await bot.start()
    await bot.pair()
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    await wa.owner.logout_companion()
    assert await bot.ended() == EXIT_AGAIN
    assert "a new code has to be scanned" in bot.tail(1)
    assert bot.query("SELECT recovered_ms FROM alerts WHERE fingerprint = ?", f"whatsapp:{ACCOUNT}") == [
        (None,)
    ]
    async with bot:
        await bot.pair()
        await hears(budi, await ask(budi))
    alerts = bot.query("SELECT recovered_ms FROM alerts WHERE fingerprint = ?", f"whatsapp:{ACCOUNT}")
    assert alerts != [(None,)]


async def test_a_login_that_is_refused_as_logged_out_ends_the_same_way(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot()
    async with bot:
        await bot.pair()
    # Removed while nobody was there: the next login is refused with 401.
    await wa.owner.logout_companion()
    await bot.start()
    assert await bot.ended() == EXIT_AGAIN
    async with bot:
        await bot.pair()


async def test_a_phone_with_another_number_than_the_settings_say_is_refused(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot(WHATSAPP_NUMBER="6281299999999")
    await bot.start()
    await wa.owner.scan(await bot.qr())
    assert await bot.ended() == EXIT_MISCONFIGURED
    assert "another number than WHATSAPP_NUMBER" in bot.tail(1)
    # The next start says so before anything is connected.
    await bot.start()
    assert await bot.ended() == EXIT_MISCONFIGURED
    assert OWNER not in bot.log.read_text()


async def test_a_second_bot_on_the_same_state_refuses_and_the_first_goes_on(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot()
    async with bot:
        await bot.pair()
        second = WhatsAppBot(
            folder=bot.folder, server=bot.server, base_url=bot.base_url, settings=bot.settings
        )
        await second.start()
        assert await second.ended() == EXIT_MISCONFIGURED
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
        # A bot that was killed holds nothing.
        await bot.kill()
        async with second:
            await second.online()
            await hears(budi, await ask(budi))
        await bot.start()
        await bot.online()


async def test_a_code_that_nobody_scans_ends_the_process_and_a_new_one_shows_a_new_code(
    ignored: tuple[WhatsAppBot, str],
) -> None:
    bot, first = ignored
    assert await bot.ended() == EXIT_AGAIN
    assert "nobody scanned the code in time" in bot.tail(1)
    assert pairing_files(bot) == []
    await bot.start()
    assert await bot.qr(other_than=first)
    # Go cannot be ended while it shows a code: only our own exit ends the process, and in good order.
    async with asyncio.timeout(10):
        assert await bot.stop() == 0
    assert pairing_files(bot) == []


async def test_without_the_lock_a_second_bot_is_found_to_throw_the_first_one_out(make_bot: MakeBot) -> None:
    bot = make_bot()
    await bot.start()
    await bot.pair()
    second = WhatsAppBot(
        folder=bot.folder,
        server=bot.server,
        base_url=bot.base_url,
        settings=bot.settings,
        launcher=launcher("anybody_owns"),
    )
    await second.start()
    assert await bot.ended() == EXIT_MISCONFIGURED
    await second.kill()


async def test_without_its_own_exit_a_bot_that_shows_a_code_is_found_not_to_end(make_bot: MakeBot) -> None:
    bot = make_bot()
    bot.launcher = launcher("waits_for_go")
    await bot.start()
    await bot.qr()
    bot.running.terminate()
    await bot.wait_for_state("stopped")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bot.running.wait(), 3)
    await bot.kill()
