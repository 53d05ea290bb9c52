"""The night's work comes once a night, back-up first."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from supervisor.nightly import AT, jobs, run_job, seconds_until_next

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
