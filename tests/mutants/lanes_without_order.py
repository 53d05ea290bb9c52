"""Removes: only the head of a chat may be claimed (the "no earlier row" condition of ``store.queue``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, bindparam, select

from store.schema import QueueState, now_ms
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def _heads(table: Table) -> Select[Any]:
            return (
                select(table.c.id)
                .where(
                    table.c.account == bindparam("in_account"),
                    table.c.transport == bindparam("in_transport"),
                    table.c.finished_ms.is_(None),
                    table.c.state == QueueState.NEW.value,
                    table.c.due_ms <= now_ms(),
                )
                .order_by(table.c.id)
                .limit(bindparam("most"))
            )

        return _heads

    replace("store.queue._heads", make)
