"""The circuit breaker with a clock of the test."""

from __future__ import annotations

from store.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _opened(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, pause_s=10.0, clock=clock)
    for _ in range(3):
        assert breaker.allow()
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_it_and_nothing_is_tried_meanwhile() -> None:
    clock = Clock()
    breaker = _opened(clock)
    assert breaker.is_open
    assert not breaker.allow()
    clock.now += 9.9
    assert not breaker.allow()


def test_a_success_between_keeps_it_closed() -> None:
    breaker = Breaker(failures=3, pause_s=10.0, clock=Clock())
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert not breaker.is_open
    assert breaker.allow()


def test_after_the_pause_one_trial_passes_and_the_others_wait_for_it() -> None:
    clock = Clock()
    breaker = _opened(clock)
    clock.now += 10.0
    assert not breaker.is_open
    assert breaker.allow()
    assert not breaker.allow()


def test_a_trial_that_succeeds_closes_it() -> None:
    clock = Clock()
    breaker = _opened(clock)
    clock.now += 10.0
    assert breaker.allow()
    breaker.succeeded()
    assert [breaker.allow() for _ in range(3)] == [True] * 3


def test_a_trial_that_fails_opens_it_for_another_pause() -> None:
    clock = Clock()
    breaker = _opened(clock)
    clock.now += 10.0
    assert breaker.allow()
    breaker.failed()
    clock.now += 9.9
    assert not breaker.allow()
    clock.now += 0.1
    assert breaker.allow()


def test_a_trial_whose_end_nobody_heard_of_does_not_close_it_for_ever() -> None:
    clock = Clock()
    breaker = _opened(clock)
    clock.now += 10.0
    assert breaker.allow()
    clock.now += 10.0
    assert breaker.allow()
