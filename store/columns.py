"""What the tables are made of: database time, ids, and the columns that every queue has."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    MetaData,
    Text,
    bindparam,
    event,
    literal_column,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives AUTOINCREMENT only to INTEGER; 64 bits either way.
BigId = BigInteger().with_variant(Integer, "sqlite")


class now_ms(FunctionElement[int]):  # noqa: N801 - it reads as the SQL function that it is.
    """Database time in milliseconds since the epoch."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _now_sqlite(element: now_ms, compiler: Any, **kw: Any) -> str:
    return "CAST(unixepoch('subsec') * 1000 AS INTEGER)"


@compiles(now_ms, "postgresql")
def _now_postgresql(element: now_ms, compiler: Any, **kw: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


def at_most(name: str) -> ColumnElement[int]:
    """The parameter ``name`` as a LIMIT.

    As a sum, because SQLite plans a statement anew at each execution when its LIMIT is a bare parameter: that
    is ten times the work of a claim.
    """
    return bindparam(name, type_=Integer) + literal_column("0", Integer)


class QueueState(StrEnum):
    """Where a queue's row stands; NEW and CLAIMED rows keep later rows of their key waiting."""

    NEW = "new"  # waits for its turn, or for its next attempt
    CLAIMED = "claimed"  # a worker has it; taken back when that worker is gone
    HELD = "held"  # waits for a person's approval; later rows of its key may pass
    PARKED = "parked"  # the network takes nothing for its chat now; waits for a time or a person's word
    DONE = "done"  # finished well
    DEAD = "dead"  # given up after the last attempt, or refused for good
    DROPPED = "dropped"  # became pointless before it was done (a person answered, the customer was deleted)


def id_column() -> Column[int]:
    return Column("id", BigId, primary_key=True, autoincrement=True)


def queue_columns() -> list[Column[Any]]:
    """The columns that ``store.queue`` works on; every queue has exactly these."""
    return [
        Column("account", Text, nullable=False),
        Column("transport", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("state", Text, nullable=False),
        # Claims that were begun, and those of them that ended in a failure: the rest ended with the process.
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("failures", Integer, nullable=False, server_default=text("0")),
        Column("due_ms", BigInteger, nullable=False),
        Column("owner", Text),
        Column("claimed_ms", BigInteger),
        Column("finished_ms", BigInteger),
        Column("error", Text),
    ]


def open_rows_index(table_name: str) -> Index:
    """Rows that are not finished, in the order in which they are claimed."""
    columns = ("account", "transport", "key", "id")
    return partial_index(f"ix_{table_name}_open", *columns, where="finished_ms IS NULL")


def partial_index(name: str, *columns: str, where: str) -> Index:
    """An index over the rows for which the SQL holds, on both databases.

    Its option for PostgreSQL is set when tables are made there. SQLAlchemy would import that part of itself,
    a twentieth of a second at every start of a shop that has no PostgreSQL.
    """
    return Index(name, *columns, sqlite_where=text(where), info={"where": where})


@event.listens_for(metadata, "before_create")
def _tell_postgresql(target: MetaData, connection: Connection, **_: object) -> None:
    if connection.dialect.name != "postgresql":
        return
    for index in (index for table in target.tables.values() for index in table.indexes):
        if "where" in index.info:
            index.dialect_options["postgresql"]["where"] = text(index.info["where"])
