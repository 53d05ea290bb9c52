"""A circuit breaker: after repeated failures of a service, don't keep customers waiting for the next one."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Opens after ``failures`` in a row for ``pause_s``; then lets one trial through at a time."""

    def __init__(
        self, *, failures: int = 5, pause_s: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._failed = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call should not even be tried now."""
        return self._failed >= self._limit and self._clock() < self._open_until

    @property
    def is_closed(self) -> bool:
        """Whether all is well: for callers that leave the trial after a pause to somebody else."""
        return self._failed < self._limit

    def allow(self) -> bool:
        """Whether to try. In the half-open state one trial passes; the others wait for its outcome."""
        if self._failed < self._limit:
            return True
        if self._clock() < self._open_until:
            return False
        self._open_until = self._clock() + self._pause_s
        return True

    def succeeded(self) -> None:
        """The service answered: close the circuit."""
        self._failed = 0

    def failed(self) -> None:
        """The service failed once more."""
        self._failed += 1
        if self._failed >= self._limit:
            self._open_until = self._clock() + self._pause_s
