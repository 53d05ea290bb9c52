"""Removes: an answer has one deadline (``asyncio.timeout`` in ``Answerer.answer``)."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

from tests.mutants import Replace


class _WithoutDeadline:
    """The module ``asyncio`` with a ``timeout`` that never comes, for one importer only."""

    def __init__(self, real: ModuleType) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def timeout(self, delay: float | None) -> asyncio.Timeout:
        return asyncio.timeout(None)


def mutate(replace: Replace) -> None:
    replace("rag.answering.asyncio", _WithoutDeadline)
