"""A person's answer: quoting a notice about a question sends these words to the customer."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.relay import relay
from bot.room.command import Quote, Request
from bot.room.parts import RoomParts
from store import handoffs


class Answers:
    """Quoting 🔔 and its kin."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.quotes = (Quote(kind=handoffs.HANDOFF_NOTICE, act=self.send),)

    def send(self, connection: Connection, request: Request) -> str | None:
        p = self._p
        handoff = handoffs.of_notice(connection, request.notice)
        if handoff is None:
            return p.wording.say("admin_tidak_ada_lagi")
        name, _ = p.people.label(connection, handoff.customer_id, handoff.customer_name)
        if not relay(connection, p.people, handoff, request.text):
            return p.wording.say("admin_sudah_dijawab", nama=name)
        return p.wording.say("admin_terkirim", nama=name)
