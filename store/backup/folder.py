"""The folder of backups: how many stay, what a killed process left there, and room for another one."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from store.errors import NoRoom

# A fortnight of nights.
KEPT = 14
UNFINISHED = "backup-"
MB = 1024 * 1024


def of_nights(folder: Path) -> list[Path]:
    """The backups that were made without a word, oldest first. Files of other names are a person's."""
    return sorted(folder.glob("balas-[0-9]*-[0-9]*.db"))


def remove_oldest(folder: Path, *, keep: int) -> None:
    """Whoever was deleted is in no backup any more after so many nights."""
    for old in of_nights(folder)[: -keep or None]:
        old.unlink()


def remove_unfinished(folder: Path, prefix: str) -> None:
    """What killed processes left, chats and all; only for whoever knows that no such process runs."""
    for left in folder.glob(f"{prefix}????????"):
        for file in left.glob("balas.db*"):
            file.unlink()
        # Anything else in it is none of ours.
        with contextlib.suppress(OSError):
            left.rmdir()


def make_room(folder: Path, needed_bytes: int, *, spare: Sequence[Path]) -> None:
    """See to so much free room; ``spare`` may go for it, the first one first, and only if that is enough.

    Raises ``NoRoom``.
    """
    free = shutil.disk_usage(folder).free
    sizes = [(file, file.stat().st_size) for file in spare]
    removed = enough_of(sizes, needed_bytes - free)
    if removed is None:
        raise NoRoom(folder, free_mb=free // MB, needed_mb=-(-needed_bytes // MB))
    for file in removed:
        file.unlink()


def enough_of(sizes: Iterable[tuple[Path, int]], missing_bytes: int) -> list[Path] | None:
    """The first files that together are so large; None when all of them are not."""
    found: list[Path] = []
    for file, size in sizes:
        if missing_bytes <= 0:
            break
        found.append(file)
        missing_bytes -= size
    return found if missing_bytes <= 0 else None
