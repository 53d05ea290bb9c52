"""Guarantee 8 over kill -9: the real payment process dies in the middle of sending, again and again."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.settings import Settings
from sandbox.ports import free_port
from sandbox.starsender import Mode, StarsenderServer
from store.sqlite import SqliteStore
from tests.integration.invoices.ledger import verdict
from tests.integration.invoices.shop import (
    SHOP_NUMBER,
    make_paid,
    make_post,
    open_room,
    outbox_rows,
)

PROJECT = Path(__file__).resolve().parents[3]
INVOICES = 6
KILLS = 4
PATIENCE_S = 120.0


class PaymentProcess:
    """`run_webhooks.py` with these settings; ended when the block is left."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "run_webhooks.py"),
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture
async def starsender() -> AsyncIterator[StarsenderServer]:
    async with StarsenderServer(number=SHOP_NUMBER) as server:
        yield server


async def test_every_invoice_arrives_whenever_the_process_dies(
    starsender: StarsenderServer, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    (tmp_path / "data").mkdir()
    port = free_port()
    given = {
        **starsender.environment,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WEBHOOKS_PORT": str(port),
        "WHATSAPP_NUMBER": SHOP_NUMBER,
        "SHOP_NAME": "Toko Roti",
        "OPENAI_API_KEY": "kunci-uji",
        "DATA_DIR": str(tmp_path / "data"),
        "STATE_DIR": str(tmp_path / "var"),
        "POLL_S": "0.05",
        "NO_PROXY": "127.0.0.1",
    }
    settings = Settings.load(given, None)
    store = await SqliteStore.open(settings.sqlite_path)
    process = PaymentProcess({"PATH": os.environ.get("PATH", ""), **given}, tmp_path / "log")
    try:
        await open_room(store)
        post = make_post(tmp_path / "data", settings)
        for _ in range(INVOICES):
            paid = await store.write(make_paid)
            await store.write(lambda c, paid=paid: post.post(c, paid.invoice, paid.order))
        # Slow enough that a message is always under way.
        starsender.break_down(Mode.SLOW, delay_s=0.3)
        for _ in range(KILLS):
            seen = starsender.requests
            await process.start()
            await starsender.until(lambda seen=seen: starsender.requests > seen, PATIENCE_S)
            await asyncio.sleep(dice.uniform(0, 0.5))
            await process.kill()
        starsender.mend()
        await process.start()
        async with asyncio.timeout(PATIENCE_S):
            # Another process writes, and the database sets no event.
            while [row for row in await outbox_rows(store) if row.state in ("new", "claimed")]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert await verdict(store, starsender) == [], (
            f"seed {seed}: {(tmp_path / 'log').read_text()[-2000:]}"
        )
        arrived = {sent.name for sent in starsender.sent if sent.file}
        assert len(arrived) == INVOICES, f"seed {seed}"
    finally:
        await process.kill()
        await store.close()
