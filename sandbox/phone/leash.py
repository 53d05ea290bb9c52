"""Run a Python script that ends when whoever started it is gone, even by kill -9:

python -m sandbox.phone.leash PARENT_ID run_bot.py --channel whatsapp
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

# prctl's option for the signal that a process gets when its parent dies (linux/prctl.h). It outlives execv.
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the script; returns only when the parent is gone already."""
    parent, *command = sys.argv[1:]
    # Elsewhere than on Linux there is no such thing; then only an ordinary end stops the script.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() == int(parent):
        os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main()
