"""A process that ends with whoever started it, even when that one is killed."""

from __future__ import annotations

import ctypes
import signal

# prctl's option for the signal that a process gets when its parent dies (linux/prctl.h). It outlives execv.
_PR_SET_PDEATHSIG = 1
# Loaded here already: between fork and exec as little as possible may happen.
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """From now on the kernel sends this process ``by`` when its parent is gone.

    Elsewhere than on Linux there is no such thing; then only an ordinary end stops the process.
    """
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
