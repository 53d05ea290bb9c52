"""Statements that run with every answer are planned once by SQLite, not anew at each execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from store import attachments, changes, inbox, queue, turns
from store.memory import recall
from store.queue import inbox_queue
from store.sqlite import SqliteStore

INBOX = inbox_queue("utama")
SQLITE_OK = 0


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(lambda c: queue.claim(c, INBOX, owner="satu", most=5), id="claim"),
        pytest.param(lambda c: queue.has_claimable(c, INBOX), id="has_claimable"),
        pytest.param(lambda c: inbox.is_changed_behind(c, "utama", key="budi", after=1), id="edits behind"),
        pytest.param(lambda c: attachments.get(c, 1), id="file of a message"),
        pytest.param(lambda c: turns.recent(c, 1, limit=8), id="recent turns"),
        pytest.param(lambda c: list(recall.read_newest(c, 1, None, most=8)), id="newest turns"),
        pytest.param(lambda c: recall.read_newer(c, 1, None, newest=3), id="newer turns"),
        pytest.param(lambda c: changes.after(c, 3, limit=8), id="changes"),
    ],
)
async def test_a_statement_of_every_answer_keeps_its_plan(
    sqlite_store: SqliteStore, run: Callable[[Connection], Any]
) -> None:
    planned: list[tuple[Any, ...]] = []

    def note(*action: Any) -> int:
        # SQLite asks for permission while it plans a statement, and never while it runs one.
        planned.append(action)
        return SQLITE_OK

    def repeat(connection: Connection) -> None:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.set_authorizer(note)
        run(connection)
        assert planned
        planned.clear()
        for _ in range(3):
            run(connection)
        driver.set_authorizer(None)

    await sqlite_store.write(repeat)
    assert planned == []
