"""A person's answer: quoting a notice about a question sends these words, or this file, to the customer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.relay import Enclosed, follow, is_learnt, offer_faq, relay
from bot.room.albums import Albums
from bot.room.command import Quote, Request
from bot.room.fetching import FileRefused, enclosed
from bot.room.parts import RoomParts
from store import handoffs
from store.handoffs import State


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What goes along with the words."""

    enclosed: Enclosed | None = None
    faq_question: str | None = None


class Answers:
    """Quoting 🔔 and its kin."""

    def __init__(self, parts: RoomParts, albums: Albums) -> None:
        self._p = parts
        self._albums = albums
        self.quotes = (
            Quote(kind=handoffs.HANDOFF_NOTICE, act=self.send, prepare=self.think, takes_files=True),
        )

    async def think(self, request: Request) -> _Answer | str | None:
        """What the answer needs before it is sent: its file, or how its question is asked for everybody.

        A sentence when the file cannot be had.
        """
        handoff = await self._p.store.read(lambda c: handoffs.of_notice(c, request.notice))
        if handoff is None or (handoff.state is not State.OPEN and not self._albums.goes_on(request)):
            return None  # Nobody waits for it any more.
        try:
            file = await enclosed(self._p, request)
        except FileRefused as exc:
            return self._p.wording.say("admin_berkas_belum_terkirim", sebab=str(exc))
        if not is_learnt(handoff, file):
            return _Answer(enclosed=file)
        asks = await self._p.teacher.wording(handoff.question, request.text, name=handoff.customer_name)
        return _Answer(enclosed=file, faq_question=asks)

    def send(self, connection: Connection, request: Request) -> str | None:
        p = self._p
        if isinstance(request.prepared, str):
            return request.prepared
        handoff = handoffs.of_notice(connection, request.notice)
        if handoff is None:
            return p.wording.say("admin_tidak_ada_lagi")
        name, _ = p.people.label(connection, handoff.customer_id, handoff.customer_name)
        answer = request.prepared if isinstance(request.prepared, _Answer) else _Answer()
        file = answer.enclosed
        is_first = relay(connection, p.people, handoff, request.text, enclosed=file)
        if not is_first:
            if file is None or not self._albums.goes_on(request):
                return p.wording.say("admin_sudah_dijawab", nama=name)
            follow(connection, p.people, handoff, file)
        if file is not None:
            self._albums.begins(request)
        p.say(connection, p.wording.say("admin_terkirim", nama=name), customer_id=handoff.customer_id)
        if is_first and is_learnt(handoff, file):
            offer_faq(connection, p.people, handoff, request.text, question=answer.faq_question)
        return ""
