"""Files that people sent: what is to be fetched, where it lies, and for how long it is kept.

The table is a queue (``store.queue``): an unfinished row waits to be fetched, a done one has its file, a dead
or dropped one says in ``error`` why there is none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from store.errors import ClaimLost
from store.queue import Queue
from store.schema import QueueState, attachments, forwards, media, now_ms, outbox

TRANSPORT = "media"
# What `error` says of a file that was never asked for.
TOO_LARGE = "too large"
TOO_MANY = "too many"


def media_queue(account: str) -> Queue:
    """The files of one account that are to be fetched; each is a key of its own."""
    return Queue(table=media, account=account, transport=TRANSPORT)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMedia:
    """A file that a recorded message brought. ``keep_ms`` is how long row and file stay."""

    account: str
    inbox_id: int
    chat: str
    customer_id: int
    kind: str
    mimetype: str
    filename: str
    announced_bytes: int
    keep_ms: int
    refused: str | None = None  # why it is not even asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One row as others see it. ``path`` is its name in the folder; None as long as it is not there."""

    id: int
    kind: str
    mimetype: str
    filename: str
    customer_id: int | None
    state: QueueState
    path: str | None
    error: str | None

    @property
    def is_coming(self) -> bool:
        return self.state in (QueueState.NEW, QueueState.CLAIMED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Forward:
    """A file that is to be shown in a chat of the shop's people, and what quoting it acts on."""

    media_id: int
    transport: str
    chat: str
    caption: str
    notice_kind: str
    handoff_id: int | None = None
    order_id: str | None = None


_INSERT = insert(media).returning(media.c.id)
_STORED = select(
    media.c.id,
    media.c.kind,
    media.c.mimetype,
    media.c.filename,
    media.c.customer_id,
    media.c.state,
    media.c.path,
    media.c.error,
)


def add(connection: Connection, new: NewMedia) -> int:
    """Note the file, in the transaction that handles its message; the row's id."""
    row = connection.execute(
        _INSERT.values(
            due_ms=now_ms(),
            created_ms=now_ms(),
            expires_ms=now_ms() + new.keep_ms,
            finished_ms=None if new.refused is None else now_ms(),
        ),
        {
            "account": new.account,
            "transport": TRANSPORT,
            "key": str(new.inbox_id),
            "state": (QueueState.NEW if new.refused is None else QueueState.DROPPED).value,
            "error": new.refused,
            "inbox_id": new.inbox_id,
            "chat": new.chat,
            "customer_id": new.customer_id,
            "kind": new.kind,
            "mimetype": new.mimetype,
            "filename": new.filename,
            "announced_bytes": new.announced_bytes,
        },
    )
    return int(row.scalar_one())


def of_inbox(connection: Connection, inbox_id: int) -> Stored | None:
    """The file of this inbox row; None when it brought none, or none any more."""
    return _stored(connection.execute(_STORED.where(media.c.inbox_id == inbox_id)).first())


def get(connection: Connection, media_id: int) -> Stored | None:
    """The row with this id; None when it is gone."""
    return _stored(connection.execute(_STORED.where(media.c.id == media_id)).first())


def newest(
    connection: Connection, account: str, *, chat: str, kinds: Collection[str], within_ms: int
) -> Stored | None:
    """The newest file of these kinds that came in the chat lately ("sudah transfer ya" after a picture)."""
    found = (
        _STORED.where(
            media.c.account == account,
            media.c.chat == chat,
            media.c.kind.in_(kinds),
            media.c.created_ms >= now_ms() - within_ms,
        )
        .order_by(media.c.id.desc())
        .limit(1)
    )
    return _stored(connection.execute(found).first())


def bytes_of(connection: Connection, customer_id: int, *, within_ms: int) -> int:
    """How much the customer sent lately of what was, or is to be, fetched."""
    size = func.coalesce(media.c.stored_bytes, media.c.announced_bytes)
    found = select(func.coalesce(func.sum(size), 0)).where(
        media.c.customer_id == customer_id,
        media.c.created_ms >= now_ms() - within_ms,
        media.c.state != QueueState.DROPPED.value,
    )
    return int(connection.execute(found).scalar_one())


def _stored(row: Any) -> Stored | None:
    if row is None:
        return None
    return Stored(
        id=row.id,
        kind=row.kind,
        mimetype=row.mimetype,
        filename=row.filename,
        customer_id=row.customer_id,
        state=QueueState(row.state),
        path=row.path,
        error=row.error,
    )


def mark_stored(connection: Connection, media_id: int, *, owner: str, path: str, stored_bytes: int) -> None:
    """The file lies under ``path``. Raises ``ClaimLost`` when the row is no longer ours, or gone."""
    marked = connection.execute(
        update(media)
        .where(media.c.id == media_id, media.c.state == QueueState.CLAIMED.value, media.c.owner == owner)
        .values(
            state=QueueState.DONE.value,
            finished_ms=now_ms(),
            error=None,
            path=path,
            stored_bytes=stored_bytes,
        )
    )
    if marked.rowcount != 1:
        raise ClaimLost(f"row {media_id} of media is no longer claimed by this process")


def forward_later(connection: Connection, forward: Forward) -> None:
    """Show the file there once it is fetched, or say that it can't be."""
    connection.execute(
        insert(forwards),
        {
            "media_id": forward.media_id,
            "transport": forward.transport,
            "chat": forward.chat,
            "caption": forward.caption,
            "notice_kind": forward.notice_kind,
            "handoff_id": forward.handoff_id,
            "order_id": forward.order_id,
        },
    )


def take_forwards(connection: Connection, media_id: int) -> list[Forward]:
    """What waits for this file, oldest first; it is the caller's now."""
    rows = connection.execute(
        select(forwards).where(forwards.c.media_id == media_id).order_by(forwards.c.id)
    ).all()
    connection.execute(delete(forwards).where(forwards.c.media_id == media_id))
    return [
        Forward(
            media_id=row.media_id,
            transport=row.transport,
            chat=row.chat,
            caption=row.caption,
            notice_kind=row.notice_kind,
            handoff_id=row.handoff_id,
            order_id=row.order_id,
        )
        for row in rows
    ]


def expire_of_inbox(connection: Connection, inbox_ids: Sequence[int]) -> None:
    """Whoever sent these files took them back: they are deleted as soon as possible."""
    connection.execute(update(media).where(media.c.inbox_id.in_(inbox_ids)).values(expires_ms=now_ms()))


def delete_expired(connection: Connection, account: str, *, most: int) -> list[str]:
    """Delete rows whose time is over; the names of their files, which are the caller's to remove.

    One that waits to be sent somewhere stays until it is sent.
    """
    waiting = (
        select(attachments.c.media_id)
        .join(outbox, outbox.c.id == attachments.c.outbox_id)
        .where(attachments.c.media_id.is_not(None), outbox.c.finished_ms.is_(None))
    )
    over = connection.execute(
        select(media.c.id, media.c.path)
        .where(
            media.c.account == account,
            media.c.expires_ms <= now_ms(),
            media.c.state != QueueState.CLAIMED.value,
            media.c.id.not_in(waiting),
        )
        .order_by(media.c.id)
        .limit(most)
    ).all()
    _delete(connection, [row[0] for row in over])
    return [row[1] for row in over if row[1] is not None]


def paths_of(connection: Connection, customer_id: int) -> list[str]:
    """The names of the customer's files."""
    found = select(media.c.path).where(media.c.customer_id == customer_id, media.c.path.is_not(None))
    return [str(path) for path in connection.execute(found).scalars()]


def known_paths(connection: Connection, names: Collection[str]) -> set[str]:
    """Which of these names are files of a row, of any account."""
    found = select(media.c.path).where(media.c.path.in_(bindparam("names", expanding=True)))
    return {str(path) for path in connection.execute(found, {"names": list(names)}).scalars()}


def _delete(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(delete(attachments).where(attachments.c.media_id.in_(ids)))
    connection.execute(delete(forwards).where(forwards.c.media_id.in_(ids)))
    connection.execute(delete(media).where(media.c.id.in_(ids)))


def names_of(connection: Connection, customer_id: int) -> list[str]:
    """What the customer sent that is still kept, as he would name it."""
    rows = connection.execute(
        select(media.c.kind, media.c.filename).where(media.c.customer_id == customer_id).order_by(media.c.id)
    ).all()
    return [row[1] or row[0] for row in rows]
