"""What other databases of the same shop know: what is gone for good, and which numbers are taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, inspect, select, text, update

from store import changes, customers, owners, schema
from store.errors import StoreMisconfigured
from store.memory.weaviate import standing
from store.ownership import AlreadyOwned

# Rows of running processes mean nothing in another life.
_NOT_COPIED = {"owners"}
TABLES = [table for table in schema.metadata.sorted_tables if table.name not in _NOT_COPIED]
"""Every table that is copied, each behind those that it refers to."""
_SEQUENCES = "sqlite_sequence"


@dataclass(kw_only=True, slots=True)
class Past:
    """What was learnt from the database that is replaced and from newer backups."""

    customers: set[int] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)
    invoices: dict[tuple[str, str], int] = field(default_factory=dict)  # the last of an account's month
    is_whole: bool = False  # up to the very end, because the database that is replaced could tell

    def learn(self, connection: Connection) -> None:
        """Add what this database knows."""
        log = schema.changes
        gone = select(log.c.entity, log.c.ref).where(log.c.tombstone.is_(True))
        for entity, ref in connection.execute(gone):
            if entity == changes.CUSTOMER:
                self.customers.add(int(ref))
            elif entity == changes.TURN:
                self.turns.add(int(ref))
        for name, number in numbers(connection).items():
            self.numbers[name] = max(number, self.numbers.get(name, 0))
        counters = schema.invoice_counters
        # One from before the first migration of payments has none.
        if inspect(connection).has_table(counters.name):
            for account, period, last in connection.execute(select(counters)):
                self.invoices[account, period] = max(last, self.invoices.get((account, period), 0))

    def learn_from_replaced(self, connection: Connection, installation: str | None) -> None:
        """Add what the database knows that the backup of this installation is to replace.

        Raises ``AlreadyOwned`` while it is in use, and ``StoreMisconfigured`` when it is another shop's.
        """
        if not inspect(connection).has_table(schema.meta.name):
            return
        refuse_while_used(connection)
        if (other := standing.installation(connection)) == installation:
            self.learn(connection)
            self.is_whole = True
        # One without a name was never backed up: what it says of its customers is about others.
        elif other is not None and _serves_somebody(connection):
            raise StoreMisconfigured(
                "the backup is of another shop's database than the one it would replace; to restore it "
                "nevertheless, name an empty STATE_DIR or DATABASE_URL"
            )


def refuse_while_used(connection: Connection) -> None:
    """Raise ``AlreadyOwned`` when a process of any account, on any machine, worked with it just now."""
    if running := owners.alive(connection):
        raise AlreadyOwned(f"{', '.join(running)} may still write into the database; stop all of Balas first")


def forget(connection: Connection, past: Past) -> tuple[int, int]:
    """Delete again what was deleted since the backup; how many exchanges and customers."""
    people = sum(customers.forget(connection, customer_id) for customer_id in sorted(past.customers))
    turns = 0
    for turn_id in sorted(past.turns):
        table = schema.turns
        owner = connection.execute(select(table.c.customer_id).where(table.c.id == turn_id)).scalar()
        if owner is not None:
            connection.execute(delete(table).where(table.c.id == turn_id))
            changes.append(
                connection, entity=changes.TURN, ref=str(turn_id), customer_id=owner, tombstone=True
            )
            turns += 1
    # No number comes back: a later deletion of the lost past would hit somebody else.
    raise_numbers(connection, past.numbers)
    _raise_invoices(connection, past.invoices)
    # Whatever a server holds is of another past than this.
    standing.forget_all(connection)
    return turns, people


def numbers(connection: Connection) -> dict[str, int]:
    """The highest number that each table ever handed out."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text(f"SELECT name, seq FROM {_SEQUENCES}"))
        return {name: int(number) for name, number in rows if name in _numbered()}
    found = {}
    for name, column in _numbered().items():
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:name, :column)"), {"name": name, "column": column}
        ).scalar_one()
        last, used = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
        found[name] = int(last) if used else 0
    return found


def raise_numbers(connection: Connection, taken: dict[str, int]) -> None:
    """Go on behind these numbers, and never back."""
    now = numbers(connection)
    for name, column in _numbered().items():
        number = max(taken.get(name, 0), now.get(name, 0))
        if number == 0:
            continue
        if connection.dialect.name == "sqlite":
            connection.execute(text(f"DELETE FROM {_SEQUENCES} WHERE name = :name"), {"name": name})
            connection.execute(
                text(f"INSERT INTO {_SEQUENCES} (name, seq) VALUES (:name, :number)"),
                {"name": name, "number": number},
            )
        else:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, :column), :number)"),
                {"name": name, "column": column, "number": number},
            )


def _raise_invoices(connection: Connection, taken: dict[tuple[str, str], int]) -> None:
    """A customer has the invoice with that number: no other may get it."""
    counters = schema.invoice_counters
    for (account, period), last in taken.items():
        its = (counters.c.account == account, counters.c.period == period)
        now = connection.execute(select(counters.c.last).where(*its)).scalar()
        if now is None:
            connection.execute(insert(counters).values(account=account, period=period, last=last))
        elif now < last:
            connection.execute(update(counters).where(*its).values(last=last))


def _serves_somebody(connection: Connection) -> bool:
    """Whether there is more in it than the shop's own files, as on a machine that was just installed."""
    return any(
        connection.execute(select(column).limit(1)).first() is not None
        for column in (schema.customers.c.id, schema.orders.c.id)
    )


def _numbered() -> dict[str, str]:
    """Tables whose numbers are handed out by the database, and the column that has them."""
    return {
        table.name: column.name
        for table in TABLES
        if (column := table.autoincrement_column) is not None
        and table.dialect_options["sqlite"]["autoincrement"]
    }
