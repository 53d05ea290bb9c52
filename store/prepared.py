"""Statements of the hottest paths, compiled once: SQLAlchemy writes them, SQLite's driver runs them.

An answer takes some 25 of them. Through ``Connection.execute`` each costs 50 to 170 us of CPU time, of which
SQLite needs a tenth. PostgreSQL is a network away, so there SQLAlchemy runs them as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

Values = Mapping[str, Any]
_Processor = Callable[[Any], Any]


class Answer:
    """What a statement gave: its rows, and how many it changed."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Row[Any]], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Row[Any]]:
        return list(self._rows)

    def first(self) -> Row[Any] | None:
        return self._rows[0] if self._rows else None

    def one(self) -> Row[Any]:
        """The only row; raises SQLAlchemy's errors when there is none, or another."""
        if len(self._rows) > 1:
            raise MultipleResultsFound(f"one row was expected, {len(self._rows)} came")
        if not self._rows:
            raise NoResultFound("one row was expected, none came")
        return self._rows[0]

    def scalar(self) -> Any:
        """The first column of the first row; None when there is none."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        """The first column of the only row."""
        return self.one()[0]


class Prepared:
    """One statement that is always executed with the same names of values.

    Not for lists of unknown length (``IN``) and not for columns with a default made in Python.
    """

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._compiled: _Compiled | None = None

    def execute(self, connection: Connection, values: Values | None = None) -> Answer:
        """Run it once."""
        values = values or {}
        if connection.dialect.name != "sqlite":
            result = connection.execute(self.statement, values)
            return Answer(result.all() if result.returns_rows else (), result.rowcount)
        compiled = self._compiled or self._compile(connection, values)
        cursor = driver_of(connection).execute(compiled.sql, compiled.bind(values))
        return Answer(compiled.rows(cursor.fetchall()), cursor.rowcount)

    def execute_many(self, connection: Connection, many: Sequence[Values]) -> None:
        """Run it for each of the values; what it gives is dropped."""
        if connection.dialect.name != "sqlite":
            if many:
                connection.execute(self.statement, list(many))
            return
        for values in many:
            self.execute(connection, values)

    def _compile(self, connection: Connection, values: Values) -> _Compiled:
        self._compiled = _Compiled(self.statement, connection, frozenset(values))
        return self._compiled


class _Compiled:
    """SQLite's text of a statement, and how values go in and rows come out."""

    __slots__ = ("_given", "_into", "_key_to_index", "_metadata", "_out", "sql")

    def __init__(self, statement: Any, connection: Connection, names: frozenset[str]) -> None:
        dialect = connection.dialect
        compiled = statement.compile(dialect=dialect, column_keys=sorted(names))
        if getattr(compiled, "insert_prefetch", None) or getattr(compiled, "update_prefetch", None):
            raise TypeError(f"a default that is made in Python: {compiled}")
        self.sql = str(compiled)
        self._given = len(names)
        # In the order of the question marks: a value's name, or the constant itself; what the driver wants.
        self._into: list[tuple[str | None, Any, _Processor | None]] = []
        asked = set()
        for name in compiled.positiontup:
            bind = compiled.binds[name]
            if bind.expanding:
                raise TypeError(f"a list of unknown length: {compiled}")
            processor = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if bind.key in names:
                asked.add(bind.key)
                self._into.append((bind.key, None, processor))
            elif bind.required:
                raise TypeError(f"no value is given for {bind.key}: {compiled}")
            else:
                constant = bind.effective_value
                self._into.append((None, processor(constant) if processor else constant, None))
        if asked != names:
            raise TypeError(f"nothing takes {sorted(names - asked)}: {compiled}")
        columns = (
            list(statement.exported_columns) if statement.is_select or compiled.effective_returning else []
        )
        types = [column.type.dialect_impl(dialect) for column in columns]
        processors = [each.result_processor(dialect, None) for each in types]
        self._out = processors if any(processors) else None
        self._metadata = SimpleResultMetaData([column.key or f"_{at}" for at, column in enumerate(columns)])
        self._key_to_index = self._metadata._key_to_index

    def bind(self, values: Values) -> list[Any]:
        """The values in the order of the question marks."""
        if len(values) != self._given:
            raise TypeError(f"this statement was prepared for other values than {sorted(values)}: {self.sql}")
        return [
            constant if name is None else values[name] if processor is None else processor(values[name])
            for name, constant, processor in self._into
        ]

    def rows(self, found: Sequence[tuple[Any, ...]]) -> list[Row[Any]]:
        """The driver's rows as SQLAlchemy gives them."""
        return [Row(self._metadata, self._out, self._key_to_index, row) for row in found]


def driver_of(connection: Connection) -> Any:
    """The driver's own connection: through SQLAlchemy even BEGIN costs as much as a short statement."""
    return connection.connection.dbapi_connection
