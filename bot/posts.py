"""The shop's own status posts and broadcasts: kept two days, for "masih ada kak?" under one of them.

They are rows of the inbox like everything that a channel brings, and are read by the channel's own codec.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.channel import Channel, Unreadable
from bot.message import Said
from store import inbox
from store import queue as queues
from store.doors import Store
from store.queue import Queue

# The kind of such a row, and the chat under which all of them stand.
POST = "post"
POSTS = "status@broadcast"
# A status is shown for 24 hours; who comes a day later still means it.
KEPT_MS = 48 * 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Posts:
    """Keeps what the shop posted, and finds it again for a message that quotes it."""

    account: str
    store: Store
    channel: Channel
    queue: Queue
    owner: str

    async def heard(self, said: Said) -> None:
        """Nothing is to be done about a post: its row keeps it."""
        await self.store.write(lambda c: queues.finish(c, self.queue, said.row_ids, owner=self.owner))

    async def context_of(self, said: Said) -> str:
        """What the message refers to: words that it brings along, else those of the post that it quotes."""
        quoted = said.last.quoted_id
        if said.context or quoted is None:
            return said.context
        return await self.store.read(lambda c: self._text(c, quoted))

    def _text(self, connection: Connection, message_id: str) -> str:
        row = inbox.find(connection, self.account, chat=POSTS, message_id=message_id, kind=POST)
        if row is None:
            return ""
        try:
            return self.channel.parse(row).text
        except Unreadable:
            return ""
