"""Removes: the writer thread survives a failed commit. Here it ends after telling who waited."""

from __future__ import annotations

from typing import Any

from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def _fail(group: Any, exc: BaseException) -> None:
            original(group, exc)
            raise SystemExit  # ends this thread alone, without a word

        return _fail

    replace("store.sqlite_writer._fail", make)
