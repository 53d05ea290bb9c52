"""Removes: state and invoice in one transaction. Here the state is committed as soon as it is set."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from store.orders import State
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def move(connection: Connection, order_id: str, *, was: State, to: State, **values: Any) -> bool:
            moved = original(connection, order_id, was=was, to=to, **values)
            driver: Any = connection.connection.dbapi_connection
            driver.execute("COMMIT")
            driver.execute("BEGIN IMMEDIATE")
            return bool(moved)

        return move

    replace("store.orders.move", make)
