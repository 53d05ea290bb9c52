"""Removes: an answer is marked only after it was sent. Here the claim of an outbox row finishes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update

from store.outbox import NewMessage
from store.queue import Queue
from store.schema import QueueState, now_ms, outbox
from tests.mutants import Replace

# Rows are claimed by the worker, or written as claimed.
PLACES = 2


def mutate(replace: Replace) -> None:
    def mark(connection: Connection, rows: Any) -> None:
        if rows:
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_([row.id for row in rows]))
                .values(state=QueueState.DONE.value, finished_ms=now_ms())
            )

    def make_claim(original: Any) -> Any:
        def claim(connection: Connection, queue: Queue, *, owner: str, most: int) -> Any:
            rows = original(connection, queue, owner=owner, most=most)
            if queue.table is outbox:
                mark(connection, rows)
            return rows

        return claim

    def make_add(original: Any) -> Any:
        def add_claimed(connection: Connection, message: NewMessage, *, owner: str) -> Any:
            row = original(connection, message, owner=owner)
            mark(connection, [row] if row is not None else [])
            return row

        return add_claimed

    replace("store.queue.claim", make_claim)
    replace("store.outbox.add_claimed", make_add)
