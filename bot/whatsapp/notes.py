"""What the connection learns and must not forget, written into the store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import Connection

from bot import linked, standing
from bot.lateness import Lateness, lateness
from bot.linked import Linked
from bot.whatsapp import jids
from bot.whatsapp.codec import Undecryptable
from bot.whatsapp.forgotten import Forgotten
from bot.whatsapp.machine import Standing
from store import customers, past_chats, resends, undecryptable
from store.customers import Address
from store.doors import Store
from store.errors import StoreError
from store.past_chats import PastChat
from store.queue import outbox_queue

log = structlog.get_logger(__name__)

TRANSPORT = "whatsapp"

# A shop may have thousands of chats; nobody's answer waits for all of them at once.
CHATS_AT_ONCE = 100


class Notes(Protocol):
    """Where it is written down. No method raises: nothing hangs on a single note."""

    async def begin(self) -> Linked:
        """What is known from earlier processes."""
        ...

    async def state(self, now: Standing) -> None:
        """The state changed; called in order."""
        ...

    async def paired(self) -> Linked | None:
        """A phone accepted this device; None when that could not be written."""
        ...

    async def number(self, number: str) -> Linked | None:
        """It is logged in as this number; None when that could not be written."""
        ...

    async def undecryptable(self, found: Undecryptable) -> None:
        """A message came that could not be read."""
        ...

    async def forgotten(self, found: Forgotten) -> None:
        """A customer's phone asks for an answer that it could not read, and the library has it no more."""
        ...

    async def past(self, chats: Sequence[PastChat]) -> None:
        """The phone told of chats from before."""
        ...

    def outage(self, seconds: float) -> None:
        """On the journal's thread: the database takes messages again after so long."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredNotes:
    """The notes of one account."""

    store: Store
    account: str
    pause_s: float  # how long the bot is silent after a person's words

    async def begin(self) -> Linked:
        return await self.store.read(lambda c: linked.read(c, self.account))

    async def state(self, now: Standing) -> None:
        await self._write(
            f"state {now.state.value}",
            lambda c: standing.write(
                c, self.account, state=now.state, detail=now.detail, until_ms=now.until_ms
            ),
        )

    async def paired(self) -> Linked | None:
        return await self._noted("paired", lambda c: linked.note_paired(c, self.account))

    async def number(self, number: str) -> Linked | None:
        return await self._noted("number", lambda c: linked.note_number(c, self.account, number))

    async def undecryptable(self, found: Undecryptable) -> None:
        await self._write("undecryptable", lambda c: self._note_undecryptable(c, found))

    async def forgotten(self, found: Forgotten) -> None:
        await self._write("forgotten", lambda c: self._send_again(c, found))

    async def past(self, chats: Sequence[PastChat]) -> None:
        for start in range(0, len(chats), CHATS_AT_ONCE):
            some = chats[start : start + CHATS_AT_ONCE]
            await self._write("past chats", partial(past_chats.note, account=self.account, found=some))

    def outage(self, seconds: float) -> None:
        log.error("database_was_away", seconds=round(seconds, 1))
        with contextlib.suppress(StoreError):
            self.store.record(lambda c: standing.note_outage(c, self.account, seconds))

    def _note_undecryptable(self, connection: Connection, found: Undecryptable) -> None:
        now_ms = int(time.time() * 1000)
        if lateness(found.sent_ms, now_ms=now_ms) is Lateness.TOO_LATE:
            return
        customer, _ = customers.resolve(connection, self.account, found.addresses, name=found.name)
        if found.own:
            # What a person wrote from the shop's phone takes the chat over, whether we can read it or not.
            left_ms = int(self.pause_s * 1000) - max(0, now_ms - (found.sent_ms or now_ms))
            if left_ms > customer.silent_ms:
                customers.keep_silent(connection, customer.id, for_ms=left_ms, reason=customers.HUMAN)
            customers.human_wrote(connection, customer.id)
            return
        undecryptable.note(
            connection,
            self.account,
            chat=found.chat,
            message_id=found.message_id,
            customer_id=customer.id,
        )

    def _send_again(self, connection: Connection, found: Forgotten) -> None:
        user, server = jids.split(found.chat)
        row = resends.send_again(
            connection,
            outbox_queue(self.account, TRANSPORT),
            address=Address(server, user),
            provider_id=found.message_id,
        )
        log.info("sent_again", message_id=found.message_id, row=row)

    async def _noted(self, what: str, job: Callable[[Connection], Linked]) -> Linked | None:
        try:
            return await self.store.write(job)
        except StoreError as exc:
            log.warning("not_noted", what=what, reason=str(exc))
            return None

    async def _write(self, what: str, job: Callable[[Connection], None]) -> None:
        try:
            await self.store.write(job)
        except StoreError as exc:
            log.warning("not_noted", what=what, reason=str(exc))
