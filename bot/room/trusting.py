"""The offer to go on alone for a kind of answer: *ya* or *tidak*."""

from __future__ import annotations

from sqlalchemy import Connection

from bot import trust
from bot.room.command import NO, THUMB_DOWN, THUMB_UP, YES, Quote, Request
from bot.room.parts import RoomParts
from store import handoffs


class Trusting:
    """Quoting 🎓, or a bare *ya* or *tidak* right after it."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.quotes = (
            Quote(
                kind=handoffs.TRUST,
                act=self.settle,
                bare=YES | NO,
                reactions={THUMB_UP: "ya", THUMB_DOWN: "tidak"},
            ),
        )

    def settle(self, connection: Connection, request: Request) -> str | None:
        notice, say = request.notice, self._p.wording.say
        if notice is None or notice.outbox_id is None or not request.means(YES | NO):
            return None
        topic = trust.of_notice(connection, self._p.account, notice.outbox_id)
        if topic is None:
            return None
        if request.means(NO):
            return say("admin_tetap_magang", jenis=trust.name(topic))
        trust.let_go(connection, self._p.account, topic)
        return say("admin_sendiri", jenis=trust.name(topic))
