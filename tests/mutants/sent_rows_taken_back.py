"""Removes: a start takes back claimed rows only. Here it takes back what was sent and marked as well."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update

from store.queue import Queue
from store.schema import QueueState, outbox
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def take_back_all(connection: Connection, queue: Queue) -> Any:
            if queue.table is outbox:
                connection.execute(
                    update(outbox).values(
                        state=QueueState.NEW.value, finished_ms=None, owner=None, claimed_ms=None
                    )
                )
            return original(connection, queue)

        return take_back_all

    replace("store.queue.take_back_all", make)
