"""Edits: changes to the shop's files, each shown to an admin, made on his word, and undone by another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from store.schema import edits, now_ms

# The bytes of files are kept for so long after the word was spoken; afterwards nothing can be undone.
UNDO_MS = 7 * 24 * 60 * 60 * 1000


class Kind(StrEnum):
    """What is changed."""

    ROW = "row"  # cells of one row of the catalogue
    FILE = "file"  # a whole file
    ENTRY = "entry"  # one FAQ entry of those that were learnt in the chat


class State(StrEnum):
    """Where the edit stands."""

    OFFERED = "offered"  # shown; nothing is changed yet
    APPLIED = "applied"  # the file is changed
    DECLINED = "declined"  # an admin said no
    UNDONE = "undone"  # the file is as it was before


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEdit:
    """An edit to be shown. ``detail`` is JSON, its keys by kind."""

    account: str
    kind: Kind
    target: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    before: bytes | None = None
    after: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """An edit as it is stored."""

    id: int
    kind: Kind
    state: State
    target: str
    detail: Mapping[str, Any]
    before: bytes | None
    after: bytes | None


_COLUMNS = select(
    edits.c.id,
    edits.c.kind,
    edits.c.state,
    edits.c.target,
    edits.c.detail,
    edits.c.before,
    edits.c.after,
)


def offer(connection: Connection, edit: NewEdit, *, outbox_id: int) -> int:
    """Store what the notice shows; the new edit's id."""
    return _add(connection, edit, State.OFFERED, outbox_id=outbox_id)


def applied(connection: Connection, edit: NewEdit) -> int:
    """Store a change that is made already, so that it can be undone; the new edit's id."""
    edit_id = _add(connection, edit, State.APPLIED)
    connection.execute(update(edits).where(edits.c.id == edit_id).values(decided_ms=now_ms()))
    return edit_id


def _add(connection: Connection, edit: NewEdit, state: State, *, outbox_id: int | None = None) -> int:
    # Files are large; what can no longer be undone needs none.
    connection.execute(
        update(edits)
        .where(edits.c.account == edit.account, edits.c.created_ms < now_ms() - UNDO_MS)
        .values(before=None, after=None)
    )
    added = connection.execute(
        insert(edits)
        .values(
            account=edit.account,
            outbox_id=outbox_id,
            kind=edit.kind.value,
            state=state.value,
            target=edit.target,
            detail=json.dumps(edit.detail, ensure_ascii=False),
            before=edit.before,
            after=edit.after,
            created_ms=now_ms(),
        )
        .returning(edits.c.id)
    )
    return int(added.scalar_one())


def of_notice(connection: Connection, account: str, outbox_id: int) -> Edit | None:
    """The edit that the notice shows; None when it shows none."""
    row = connection.execute(
        _COLUMNS.where(edits.c.account == account, edits.c.outbox_id == outbox_id)
    ).first()
    return None if row is None else _edit(row)


def newest_applied(connection: Connection, account: str) -> Edit | None:
    """The change that was made last and is not undone; None when there is none that still can be."""
    row = connection.execute(
        _COLUMNS.where(
            edits.c.account == account,
            edits.c.state == State.APPLIED.value,
            edits.c.created_ms >= now_ms() - UNDO_MS,
        )
        .order_by(edits.c.decided_ms.desc(), edits.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else _edit(row)


def move(connection: Connection, edit_id: int, *, to: State, was: State) -> bool:
    """Move the edit on; False when it does not stand where the caller believes."""
    moved = (
        update(edits)
        .where(edits.c.id == edit_id, edits.c.state == was.value)
        .values(state=to.value, decided_ms=now_ms())
    )
    return connection.execute(moved).rowcount == 1


def _edit(row: Sequence[Any]) -> Edit:
    return Edit(
        id=row[0],
        kind=Kind(row[1]),
        state=State(row[2]),
        target=row[3],
        detail=json.loads(row[4]),
        before=None if row[5] is None else bytes(row[5]),
        after=None if row[6] is None else bytes(row[6]),
    )
