"""How often WhatsApp turned us away in a row, on disk: a new process must not ask again at once.

Supervisor starts a process that ended at once and without end; a number that knocks every two seconds is what
WhatsApp looks for. So the pause doubles with every refusal, over all processes, until a login succeeds.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 3600.0


class Refusals:
    """``<account>-refusals.json`` in the state folder. It only bounds haste: no failure here is an error."""

    def __init__(self, folder: Path, account: str) -> None:
        self._path = folder / f"{account}-refusals.json"

    def note(self) -> float:
        """One more refusal; how long to wait after it, in seconds."""
        times = self._times() + 1
        handle = -1
        with contextlib.suppress(OSError):
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            os.write(handle, json.dumps({"times": times, "at_ms": int(time.time() * 1000)}).encode())
        if handle >= 0:
            os.close(handle)
        return pause_s(times)

    def forget(self) -> None:
        """We were let in."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _times(self) -> int:
        try:
            return int(json.loads(self._path.read_bytes())["times"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0


def pause_s(times: int) -> float:
    """The pause after so many refusals in a row."""
    return min(FIRST_PAUSE_S * float(1 << min(times - 1, 30)), LONGEST_PAUSE_S)
