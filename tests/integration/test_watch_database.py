"""The watcher when the database is bad from its start on: the owner hears of it, and of its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.settings import Settings
from supervisor import watch
from tests.integration.messenger import Messenger, messenger

PATIENCE_S = 30.0
Make = Callable[..., Settings]


@pytest.fixture
async def telegram(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Messenger]:
    monkeypatch.setattr("supervisor.outage.DOWN_AFTER_S", 0.0)
    monkeypatch.setattr(watch, "AGAIN_S", 0.05)
    monkeypatch.setattr(watch, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(watch, "TELL_EVERY_S", 0.05)
    async with messenger() as found:
        yield found


@asynccontextmanager
async def watching(make_settings: Make, **keys: str) -> AsyncIterator[None]:
    settings = make_settings(HEALTH_PORT="off", WEBHOOKS_PORT="0", **keys)
    running = asyncio.create_task(watch.run(settings, listens=False))
    try:
        yield
        assert not running.done(), "Supervisor would give it up"
        signal.raise_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running, PATIENCE_S) == 0
    finally:
        running.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)


async def until_told(telegram: Messenger, times: int) -> list[str]:
    async with asyncio.timeout(PATIENCE_S):
        while len(telegram.texts) < times:  # noqa: ASYNC110 - the messenger sets no event.
            await asyncio.sleep(0.01)
    return telegram.texts


async def test_a_damaged_database_is_told_once_and_its_end_once(
    make_settings: Make, tmp_path: Path, telegram: Messenger
) -> None:
    (tmp_path / "var").mkdir(mode=0o700)
    database = tmp_path / "var" / "balas.db"
    database.write_bytes(b"no database at all " * 500)
    database.chmod(0o600)
    async with watching(make_settings, **telegram.keys):
        (told,) = await until_told(telegram, 1)
        assert "Database tidak bisa ditulisi" in told
        assert "Kali ini bukan karena disk penuh" in told
        # A person puts another file there.
        os.unlink(database)
        _, over = await until_told(telegram, 2)
        assert "sudah normal lagi" in over.lower()
    assert len(telegram.texts) == 2


async def test_a_database_that_is_away_at_the_start_is_told_once(
    make_settings: Make, telegram: Messenger
) -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody is there, and nobody else comes.
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://balas@127.0.0.1:{taken.getsockname()[1]}/balas"
        async with watching(make_settings, DATABASE_URL=url, **telegram.keys):
            (told,) = await until_told(telegram, 1)
    assert "Database tidak bisa ditulisi" in told
    assert "Keterangan teknisnya ada di log." in told
