"""Customers' files: noted with their message, fetched in the background, kept for a while, then deleted.

No answer ever waits for a file. What is noted survives a crash; a file that can't be had says why.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from bot import forwarding
from bot.channel import Channel, FileAway, FileGone, IncomingFile, Unreadable
from bot.message import Said, clean_line
from bot.people import People
from store import attachments, inbox, media, worker
from store import queue as queues
from store.customers import Customer
from store.doors import Store
from store.errors import ClaimLost
from store.media import NewMedia
from store.media_files import MediaFiles

log = structlog.get_logger(__name__)

DAY_MS = 24 * 60 * 60 * 1000
# What may be looked at once is not kept for longer than it takes a person to look.
VIEW_ONCE_MS = DAY_MS
TIDY_EVERY_S = 60.0
ORPHANS_EVERY_S = 3600.0
_AT_ONCE = 100
# So many of the largest allowed size a customer may send a day.
LARGE_FILES_A_DAY = 20
# A file that is larger than its message says lies whole in Go's memory before anybody can measure it.
CRASHES_FORGIVEN = 2
# The database needs room more urgently than files.
LEAST_FREE_BYTES = 512 * 1024 * 1024
FULL_DISK_PAUSE_S = 600.0
MAX_FILENAME_CHARS = 120
_MIMETYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}")
_LARGEST = 2**62  # what a sender claims may be more than a database holds


@dataclass(kw_only=True)
class MediaKeeper:
    """Notes, fetches and deletes the files of one account."""

    account: str
    store: Store
    channel: Channel
    files: MediaFiles
    owner: str
    people: People
    max_bytes: int
    days: int
    # Something may have been noted since anybody asked; the worker is woken for it.
    has_news: bool = field(default=False, init=False)
    _orphans_due: float = field(default=0.0, init=False)

    def note(self, connection: Connection, said: Said, customer: Customer) -> None:
        """Note the files of these messages, in the transaction that handles them."""
        for row, message in zip(said.message_rows, said.messages, strict=True):
            if message.file is not None:
                self.has_news = True
                media.add(
                    connection,
                    NewMedia(
                        account=self.account,
                        inbox_id=row.id,
                        chat=message.chat,
                        customer_id=customer.id,
                        kind=message.kind,
                        mimetype=mimetype_of(message.file.mimetype),
                        filename=clean_line(message.file.filename, most=MAX_FILENAME_CHARS),
                        announced_bytes=min(message.file.size_bytes, _LARGEST),
                        keep_ms=self._keep_ms(message.file, message.timer_s),
                        refused=self._refusal(connection, message.file, customer),
                    ),
                )

    async def fetch(self, row: Row[Any]) -> None:
        """The worker's handler: fetch the file of a claimed row and store it."""
        await self.channel.reachable()
        if queues.deaths(row) >= CRASHES_FORGIVEN:
            raise worker.Discard("the process died while it was fetched, again and again")
        if await asyncio.to_thread(self.files.free_bytes) < LEAST_FREE_BYTES:
            raise worker.Retry("the disk is nearly full", after_s=FULL_DISK_PAUSE_S)
        event = await self.store.read(lambda c: inbox.get(c, row.inbox_id))
        if event is None:
            raise worker.Discard("its message is gone")
        try:
            data = await self.channel.fetch(event)
        except (FileGone, Unreadable) as exc:
            raise worker.Discard(str(exc)) from exc
        except FileAway as exc:
            raise worker.Retry(str(exc)) from exc
        if len(data) > self.max_bytes:
            raise worker.Discard(media.TOO_LARGE)
        try:
            name = await asyncio.to_thread(self.files.write, data)
        except OSError as exc:
            raise worker.Retry(f"not stored: {exc.strerror}") from exc
        try:
            await self.store.write(partial(self._stored, row=row, name=name, size=len(data)))
        except ClaimLost:
            # Its customer was deleted meanwhile, and his file with him.
            await asyncio.to_thread(self.files.remove, [name])
            raise

    def tell_of_lost(self, connection: Connection, row: Row[Any], reason: str) -> None:
        """Whoever waits for the file is told that there is none, in the same transaction."""
        self._forward(connection, row.id)

    async def tidy(self) -> None:
        """Delete what has been kept for long enough, and files that no row names."""
        keep_ms = self.days * DAY_MS
        await self.store.write(lambda c: attachments.drop_finished(c, older_than_ms=keep_ms))
        while True:
            names = await self.store.write(lambda c: media.delete_expired(c, self.account, most=_AT_ONCE))
            await self._remove(names)
            if len(names) < _AT_ONCE:
                break
        if time.monotonic() >= self._orphans_due:
            self._orphans_due = time.monotonic() + ORPHANS_EVERY_S
            await self._remove_orphans()

    def _refusal(self, connection: Connection, file: IncomingFile, customer: Customer) -> str | None:
        """Why the file is not fetched; looked at before it is, and what then comes is measured again."""
        if file.size_bytes > self.max_bytes:
            return media.TOO_LARGE
        sent = media.bytes_of(connection, customer.id, within_ms=DAY_MS)
        # One who sends without end must not fill the disk that everybody's messages need.
        return media.TOO_MANY if sent + file.size_bytes > self.max_bytes * LARGE_FILES_A_DAY else None

    def _keep_ms(self, file: IncomingFile, timer_s: int | None) -> int:
        """Days by the setting; less for what its sender wants gone earlier."""
        limits = [self.days * DAY_MS]
        if file.view_once:
            limits.append(VIEW_ONCE_MS)
        if timer_s:
            limits.append(timer_s * 1000)
        return min(limits)

    def _stored(self, connection: Connection, *, row: Row[Any], name: str, size: int) -> None:
        media.mark_stored(connection, row.id, owner=self.owner, path=name, stored_bytes=size)
        self._forward(connection, row.id)

    def _forward(self, connection: Connection, media_id: int) -> None:
        found = media.get(connection, media_id)
        if found is None:
            return
        for forward in media.take_forwards(connection, media_id):
            forwarding.show(connection, self.people, found, forward)

    async def _remove_orphans(self) -> None:
        """A crash between a file and its row leaves the file; so does one between their ends."""
        names = await asyncio.to_thread(self.files.old_names)
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            known = await self.store.read(partial(media.known_paths, names=some))
            await self._remove([name for name in some if name not in known])

    async def _remove(self, names: list[str]) -> None:
        if not names:
            return
        try:
            await asyncio.to_thread(self.files.remove, names)
        except OSError as exc:
            # They are orphans now, and the next look for those finds them.
            log.warning("media_not_removed", files=len(names), reason=exc.strerror)
        else:
            log.info("media_removed", files=len(names))


def mimetype_of(claimed: str) -> str:
    """What the sender says that it is, if that is a type at all: it is told to WhatsApp again."""
    return claimed if _MIMETYPE.fullmatch(claimed) else "application/octet-stream"
