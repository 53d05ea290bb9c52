"""Removes: one process owns an account (the lock in ``store.ownership``)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        @contextlib.contextmanager
        def _file_lock(state_dir: Path, account: str) -> Iterator[None]:
            yield

        return _file_lock

    replace("store.ownership._file_lock", make)
