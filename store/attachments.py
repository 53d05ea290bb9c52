"""Files of outgoing messages: committed with the outbox row, so that a crash loses neither."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select

from store.schema import attachments, media, now_ms, outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A file to send. ``filename`` is what the customer reads and saves it under."""

    data: bytes
    filename: str
    mimetype: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """The file of one outbox row: its bytes, or the name under which one that somebody sent is stored."""

    filename: str
    mimetype: str
    data: bytes | None
    path: str | None


_INSERT = insert(attachments)
_GET = (
    select(attachments.c.filename, attachments.c.mimetype, attachments.c.data, media.c.path)
    .select_from(attachments.outerjoin(media, media.c.id == attachments.c.media_id))
    .where(attachments.c.outbox_id == bindparam("row"))
)


def attach(connection: Connection, outbox_id: int, document: Document) -> None:
    """Give the outbox row its file."""
    connection.execute(
        _INSERT,
        {
            "outbox_id": outbox_id,
            "filename": document.filename,
            "mimetype": document.mimetype,
            "data": document.data,
            "media_id": None,
        },
    )


def attach_media(
    connection: Connection, outbox_id: int, media_id: int, *, filename: str, mimetype: str
) -> None:
    """Give the outbox row a file that somebody sent; it is read when it is sent."""
    connection.execute(
        _INSERT,
        {
            "outbox_id": outbox_id,
            "filename": filename,
            "mimetype": mimetype,
            "data": None,
            "media_id": media_id,
        },
    )


def get(connection: Connection, outbox_id: int) -> Attachment | None:
    """The row's file; None when it has none, or none any more."""
    row = connection.execute(_GET, {"row": outbox_id}).first()
    return None if row is None else Attachment(filename=row[0], mimetype=row[1], data=row[2], path=row[3])


def drop(connection: Connection, outbox_id: int) -> None:
    """Forget the row's file; one that somebody sent stays stored as his."""
    connection.execute(delete(attachments).where(attachments.c.outbox_id == outbox_id))


def drop_finished(connection: Connection, *, older_than_ms: int) -> int:
    """Forget the files of messages that were done with so long ago; how many."""
    finished = select(outbox.c.id).where(outbox.c.finished_ms <= now_ms() - older_than_ms)
    return int(connection.execute(delete(attachments).where(attachments.c.outbox_id.in_(finished))).rowcount)
