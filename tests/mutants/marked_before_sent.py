"""Removes: an answer is marked only after it was sent. Here the claim of an outbox row finishes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update

from store.queue import Queue
from store.schema import QueueState, now_ms, outbox
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def claim(connection: Connection, queue: Queue, *, owner: str, most: int) -> Any:
            rows = original(connection, queue, owner=owner, most=most)
            if queue.table is outbox and rows:
                connection.execute(
                    update(outbox)
                    .where(outbox.c.id.in_([row.id for row in rows]))
                    .values(state=QueueState.DONE.value, finished_ms=now_ms())
                )
            return rows

        return claim

    replace("store.queue.claim", make)
