"""The customer's rights: a copy of what is kept about him (``bot.data_copy``), and its deletion down to the
files' bytes.

A deletion is asked for in his chat and carried out here, once the last word to him is sent: nothing of him
may be left, the words that confirm it included.

What the law gives him does not wait for anybody: where a person has taken the chat over, or the loop guard
silenced it, he is answered about his data all the same. Where the owner switched the bot off, in the shop or
in this chat, or only practises with it, it says nothing to customers at all: there a person answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, exists, select

from bot.people import People
from store import customers, forgetting, handoffs, media, meta
from store.customers import Address
from store.doors import Store
from store.media_files import MediaFiles
from store.outbox import Purpose
from store.schema import QueueState
from store.schema import outbox as outbox_rows

log = structlog.get_logger(__name__)

CHECK_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasures:
    """Carries out what customers asked for.

    ``forget_past`` removes what was kept of his chats from before the pairing, ``erase`` overwrites in the
    files what was deleted; both block.
    """

    store: Store
    people: People
    files: MediaFiles
    forget_past: Callable[[Iterable[Address]], object]
    erase: Callable[[], None]

    async def carry_out(self) -> None:
        """Delete whoever asked for it and has been told; then the bytes."""
        account = self.people.room.account
        asked, pending = await self.store.read(
            lambda c: (forgetting.asked(c, account), meta.get(c, _unerased(account)))
        )
        for customer_id in asked:
            if await self.store.read(lambda c, who=customer_id: _is_told(c, who)):  # type: ignore[misc] # mypy infers no default
                paths = await self.store.read(lambda c, who=customer_id: media.paths_of(c, who))  # type: ignore[misc] # as above
                addresses = await self.store.read(lambda c, who=customer_id: customers.addresses_of(c, who))  # type: ignore[misc] # as above
                # While it is known which chats are his: after a crash here he is still asked for.
                await asyncio.to_thread(self.forget_past, addresses)
                await self.store.write(lambda c, who=customer_id: self._forget(c, who))  # type: ignore[misc] # as above
                await asyncio.to_thread(self.files.remove, paths)
                pending = "1"
        if pending:
            # A crash between the two leaves the mark, and the next process goes on here.
            await asyncio.to_thread(self.erase)
            await self.store.write(lambda c: meta.put(c, _unerased(account), ""))

    def _forget(self, connection: Connection, customer_id: int) -> None:
        account = self.people.room.account
        _, number = self.people.label(connection, customer_id, None)
        if forgetting.forget(connection, customer_id):
            meta.put(connection, _unerased(account), "1")
            # Without his name, and of his number no more than what tells the owner that it happened.
            body = self.people.wording.say("admin_data_dihapus", nomor=number)
            self.people.notify(connection, body, kind=handoffs.ALERT)
            log.info("customer_erased", customer=customer_id)


def _is_told(connection: Connection, customer_id: int) -> bool:
    """Whether nothing is on its way to him any more."""
    under_way = exists().where(
        outbox_rows.c.customer_id == customer_id,
        outbox_rows.c.finished_ms.is_(None),
        outbox_rows.c.purpose.in_([Purpose.ANSWER.value, Purpose.RELAY.value, Purpose.RIGHT.value]),
        outbox_rows.c.state.in_([QueueState.NEW.value, QueueState.CLAIMED.value]),
    )
    return not connection.execute(select(under_way)).scalar()


def _unerased(account: str) -> str:
    return f"unerased:{account}"
