"""The folder of files that people sent: random names, readable by the owner of the process alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

FOLDER = "media"
_PARTIAL = ".part"
# A file that no row names may be one whose row is about to be committed; nobody takes this long for it.
ORPHAN_AFTER_S = 3600.0


class MediaFiles:
    """Files by name under ``state_dir/media``. All methods block; call them on a thread."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / FOLDER

    def write(self, data: bytes) -> str:
        """Store the bytes under a new name. Raises OSError; then nothing is left of it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(16)
        partial = self.folder / (name + _PARTIAL)
        try:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self.folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        return name

    def read(self, name: str) -> bytes:
        """The file's bytes. Raises OSError."""
        return (self.folder / name).read_bytes()

    def remove(self, names: Collection[str]) -> None:
        """Delete these files; one that is not there is no matter. Raises OSError."""
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                (self.folder / name).unlink()

    def free_bytes(self) -> int:
        """How much room is left where the files are."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(self.folder).free

    def old_names(self, *, now: Callable[[], float] = time.time) -> list[str]:
        """The files that are old enough to have a row; without one they are orphans."""
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if now() - entry.stat().st_mtime >= ORPHAN_AFTER_S:
                        found.append(entry.name)
        return found
