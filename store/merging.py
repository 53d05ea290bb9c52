"""Two addresses turned out to be one person: everything of one customer becomes the other's."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, literal, select, update

from store import changes, order_owners
from store.schema import (
    LEFT_OUT,
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
        customers.c.judged_ms,
        customers.c.erase_asked_ms,
    )
    found = {
        row.id: row
        for row in connection.execute(
            select(customers.c.id, *columns).where(customers.c.id.in_([kept, other]))
        )
    }
    ours, theirs = found[kept], found[other]
    both = (ours, theirs)
    quieter = theirs if (theirs.silent_until_ms or 0) > (ours.silent_until_ms or 0) else ours
    modes = {row.mode for row in both if row.mode is not None}
    reason = None if quieter.silent_reason == LEFT_OUT else quieter.silent_reason
    # Who is ignored by name is not let in with all those who were left out.
    is_ignored = any(row.mode == "off" and row.silent_reason != LEFT_OUT for row in both)
    if not is_ignored and any(row.silent_reason == LEFT_OUT for row in both):
        reason = LEFT_OUT
    connection.execute(
        update(customers)
        .where(customers.c.id == kept)
        .values(
            name=ours.name or theirs.name,
            introduced_ms=_earliest(row.introduced_ms for row in both),
            mode=next((mode for mode in _STRICTEST_FIRST if mode in modes), None),
            silent_until_ms=quieter.silent_until_ms,
            silent_reason=reason,
            human_ms=max((row.human_ms for row in both if row.human_ms is not None), default=None),
            judged_ms=_earliest(row.judged_ms for row in both),
            # What was promised to one of them is promised to the person.
            erase_asked_ms=_earliest(row.erase_asked_ms for row in both),
        )
    )


def _earliest(times_ms: Iterable[int | None]) -> int | None:
    """The first time that it happened to one of them; None when it never did."""
    return min((at_ms for at_ms in times_ms if at_ms is not None), default=None)


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
