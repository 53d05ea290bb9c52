"""A person's answer: quoting a notice about a question sends these words, or this file, to the customer."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.relay import Enclosed, relay
from bot.room.command import Quote, Request
from bot.room.fetching import FileRefused, enclosed
from bot.room.parts import RoomParts
from store import handoffs
from store.handoffs import State


class Answers:
    """Quoting 🔔 and its kin."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.quotes = (
            Quote(kind=handoffs.HANDOFF_NOTICE, act=self.send, prepare=self.fetch, takes_files=True),
        )

    async def fetch(self, request: Request) -> Enclosed | str | None:
        """The file that is the answer; a sentence when it cannot be had."""
        handoff = await self._p.store.read(lambda c: handoffs.of_notice(c, request.notice))
        if handoff is None or handoff.state is not State.OPEN:
            return None  # Nobody waits for it any more.
        try:
            return await enclosed(self._p, request)
        except FileRefused as exc:
            return self._p.wording.say("admin_berkas_belum_terkirim", sebab=str(exc))

    def send(self, connection: Connection, request: Request) -> str | None:
        p, file = self._p, request.prepared
        if isinstance(file, str):
            return file
        handoff = handoffs.of_notice(connection, request.notice)
        if handoff is None:
            return p.wording.say("admin_tidak_ada_lagi")
        name, _ = p.people.label(connection, handoff.customer_id, handoff.customer_name)
        file = file if isinstance(file, Enclosed) else None
        if not relay(connection, p.people, handoff, request.text, file):
            return p.wording.say("admin_sudah_dijawab", nama=name)
        return p.wording.say("admin_terkirim", nama=name)
