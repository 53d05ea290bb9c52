"""Deletes exchanges that are older than the shop wants to keep them; every memory then drops them as well."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select

from store import changes
from store.schema import at_most, now_ms, turns

DAY_MS = 24 * 60 * 60 * 1000
# One transaction takes so many: answers wait for it.
AT_ONCE = 500

# Ids grow with time, so the oldest come first without an index on the time.
_OLDEST = (
    select(turns.c.id, turns.c.customer_id, turns.c.created_ms, now_ms())
    .order_by(turns.c.id)
    .limit(at_most("most"))
)
_DELETE = delete(turns).where(turns.c.id.in_(bindparam("wanted", expanding=True)))


def find_old(connection: Connection, *, days: int) -> list[tuple[int, int]]:
    """(turn, customer) of the oldest exchanges that are past their time, at most ``AT_ONCE``."""
    rows = connection.execute(_OLDEST, {"most": AT_ONCE})
    return [(row[0], row[1]) for row in rows if row[2] < row[3] - days * DAY_MS]


def delete_old(connection: Connection, *, days: int) -> int:
    """Delete the oldest exchanges that are past their time, with a tombstone for each; how many."""
    old = find_old(connection, days=days)
    if not old:
        return 0
    connection.execute(_DELETE, {"wanted": [turn_id for turn_id, _ in old]})
    changes.append_many(
        connection,
        [
            changes.entry(entity=changes.TURN, ref=str(turn_id), customer_id=customer_id, tombstone=True)
            for turn_id, customer_id in old
        ],
    )
    return len(old)
