"""Removes: a start takes back what a crashed process had claimed (``store.queue.take_back_all``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from store.queue import Queue
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def take_back_all(connection: Connection, queue: Queue) -> int:
            return 0

        return take_back_all

    replace("store.queue.take_back_all", make)
