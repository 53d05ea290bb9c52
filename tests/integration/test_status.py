"""The status page: one look says whether customers are served, and what is switched off."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from config.settings import Settings
from config.shop import Shop
from config.switched_off import switched_off
from config.wording import Wording
from store import alerts, meta, standing
from store.opening import open_store
from supervisor import nightly, status

PROJECT = Path(__file__).resolve().parents[2]
SHOP = Shop(nama="Toko Uji")


def settings(folder: Path, **changed: str) -> Settings:
    given = {
        "OPENAI_API_KEY": "sk-uji",
        "SHOP_NAME": "Toko Uji",
        "STATE_DIR": str(folder / "var"),
        "DATA_DIR": str(folder),
        "HEALTH_PORT": "off",
        "WEBHOOKS_PORT": "0",
    }
    return Settings.load({**given, **changed}, env_file=None)


@contextlib.asynccontextmanager
async def answering() -> AsyncIterator[int]:
    async def live(request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    app = web.Application()
    app.router.add_get("/live", live)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def say_online(configured: Settings) -> None:
    store = await open_store(configured)
    told = {"state": "online", "detail": "", "since_ms": int(time.time() * 1000), "until_ms": None}
    await store.write(lambda c: meta.put(c, standing.key(configured.account), json.dumps(told)))
    await store.close()


async def page(configured: Settings) -> tuple[str, bool]:
    found = await status.look(configured, SHOP, Wording.load(configured.data_dir, SHOP))
    return status.render(found, configured, SHOP, now=datetime.now(UTC)), found.is_healthy


async def test_a_shop_that_is_served_is_healthy(tmp_path: Path) -> None:
    async with answering() as port:
        configured = settings(tmp_path, HEALTH_PORT=str(port), WEBHOOKS_PORT=str(port))
        await say_online(configured)
        text, healthy = await page(configured)
    assert healthy
    assert text.endswith("SEHAT")
    assert "WhatsApp     tersambung sejak" in text
    assert "bot menjawab, webhooks menjawab" in text
    assert "pesan masuk 0, kiriman 0, kabar pembayaran 0" in text
    assert "PING_URL: kalau servernya sendiri mati" in text


async def test_the_end_of_a_ban_is_shown_and_no_words_of_a_program(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    store = await open_store(configured)
    until = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)
    told = {
        "state": "banned",
        "detail": "blocked by too many people",
        "since_ms": int(time.time() * 1000),
        "until_ms": int(until.timestamp() * 1000),
    }
    await store.write(lambda c: meta.put(c, standing.key(configured.account), json.dumps(told)))
    await store.close()
    text, healthy = await page(configured)
    assert not healthy
    assert "NOMOR DIBATASI WHATSAPP sejak" in text
    assert ", sampai 26-11-2026 07.30" in text
    assert "blocked" not in text


async def test_a_program_that_is_silent_makes_it_unhealthy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    configured = settings(tmp_path, HEALTH_PORT=str(port))
    await say_online(configured)
    text, healthy = await page(configured)
    assert not healthy
    assert "! bot tidak menjawab" in text
    assert text.endswith("PERLU DITANGANI")


@pytest.mark.parametrize(
    ("fingerprint", "healthy", "shown"),
    [
        ("budget:utama", True, "Biaya AI hari ini hampir habis: keterangan"),
        ("database", False, "Database tidak bisa ditulisi: Keterangan teknisnya ada di log."),
        ("whatsapp:utama", False, "WhatsApp keluar dari bot: Keterangan teknisnya ada di log."),
    ],
)
async def test_an_alert_is_shown_and_counts_by_its_weight(
    tmp_path: Path, fingerprint: str, healthy: bool, shown: str
) -> None:
    configured = settings(tmp_path)
    await say_online(configured)
    store = await open_store(configured)
    await store.write(lambda c: alerts.raise_alert(c, fingerprint, "keterangan"))
    await store.close()
    text, found = await page(configured)
    assert found is healthy
    assert f"! {shown}" in text


def test_the_command_ends_with_1_while_nobody_is_served(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "supervisor", "status"],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "OPENAI_API_KEY": "sk-uji",
            "SHOP_NAME": "Toko Uji",
            "STATE_DIR": str(tmp_path / "var"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "belum pernah dijalankan" in done.stdout


def test_what_is_set_is_not_named_as_missing(tmp_path: Path) -> None:
    everything = settings(
        tmp_path,
        RUANG_ADMIN="0811",
        WHATSAPP_NUMBER="081234567890",
        TELEGRAM_TOKEN="1:a",
        TELEGRAM_CHAT="1",
        PING_URL="https://ping.example/1",
        MIDTRANS_SERVER_KEY="SB-Mid-server-x",
        STARSENDER_KEY="k",
        PUBLIC_URL="https://toko.example",
        HEALTH_PORT="8081",
    )
    assert switched_off(everything) == []
    assert len(switched_off(settings(tmp_path))) >= 7


async def test_backups_that_fail_from_the_first_night_on_are_noticed(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    store = await open_store(configured)
    try:
        assert await store.read(nightly.backup_age_s) is None
        work = asyncio.create_task(nightly.run_every_night(store, UTC))
        async with asyncio.timeout(30):
            while (age_s := await store.read(nightly.backup_age_s)) is None:  # noqa: ASYNC110 - another transaction sets no event.
                await asyncio.sleep(0.05)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert age_s < 60
    finally:
        await store.close()
