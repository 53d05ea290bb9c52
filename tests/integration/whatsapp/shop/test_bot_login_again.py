"""Thrown out by the phone, far from any terminal: the alert, the code in it, and the page with the QR code.

The real bot, the real watcher and the real payment process; Telegram and WhatsApp on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.exits import EXIT_AGAIN
from sandbox.ports import free_port
from sandbox.whatsapp.server import WhatsAppServer
from tests.acceptance.chromium import PHONE, browsing
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import PATIENCE_S, PROJECT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = "6281100000001"


@contextlib.asynccontextmanager
async def telegram() -> AsyncIterator[tuple[str, list[str]]]:
    texts: list[str] = []

    async def take(request: web.Request) -> web.Response:
        texts.append((await request.json())["text"])
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_post("/{rest:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", texts
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def beside(bot: WhatsAppBot, *command: str) -> AsyncIterator[None]:
    """Another process of the same shop."""
    with (bot.folder / f"log-{Path(command[-1]).name}").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *command),
            cwd=bot.folder,
            env=bot.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def logged_out(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    """Let in once, then thrown out; Supervisor's part, the new process, is the test's."""
    await bot.start()
    await bot.pair()
    await wa.owner.logout_companion()
    assert await bot.ended() == EXIT_AGAIN


async def test_the_alert_brings_a_code_and_a_page_and_either_lets_the_bot_in(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    port = free_port()
    async with telegram() as (url, texts):
        bot = make_bot(
            WHATSAPP_NUMBER=OWNER,
            TELEGRAM_TOKEN="123456:abc",
            TELEGRAM_CHAT="7",
            TELEGRAM_URL=url,
            PUBLIC_URL=f"http://127.0.0.1:{port}",
            WEBHOOKS_PORT=str(port),
        )
        await logged_out(wa, bot)
        async with bot, beside(bot, "-m", "supervisor", "watch", "--alone"):
            async with beside(bot, str(PROJECT / "run_webhooks.py")):
                await bot.wait_until(lambda: bool(texts), "the alert")
                assert "WhatsApp keluar dari bot" in texts[0]
                found = re.search(r"Kode masuknya: (\S+)", texts[0])
                assert found is not None
                link = re.search(r"http://\S+/masuk/\S+", texts[0])
                assert link is not None
                await look_at_the_page(link[0], wa, bot)
            await bot.online()
            await bot.wait_until(lambda: len(texts) == 2, "the end of the alert")
            assert "Sudah normal lagi" in texts[1]
            budi = await stranger(wa)
            await hears(budi, await ask(budi))
            assert found[1] not in bot.log.read_text()


async def look_at_the_page(link: str, wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    """Open it as the owner would on his phone, and scan what it shows."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with aiohttp.ClientSession() as session, session.get(link) as answer:
                    assert answer.status == 200
                    break
            await asyncio.sleep(0.1)
    complaints: list[str] = []
    async with browsing(bot.folder / "profile", complaints) as page:
        await page.set_viewport_size(PHONE)
        await page.goto(link)
        await page.get_by_role("button", name="Tampilkan kode").wait_for()
        await page.screenshot(path=bot.folder / "masuk-1.png")
        await page.get_by_role("button", name="Tampilkan kode").click()
        async with asyncio.timeout(PATIENCE_S):
            # Playwright's own wait would evaluate a text in the page, which the page's policy forbids.
            width = "document.getElementById('gambar').naturalWidth"
            while await page.evaluate(width) <= 100:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await page.get_by_text(re.compile(r"^Halaman ini berlaku \d+ menit \d+ detik lagi$")).wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        await page.screenshot(path=bot.folder / "masuk-2.png", full_page=True)
        await wa.owner.scan(await bot.qr())
        await page.get_by_text("Berhasil masuk").wait_for()
        await page.screenshot(path=bot.folder / "masuk-3.png")
        # Nobody else gets there, not even now.
        async with aiohttp.ClientSession() as session, session.get(link) as answer:
            assert answer.status == 404
    assert complaints == []


async def test_the_code_of_the_alert_typed_into_the_phone_lets_the_bot_in(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    async with telegram() as (url, texts):
        bot = make_bot(
            WHATSAPP_NUMBER=OWNER, TELEGRAM_TOKEN="123456:abc", TELEGRAM_CHAT="7", TELEGRAM_URL=url
        )
        await logged_out(wa, bot)
        async with bot, beside(bot, "-m", "supervisor", "watch", "--alone"):
            await bot.wait_until(lambda: bool(texts), "the alert")
            found = re.search(r"Kode masuknya: (\S+)", texts[0])
            assert found is not None
            await wa.owner.enter_code(found[1])
            await bot.online()


async def test_a_terminal_shows_the_code_until_the_bot_is_in(
    wa: WhatsAppServer, make_bot: MakeBot, tmp_path: Path
) -> None:
    bot = make_bot()
    async with bot:
        text = await bot.qr()
        shown = tmp_path / "shown"
        with shown.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "supervisor", "pair"),
                cwd=bot.folder,
                env=bot.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
            )
        # Python writes to a file when it ends; the code itself is no secret of this test.
        await wa.owner.scan(text)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert re.search(r"Berhasil masuk|sudah tersambung", shown.read_text())


async def test_the_bots_health_says_what_state_it_is_in(wa: WhatsAppServer, make_bot: MakeBot) -> None:
    port = free_port()
    bot = make_bot(HEALTH_PORT=str(port))
    base = f"http://127.0.0.1:{port}"
    async with bot, aiohttp.ClientSession() as session:
        await bot.qr()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{base}/live") as answer:
                        assert (answer.status, (await answer.json())["live"]) == (200, True)
                        break
                await asyncio.sleep(0.05)
        async with session.get(f"{base}/ready") as answer:
            assert answer.status == 503
            assert "the channel is pairing" in (await answer.json())["reasons"]
        await bot.pair()
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
        async with session.get(f"{base}/ready") as answer:
            assert (answer.status, await answer.json()) == (
                200,
                {"ready": True, "reasons": [], "channel": "online"},
            )
        async with session.get(f"{base}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            figures = await answer.text()
    lines = figures.splitlines()
    assert 'balas_channel_state{state="online"} 1.0' in lines
    assert 'balas_sends_total{result="sent"} 1.0' in lines
    assert "balas_paid_without_invoice 0.0" in lines
    assert "balas_database_up 1.0" in lines
    for name in ("balas_loop_lag_seconds", "balas_oldest_unanswered_seconds", "balas_cost_today_idr"):
        assert re.search(rf"^{name} \d", figures, re.MULTILINE), name
    # Figures name nobody.
    assert not re.search(r"\b62\d{8,}|@|\bBudi\b", figures)
