"""Shows the owner a file that a customer sent, in his room, where quoting it acts on it."""

from __future__ import annotations

import mimetypes

from sqlalchemy import Connection

from bot.channel import Media
from bot.message import media_name
from bot.people import People
from store import attachments, customers, handoffs, media
from store.media import Forward, Stored
from store.outbox import Kind, NewMessage, Purpose

# Pictures are seen and voice notes heard in the chat itself; everything else is a file to open.
_KINDS = {Media.IMAGE: Kind.IMAGE, Media.AUDIO: Kind.AUDIO}
# What the owner reads for a reason of ours; what the channel says of a fault is not for people.
_REASONS = (
    ("expired", "sudah kedaluwarsa"),
    (media.TOO_LARGE, "terlalu besar"),
    (media.TOO_MANY, "hari ini terlalu banyak"),
)
_OTHER_REASON = "gagal diunduh"


def forward_media(
    connection: Connection,
    people: People,
    inbox_id: int,
    *,
    caption: str = "",
    kind: str = handoffs.ALERT,
    handoff_id: int | None = None,
    order_id: str | None = None,
) -> bool:
    """Forward the file of an inbox row to the owner's room: now, or as soon as it is fetched.

    ``kind``, ``handoff_id`` and ``order_id`` say what quoting it acts on, as a notice's do. A file that can't
    be fetched is told in words. False when the row brought no file, or there is no room.
    """
    room = people.room
    found = media.of_inbox(connection, inbox_id)
    if found is None or room.chat is None:
        return False
    forward = Forward(
        media_id=found.id,
        transport=room.transport,
        chat=room.chat,
        caption=caption,
        notice_kind=kind,
        handoff_id=handoff_id,
        order_id=order_id,
    )
    if found.is_coming:
        media.forward_later(connection, forward)
    else:
        show(connection, people, found, forward)
    return True


def show(connection: Connection, people: People, found: Stored, forward: Forward) -> None:
    """Queue the file for the room, or the news that there is none."""
    lost = found.path is None
    kind = Kind.TEXT if lost else _KINDS.get(Media(found.kind), Kind.DOCUMENT)
    message = NewMessage(
        account=people.room.account,
        transport=forward.transport,
        chat=forward.chat,
        body=_lost(connection, people, found, forward.caption) if lost else forward.caption,
        purpose=Purpose.NOTICE,
        kind=kind,
        customer_id=found.customer_id,
    )
    outbox_id = handoffs.add_notice(
        connection,
        message,
        kind=forward.notice_kind,
        customer_id=found.customer_id,
        handoff_id=forward.handoff_id,
        order_id=forward.order_id,
    )
    if not lost:
        attachments.attach_media(
            connection, outbox_id, found.id, filename=filename(found), mimetype=found.mimetype
        )


def filename(found: Stored) -> str:
    """The name under which the owner may save the file."""
    return found.filename or f"{found.kind}{mimetypes.guess_extension(found.mimetype) or ''}"


def _lost(connection: Connection, people: People, found: Stored, caption: str) -> str:
    name, number, link = "?", "?", ""
    if found.customer_id is not None:
        customer = customers.get(connection, found.customer_id)
        name, number = people.label(connection, found.customer_id, customer.name if customer else None)
        link = people.link(connection, found.customer_id)
    error = found.error or ""
    reason = next((words for mark, words in _REASONS if mark in error), _OTHER_REASON)
    told = people.wording.say(
        "admin_kiriman_hilang",
        apa=media_name(Media(found.kind)),
        nama=name,
        nomor=number,
        sebab=reason,
        tautan=link,
    )
    return f"{caption}\n{told}".strip()
