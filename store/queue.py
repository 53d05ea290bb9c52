"""What every queue table can do: claim the head of a key, finish, try again, give up, take back.

All functions run inside ``store.write``. The rule that keeps order: a row may be claimed only when no
earlier row of its key (same account and transport) is NEW or CLAIMED. HELD and PARKED rows let later ones
pass (delivery parks those behind a PARKED one, too).
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, and_, bindparam, exists, or_, select, update

from store.errors import ClaimLost
from store.prepared import Prepared
from store.schema import QueueState, at_most, inbox, now_ms, outbox, owners

# An owner that has not shown a sign of life for this long is gone (three missed heartbeats).
OWNER_TIMEOUT_MS = 30_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """One queue: the rows of ``table`` with this account and transport."""

    table: Table
    account: str
    transport: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """Pauses between attempts: ``first_s`` doubling up to ``most_s``, shortened by up to half at random."""

    attempts: int
    first_s: float = 1.0
    most_s: float = 300.0

    def pause_s(self, attempts: int) -> float:
        """The pause after the given number of failed attempts."""
        longest = min(self.most_s, self.first_s * 2 ** min(attempts - 1, 30))
        return random.uniform(longest / 2, longest)


INBOX_TRANSPORT = "inbox"


def inbox_queue(account: str) -> Queue:
    """Customers' messages of one account; the key is the chat."""
    return Queue(table=inbox, account=account, transport=INBOX_TRANSPORT)


def outbox_queue(account: str, transport: str) -> Queue:
    """What this transport (whatsapp, starsender, alert) has to send for one account; the key is the chat."""
    return Queue(table=outbox, account=account, transport=transport)


@cache
def _heads(table: Table) -> Select[Any]:
    """Ids that may be claimed now, oldest first: NEW, due, and the head of their key."""
    earlier = table.alias("earlier")
    blocked = exists().where(
        earlier.c.account == table.c.account,
        earlier.c.transport == table.c.transport,
        earlier.c.key == table.c.key,
        earlier.c.finished_ms.is_(None),
        earlier.c.id < table.c.id,
        # Not IN, whose list SQLAlchemy writes anew at every execution.
        or_(earlier.c.state == QueueState.NEW.value, earlier.c.state == QueueState.CLAIMED.value),
    )
    return (
        select(table.c.id)
        .where(
            table.c.account == bindparam("in_account"),
            table.c.transport == bindparam("in_transport"),
            table.c.finished_ms.is_(None),
            table.c.state == QueueState.NEW.value,
            table.c.due_ms <= now_ms(),
            ~blocked,
        )
        .order_by(table.c.id)
        .limit(at_most("most"))
    )


@cache
def _some_heads(table: Table) -> Prepared:
    return Prepared(_heads(table))


@cache
def _claim_statement(table: Table) -> Prepared:
    # On PostgreSQL two workers may look at the same heads; each skips what the other has locked.
    # A common table expression is evaluated once; a plain subquery may be evaluated again for every row,
    # which skips its own locks and claims without limit.
    heads = _heads(table).with_for_update(skip_locked=True).cte("heads")
    return Prepared(
        update(table)
        .where(table.c.id.in_(select(heads.c.id)))
        .values(
            state=QueueState.CLAIMED.value,
            owner=bindparam("in_owner"),
            claimed_ms=now_ms(),
            attempts=table.c.attempts + 1,
        )
        .returning(*table.c)
    )


def deaths(row: Row[Any]) -> int:
    """How often the process died over this claimed row: attempts that ended neither well nor in a failure."""
    return int(row.attempts - row.failures - 1)


def has_claimable(connection: Connection, queue: Queue) -> bool:
    """Whether a claim would find something; a cheap read, so that an idle worker never writes."""
    values = {"in_account": queue.account, "in_transport": queue.transport, "most": 1}
    return _some_heads(queue.table).execute(connection, values).first() is not None


def claim(connection: Connection, queue: Queue, *, owner: str, most: int) -> list[Row[Any]]:
    """Claim up to ``most`` heads for ``owner``, oldest first. Each claim counts as an attempt."""
    values = {
        "in_account": queue.account,
        "in_transport": queue.transport,
        "in_owner": owner,
        "most": most,
    }
    rows = _claim_statement(queue.table).execute(connection, values)
    return sorted(rows, key=lambda row: row.id)


@cache
def _unfinished_of_key(table: Table) -> Prepared:
    waiting = exists().where(
        table.c.account == bindparam("in_account"),
        table.c.transport == bindparam("in_transport"),
        table.c.key == bindparam("in_key"),
        table.c.finished_ms.is_(None),
        or_(table.c.state == QueueState.NEW.value, table.c.state == QueueState.CLAIMED.value),
    )
    return Prepared(select(waiting))


def has_unfinished(connection: Connection, queue: Queue, *, key: str) -> bool:
    """Whether a row that is written now would have to wait for an earlier one of its key."""
    values = {"in_account": queue.account, "in_transport": queue.transport, "in_key": key}
    return bool(_unfinished_of_key(queue.table).execute(connection, values).scalar())


@cache
def _following_statement(table: Table) -> Prepared:
    return Prepared(
        select(table)
        .where(
            table.c.account == bindparam("in_account"),
            table.c.transport == bindparam("in_transport"),
            table.c.key == bindparam("in_key"),
            table.c.finished_ms.is_(None),
            table.c.state == QueueState.NEW.value,
            table.c.id > bindparam("after"),
        )
        .order_by(table.c.id)
    )


