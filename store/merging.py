"""Two addresses turned out to be one person: everything of one customer becomes the other's."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, literal, select, update

from store import changes, order_owners
from store.schema import (
    aliases,
    chat_timers,
    customers,
    handoffs,
    inbox,
    media,
    notices,
    outbox,
    past_chats,
    past_questions,
    turns,
    undecryptable,
    usage,
)

# The modes of the gate (config.settings.Mode) by what they let through, the least first.
_STRICTEST_FIRST = ("off", "practice", "approve", "on")


def merge(connection: Connection, *, kept: int, other: int) -> None:
    """Give everything of ``other`` to ``kept``; the memories learn it from the change log."""
    moved = [
        row[0] for row in connection.execute(select(turns.c.id).where(turns.c.customer_id == other)).all()
    ]
    tables = (
        *(turns, inbox, outbox, handoffs, notices, aliases, media, chat_timers, undecryptable),
        *(past_chats, past_questions),
    )
    for table in tables:
        connection.execute(
            update(table).where(table.c.customer_id == literal(other)).values(customer_id=kept)
        )
    spent = connection.execute(select(usage).where(usage.c.customer_id == other)).all()
    for row in spent:
        _add_usage(connection, kept, row._asdict())
    connection.execute(delete(usage).where(usage.c.customer_id == other))
    order_owners.merge(connection, kept=kept, other=other)
    _merge_standing(connection, kept, other)
    connection.execute(delete(customers).where(customers.c.id == other))
    changes.append(connection, entity="customer", ref=str(other), customer_id=other, tombstone=True)
    for turn_id in moved:
        changes.append(connection, entity="turn", ref=str(turn_id), customer_id=kept)


def _merge_standing(connection: Connection, kept: int, other: int) -> None:
    """One person keeps the stricter of his two standings: silenced in one chat is silenced in both."""
    columns = (
        customers.c.name,
        customers.c.introduced_ms,
        customers.c.mode,
        customers.c.silent_until_ms,
        customers.c.silent_reason,
        customers.c.human_ms,
    )
    found = {
        row.id: row
        for row in connection.execute(
            select(customers.c.id, *columns).where(customers.c.id.in_([kept, other]))
        )
    }
    ours, theirs = found[kept], found[other]
    quieter = theirs if (theirs.silent_until_ms or 0) > (ours.silent_until_ms or 0) else ours
    introduced_ms = [row.introduced_ms for row in (ours, theirs) if row.introduced_ms is not None]
    modes = {row.mode for row in (ours, theirs) if row.mode is not None}
    connection.execute(
        update(customers)
        .where(customers.c.id == kept)
        .values(
            name=ours.name or theirs.name,
            introduced_ms=min(introduced_ms, default=None),
            mode=next((mode for mode in _STRICTEST_FIRST if mode in modes), None),
            silent_until_ms=quieter.silent_until_ms,
            silent_reason=quieter.silent_reason,
            human_ms=max((row.human_ms for row in (ours, theirs) if row.human_ms is not None), default=None),
        )
    )


def _add_usage(connection: Connection, kept: int, values: dict[str, object]) -> None:
    sums = {
        name: values[name]
        for name in (
            "answers",
            "input_tokens",
            "output_tokens",
            "embedding_tokens",
            "reserved_idr",
            "spent_idr",
        )
    }
    same_day = (
        usage.c.account == values["account"],
        usage.c.day == values["day"],
        usage.c.customer_id == kept,
    )
    found = connection.execute(
        update(usage).where(*same_day).values({name: usage.c[name] + value for name, value in sums.items()})
    ).rowcount
    if not found:
        connection.execute(
            insert(usage).values(account=values["account"], day=values["day"], customer_id=kept, **sums)
        )
