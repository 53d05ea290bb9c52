"""The real ``run_bot.py`` with two clocks in its bridge: ``python -m bench.timed_bot FILE ...``.

What follows FILE are ``run_bot.py``'s own arguments. FILE gets one line a message event: the milliseconds
from the first Python statement of the bridge's callback to its return, when no death of the process can lose
the message any more. What Go's thread waits before that, for Python's lock, nobody inside can see.
FILE with ``.committed`` gets the milliseconds until the message is committed to the database.

A line on standard input sets the switch interval, in seconds.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from bot.whatsapp.bridge import MESSAGE, Bridge
from bot.whatsapp.journal import Journal

RUN_BOT = Path(__file__).resolve().parents[1] / "run_bot.py"


class _Lines:
    """A file of milliseconds, each written at once: the bot will be killed."""

    def __init__(self, file: Path) -> None:
        self._handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def since(self, began: float) -> None:
        os.write(self._handle, b"%.3f\n" % ((time.perf_counter() - began) * 1000))


def time_callbacks(file: Path) -> None:
    """From now on every message event leaves its time in the file."""
    told = _Lines(file)
    execute = Bridge._execute

    def timed(self: Bridge, uuid: int, binary: int, size: int, code: int) -> None:
        began = time.perf_counter()
        execute(self, uuid, binary, size, code)
        if code == MESSAGE:
            told.since(began)

    Bridge._execute = timed  # type: ignore[method-assign] # the clock


def time_commits(file: Path) -> None:
    """From now on every recorded message leaves its time; the journal records in the order of arrival."""
    told = _Lines(file)
    began: deque[float] = deque()
    keep, done = Journal.keep, Journal._done

    def timed_keep(self: Journal, raw: bytes) -> None:
        began.append(time.perf_counter())
        keep(self, raw)

    def timed_done(self: Journal, count: int) -> None:
        for _ in range(count):
            told.since(began.popleft())
        done(self, count)

    Journal.keep = timed_keep  # type: ignore[method-assign] # the clock starts
    Journal._done = timed_done  # type: ignore[method-assign] # the clock stops


def obey(commands: Any) -> None:
    """Set the switch interval to what each line says, until there are no more."""
    for line in commands:
        sys.setswitchinterval(float(line))


def main(file: str, *arguments: str) -> None:
    """Become the bot; returns only by its exit."""
    time_callbacks(Path(file))
    time_commits(Path(f"{file}.committed"))
    threading.Thread(target=obey, args=(sys.stdin,), daemon=True).start()
    sys.argv = [str(RUN_BOT), *arguments]
    runpy.run_path(str(RUN_BOT), run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