def following(connection: Connection, queue: Queue, *, key: str, after: int) -> list[Row[Any]]:
    """The unclaimed rows of the key behind a claimed head: what a burst adds to it."""
    values = {
        "in_account": queue.account,
        "in_transport": queue.transport,
        "in_key": key,
        "after": after,
    }
    return _following_statement(queue.table).execute(connection, values).all()


@cache
def _finish_one(table: Table) -> Prepared:
    return Prepared(_finish_statement(table, one=True))


@cache
def _finish_statement(table: Table, *, one: bool) -> Any:
    ours = and_(table.c.state == QueueState.CLAIMED.value, table.c.owner == bindparam("in_owner"))
    # What joined a burst was never claimed; it is behind its head, which must be.
    joined = and_(table.c.state == QueueState.NEW.value, table.c.id > bindparam("head"))
    # Nearly always it is one row, and a list of unknown length is rendered anew each time.
    which = (
        and_(table.c.id == bindparam("head"), ours)
        if one
        else and_(table.c.id.in_(bindparam("ids", expanding=True)), ours | joined)
    )
    return (
        update(table)
        .where(which, table.c.finished_ms.is_(None))
        .values(state=bindparam("in_state"), finished_ms=now_ms(), error=bindparam("in_error"))
    )


def finish(
    connection: Connection,
    queue: Queue,
    ids: Sequence[int],
    *,
    owner: str,
    state: QueueState = QueueState.DONE,
    error: str | None = None,
) -> None:
    """Finish a claimed head (the lowest id) and the rows that joined it, all or none.

    Raises ``ClaimLost`` when one of them is no longer there or no longer ours: whatever was prepared
    for them must then not be committed, so call this first in the transaction that holds the result.
    """
    values = {"head": min(ids), "in_owner": owner, "in_state": state.value, "in_error": error}
    if len(ids) == 1:
        finished = _finish_one(queue.table).execute(connection, values).rowcount
    else:
        statement = _finish_statement(queue.table, one=False)
        finished = connection.execute(statement, {**values, "ids": list(ids)}).rowcount
    if finished != len(ids):
        raise ClaimLost(f"rows {list(ids)} of {queue.table.name} are no longer claimed by this process")


def retry(
    connection: Connection, queue: Queue, row_id: int, *, owner: str, pause_s: float, error: str
) -> None:
    """Give a claimed row that failed back for another attempt after ``pause_s``; its key goes on waiting."""
    table = queue.table
    statement = (
        update(table)
        .where(table.c.id == row_id, table.c.state == QueueState.CLAIMED.value, table.c.owner == owner)
        .values(
            state=QueueState.NEW.value,
            owner=None,
            claimed_ms=None,
            due_ms=now_ms() + int(pause_s * 1000),
            failures=table.c.failures + 1,
            error=error,
        )
    )
    if connection.execute(statement).rowcount != 1:
        raise ClaimLost(f"row {row_id} of {table.name} is no longer claimed by this process")


def take_back_all(connection: Connection, queue: Queue) -> int:
    """Make every claimed row claimable again: for the one owner of an account, at its start."""
    return _take_back(connection, queue, queue.table.c.state == QueueState.CLAIMED.value)


def take_back_dead(connection: Connection, queue: Queue) -> int:
    """Make the claimed rows of silent owners claimable again: for queues that several processes share."""
    table = queue.table
    alive = select(owners.c.instance).where(owners.c.heartbeat_ms >= now_ms() - OWNER_TIMEOUT_MS)
    gone = and_(table.c.state == QueueState.CLAIMED.value, table.c.owner.not_in(alive))
    return _take_back(connection, queue, gone)


def release(connection: Connection, queue: Queue, ids: Collection[int], *, owner: str) -> int:
    """Give claimed rows back unworked (a drain that ran out of time); the attempt is not counted."""
    table = queue.table
    mine = and_(table.c.id.in_(ids), table.c.owner == owner, table.c.state == QueueState.CLAIMED.value)
    return _take_back(connection, queue, mine, attempts=table.c.attempts - 1)


def release_forgotten(
    connection: Connection, queue: Queue, *, owner: str, known: Collection[int], claimed_before_ms: int
) -> int:
    """Give back what the owner claimed at least so long ago and does not know of.

    A claim whose commit seemed to fail may have landed all the same (a connection that breaks in between).
    """
    table = queue.table
    forgotten = and_(
        table.c.state == QueueState.CLAIMED.value,
        table.c.owner == owner,
        table.c.claimed_ms <= now_ms() - claimed_before_ms,
        table.c.id.not_in(known),
    )
    return _take_back(connection, queue, forgotten, attempts=table.c.attempts - 1)


def _take_back(connection: Connection, queue: Queue, which: Any, **values: Any) -> int:
    table = queue.table
    statement = (
        update(table)
        .where(
            table.c.account == queue.account,
            table.c.transport == queue.transport,
            table.c.finished_ms.is_(None),
            which,
        )
        .values(state=QueueState.NEW.value, owner=None, claimed_ms=None, **values)
    )
    return int(connection.execute(statement).rowcount)
