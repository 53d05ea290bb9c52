"""How late is late, and how late answers are spread."""

from __future__ import annotations

import pytest

from bot.lateness import Lateness, LatePace, lateness

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [
        (-5 * MINUTE_MS, Lateness.IN_TIME),  # a clock that is behind
        (0, Lateness.IN_TIME),
        (15 * MINUTE_MS - 1, Lateness.IN_TIME),
        (15 * MINUTE_MS, Lateness.LATE),
        (12 * 60 * MINUTE_MS - 1, Lateness.LATE),
        (12 * 60 * MINUTE_MS, Lateness.TOO_LATE),
    ],
)
def test_age_decides(age_ms: int, expected: Lateness) -> None:
    assert lateness(1_000_000_000_000 - age_ms, now_ms=1_000_000_000_000) is expected


def test_a_channel_that_knows_no_times_is_never_late() -> None:
    assert lateness(None, now_ms=1_000_000_000_000) is Lateness.IN_TIME


def test_late_answers_go_out_six_a_minute() -> None:
    pace = LatePace()
    delays = [pace.delay_ms() for _ in range(7)]
    assert delays[0] == 0
    assert 59_000 < delays[6] <= 60_000


def test_late_answers_of_a_new_number_go_out_three_a_minute() -> None:
    pace = LatePace()
    delays = [pace.delay_ms(2.0) for _ in range(4)]
    assert delays[0] == 0
    assert 59_000 < delays[3] <= 60_000
