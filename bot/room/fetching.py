"""Files that admins send into the room: fetched whole, within bounds."""

from __future__ import annotations

import asyncio
import mimetypes

import structlog

from bot.channel import FileAway, FileGone, IncomingFile, Media
from bot.media import MAX_FILENAME_CHARS, mimetype_of
from bot.message import clean_line, media_name, shown
from bot.relay import Enclosed
from bot.room.command import Request
from bot.room.parts import RoomParts
from store.attachments import Document
from store.outbox import Kind

log = structlog.get_logger(__name__)

FETCH_TIMEOUT_S = 120.0
# What a phone shows as a picture, and plays as a voice note; everything else is a file to open.
_PICTURES = frozenset(("image/jpeg", "image/png"))
_VOICE = "audio/ogg"
# What goes to a customer as it is; a place, a contact or a sticker does not.
PASSED_ON = frozenset((Media.IMAGE, Media.VIDEO, Media.AUDIO, Media.DOCUMENT))


class FileRefused(Exception):
    """The file is not taken; the text tells the admin why and what to do."""


async def fetched(parts: RoomParts, request: Request) -> bytes:
    """The bytes of the file that the message brought. Raises ``FileRefused``."""
    file = request.message.file
    if file is None or file.size_bytes > parts.most_file_bytes:
        raise FileRefused("berkasnya terlalu besar")
    try:
        data = await asyncio.wait_for(parts.fetch(request.row), FETCH_TIMEOUT_S)
    except (FileGone, FileAway, TimeoutError) as exc:
        log.warning("room_file_not_fetched", reason=str(exc))
        raise FileRefused("berkasnya belum bisa kuambil dari WhatsApp; kirim ulang ya") from exc
    if len(data) > parts.most_file_bytes:
        raise FileRefused("berkasnya terlalu besar")
    return data


async def enclosed(parts: RoomParts, request: Request) -> Enclosed | None:
    """The file as it goes to a customer; None when the message brought none. Raises ``FileRefused``."""
    file = request.message.file
    if file is None:
        return None
    media, mimetype = Media(request.message.kind), mimetype_of(file.mimetype)
    kind = _kind(media, mimetype)
    return Enclosed(
        kind=kind,
        document=Document(
            data=await fetched(parts, request), filename=_filename(file, media, mimetype), mimetype=mimetype
        ),
        # A voice note has no words beside it.
        caption="" if kind is Kind.AUDIO else request.text,
        shown=shown(request.message, request.text),
    )


def _kind(media: Media, mimetype: str) -> Kind:
    if media is Media.IMAGE and mimetype in _PICTURES:
        return Kind.IMAGE
    return Kind.AUDIO if media is Media.AUDIO and mimetype == _VOICE else Kind.DOCUMENT


def _filename(file: IncomingFile, media: Media, mimetype: str) -> str:
    """The name under which the customer may save it."""
    named = clean_line(file.filename, most=MAX_FILENAME_CHARS)
    return named or f"{media_name(media)}{mimetypes.guess_extension(mimetype) or ''}"
