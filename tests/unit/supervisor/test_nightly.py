"""The night's work comes once a night, back-up first."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.settings import Settings
from config.shop import Shop
from store.errors import StoreUnavailable
from supervisor.nightly import AT, jobs, run_job, seconds_until_next
from supervisor.watch import Watch

ZONE = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize(("hour", "hours"), [(0, 3.25), (3, 0.25), (4, 23.25), (23, 4.25)])
def test_the_next_night_is_always_ahead(hour: int, hours: float) -> None:
    now = datetime(2026, 11, 25, hour, 0, tzinfo=ZONE)
    assert seconds_until_next(now) == hours * 3600


def test_at_the_very_minute_it_is_tomorrow() -> None:
    now = datetime(2026, 11, 25, AT.hour, AT.minute, tzinfo=ZONE)
    assert seconds_until_next(now) == timedelta(days=1).total_seconds()


def test_nothing_is_deleted_before_it_is_backed_up() -> None:
    found = jobs()
    assert found[-1] == "store.tidying"
    assert set(found) <= {"store.backup", "store.tidying"}


async def test_a_job_says_how_it_ended() -> None:
    assert await run_job([sys.executable, "-c", "pass"])
    assert not await run_job([sys.executable, "-c", "raise SystemExit(3)"])


async def test_a_job_that_hangs_is_a_failed_one_and_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.nightly.TIMEOUT_S", 0.05)
    assert not await run_job([sys.executable, "-c", "import time; time.sleep(600)"])


class Away:
    """A store that is away, and counts who asks."""

    attempts = 0

    async def write(self, job: object) -> None:
        self.attempts += 1
        await asyncio.sleep(0)
        raise StoreUnavailable("away")


async def test_the_night_waits_for_a_database_that_is_away(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Away()
    watch = Watch(make_settings(), store, Shop(nama="Toko Uji"), None, None, None, None)  # type: ignore[arg-type]  # The night needs the store alone.
    night = asyncio.create_task(watch._nightly())
    for _ in range(50):
        await asyncio.sleep(0)
    assert store.attempts == 1
    night.cancel()
