"""Chats whose messages disappear: known in memory, because every message that goes out asks."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from store import chat_timers
from store.doors import Store


@dataclass(kw_only=True)
class Timers:
    """The timers of one account's chats, in seconds. This process alone writes them."""

    account: str
    store: Store
    _known: dict[str, int] | None = field(default=None, init=False)
    _written: dict[str, int] = field(default_factory=dict, init=False)

    async def of(self, chat: str) -> int:
        """After how many seconds messages of the chat disappear; 0: never."""
        return (await self._load()).get(chat, 0)

    async def heard(self, chat: str, timer_s: int | None) -> bool:
        """A message of the chat says so (None: it does not say); whether that is still to be written."""
        known = await self._load()
        if timer_s is None or (timer_s == 0 and chat not in known):
            return False  # As nearly everywhere: nothing disappears there.
        known[chat] = timer_s
        return self._written.get(chat, 0) != timer_s

    def write(self, connection: Connection, chat: str, customer_id: int) -> None:
        """Write what was heard of the chat."""
        timer_s = (self._known or {}).get(chat, 0)
        chat_timers.put(connection, self.account, chat=chat, timer_s=timer_s, customer_id=customer_id)

    def written(self, chat: str) -> None:
        """It is committed."""
        self._written[chat] = (self._known or {}).get(chat, 0)

    async def _load(self) -> dict[str, int]:
        if self._known is None:
            found = await self.store.read(lambda c: chat_timers.all_of(c, self.account))
            # Two may have read it at once; what one of them has heard since is newer.
            self._known = self._known or dict(found)
            self._written = self._written or dict(found)
        return self._known
