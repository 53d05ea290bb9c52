"""The spill file: events that the database could not take in time, on disk until it can.

WhatsApp counts a message as delivered before the callback has seen it: what is lost here is lost. One
record is four bytes of length (big-endian), four of CRC-32, then the event's bytes; a torn end is kept out.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

_HEAD = struct.Struct(">II")


class Spill:
    """Appends from any thread; ``replay`` gives everything back, oldest first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Whether something waits."""
        return self._path.exists()

    def keep(self, raw: bytes) -> None:
        """Append one event; it is on disk when this returns. Raises OSError when the disk refuses."""
        record = _HEAD.pack(len(raw), zlib.crc32(raw)) + raw
        with self._lock:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                start = os.fstat(handle).st_size
                try:
                    _write_all(handle, record)
                    os.fsync(handle)
                except OSError:
                    # Half a record would hide the next ones.
                    os.ftruncate(handle, start)
                    raise
            finally:
                os.close(handle)

    def replay(self, take: Callable[[bytes], bool]) -> int:
        """Give each event to ``take``, which says whether it is safe now; how many were.

        The file goes when all of them are, else it stays whole: taking an event twice does no harm.
        """
        with self._lock:
            if not self._path.exists():
                return 0
            taken, complete = 0, True
            for raw in _records(self._path.read_bytes()):
                if take(raw):
                    taken += 1
                else:
                    complete = False
                    break
            if complete:
                self._path.unlink()
            return taken


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _records(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        raw = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(raw) < length or zlib.crc32(raw) != checksum:
            break
        found.append(raw)
        at += _HEAD.size + length
    return found
