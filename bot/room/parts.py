"""What every part of the owner's room works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from bot.chats import ChatWords
from bot.digest import Digest
from bot.people import People
from bot.selling.desk import OrderDesk
from bot.teaching import Teacher
from config.settings import Mode
from config.shop import Shop
from config.wording import Wording
from rag.answering import Answerer
from store import outbox
from store.doors import Store
from store.outbox import NewMessage, Purpose
from store.queue import Queue
from store.usage import Budget


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomParts:
    """What the owner's room is built from."""

    store: Store
    queue: Queue
    owner: str
    people: People
    shop: Shop
    wording: Wording
    configured_mode: Mode
    budget: Budget
    digest: Digest
    chats: ChatWords
    desk: OrderDesk
    data_dir: Path
    answerer: Answerer
    teacher: Teacher
    fetch: Callable[[Row[Any]], Awaitable[bytes]]  # the file of an inbox row
    most_file_bytes: int
    claim_room: Callable[[Connection, str], None]  # this chat is the room from now on
    notes: Callable[[], str]  # what is switched off for want of a setting, for `status`

    @property
    def account(self) -> str:
        return self.people.room.account

    def say(self, connection: Connection, body: str, *, customer_id: int | None = None) -> None:
        """The outcome of a command, in the room; ``customer_id`` is whose deletion takes it along."""
        room = self.people.room
        if room.chat is None:
            return
        message = NewMessage(
            account=room.account,
            transport=room.transport,
            chat=room.chat,
            body=body,
            purpose=Purpose.COMMAND,
            customer_id=customer_id,
        )
        outbox.add(connection, message)
