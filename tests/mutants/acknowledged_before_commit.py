"""Removes: a message is acknowledged only after its commit (the wait in ``SqliteStore.record``).

What such a bot would do instead: say yes at once and write a little later, many at a time.
"""

from __future__ import annotations

import threading
from typing import Any

from store.doors import Job
from store.sqlite import SqliteStore
from tests.mutants import Replace

WRITE_BEHIND_S = 0.2


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def record(self: SqliteStore, fn: Job[Any], *, timeout_s: float = 5.0) -> Any:
            timer = threading.Timer(WRITE_BEHIND_S, lambda: original(self, fn, timeout_s=timeout_s))
            timer.daemon = True
            timer.start()
            return True

        return record

    replace("store.sqlite.SqliteStore.record", make)
