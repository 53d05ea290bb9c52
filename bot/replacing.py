"""Replacing a file of the shop as a whole: a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

_MODE = 0o644


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in the file's place; the permissions stay. Raises OSError."""
    # Hidden until it is complete, so that the watcher never reads half of it.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else _MODE)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
