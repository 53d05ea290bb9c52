"""A started bot, and how to wait until it has nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, literal, select

from bot.channel import Channel
from bot.digest import Digest
from bot.intake import IntakeDoor
from bot.media import MediaKeeper
from bot.patience import Patience
from bot.people import People, RoomAddress
from bot.room import OwnersRoom
from store.doors import Store
from store.memory.index import MemoryIndex
from store.queue import Queue
from store.schema import QueueState
from store.worker import Worker

SETTLE_POLL_S = 0.02
# The longest that a piped conversation waits for one answer and its delivery.
SETTLE_TIMEOUT_S = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A started bot, for the process and for benchmarks that look inside."""

    instance: str  # this process in the table of owners
    store: Store
    memory: MemoryIndex
    channel: Channel
    intake: IntakeDoor
    people: People
    owners_room: OwnersRoom
    digest: Digest
    patience: Patience
    inbox: Queue
    outbox: Queue
    inbox_worker: Worker
    outbox_worker: Worker
    media_worker: Worker
    media: MediaKeeper
    background: dict[str, Coroutine[Any, Any, None]]

    @property
    def room(self) -> RoomAddress:
        return self.people.room

    async def settled(self, chat: str | None) -> None:
        """Wait until nothing of the chat (None: of the whole account) is unfinished."""
        await self._nothing_left((self.inbox, self.outbox), chat, timeout_s=SETTLE_TIMEOUT_S)

    async def delivered(self, timeout_s: float) -> None:
        """Wait until every committed answer is sent."""
        await self._nothing_left((self.outbox,), None, timeout_s=timeout_s)

    async def _nothing_left(self, found: tuple[Queue, ...], chat: str | None, *, timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            # Polled, because rows of other processes set no event.
            while await self.store.read(lambda c: _has_unfinished(c, found, chat)):  # noqa: ASYNC110 - above
                await asyncio.sleep(SETTLE_POLL_S)


def _has_unfinished(connection: Connection, found: tuple[Queue, ...], chat: str | None) -> bool:
    for queue in found:
        table = queue.table
        waiting = exists().where(
            table.c.account == queue.account,
            table.c.transport == queue.transport,
            table.c.finished_ms.is_(None),
            table.c.state.not_in([QueueState.HELD.value, QueueState.PARKED.value]),
            literal(True) if chat is None else table.c.key == chat,
        )
        if connection.execute(select(waiting)).scalar():
            return True
    return False
