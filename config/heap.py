"""A process's memory: glibc's habits cost a long-lived one tens of megabytes, and Python's collector time."""

from __future__ import annotations

import contextlib
import ctypes
import gc

# The parameters' numbers in glibc's malloc.h.
_M_ARENA_MAX = -8
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 512 * 1024


def keep_small() -> None:
    """One heap for all threads, and no large blocks in it.

    glibc's heap a thread kept 18 MB more after 10,000 answers. Large blocks it learns to put into the heap,
    where each long history that is read leaves a hole of its size.
    """
    # To be called before threads start. A libc without mallopt (musl) has no such habits either.
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def collect_nothing() -> None:
    """From the first import on until ``settled``: what a start makes stays, and is looked through in vain."""
    gc.disable()


def settled() -> None:
    """The start is over. What is there now is never looked through again, which spares the answers pauses."""
    gc.freeze()
    gc.enable()
