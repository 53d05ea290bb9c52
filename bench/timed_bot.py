"""The real ``run_bot.py`` with a clock around the bridge's callback: ``python -m bench.timed_bot FILE ...``.

What follows FILE are ``run_bot.py``'s own arguments. FILE gets one line a message event: the milliseconds
from the callback's first Python statement to its return, that is until the message is committed. What Go's
thread waits before that, for Python's lock, nobody inside can see.

A line on standard input sets the switch interval, in seconds.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bot.whatsapp.bridge import MESSAGE, Bridge

RUN_BOT = Path(__file__).resolve().parents[1] / "run_bot.py"


def time_callbacks(file: Path) -> None:
    """From now on every message event leaves its time in the file."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    execute = Bridge._execute

    def timed(self: Bridge, uuid: int, binary: int, size: int, code: int) -> None:
        began = time.perf_counter()
        execute(self, uuid, binary, size, code)
        if code == MESSAGE:
            os.write(handle, b"%.3f\n" % ((time.perf_counter() - began) * 1000))

    Bridge._execute = timed  # type: ignore[method-assign] # the clock


def obey(commands: Any) -> None:
    """Set the switch interval to what each line says, until there are no more."""
    for line in commands:
        sys.setswitchinterval(float(line))


def main(file: str, *arguments: str) -> None:
    """Become the bot; returns only by its exit."""
    time_callbacks(Path(file))
    threading.Thread(target=obey, args=(sys.stdin,), daemon=True).start()
    sys.argv = [str(RUN_BOT), *arguments]
    runpy.run_path(str(RUN_BOT), run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
