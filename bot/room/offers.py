"""The offer to remember a person's answer: *ya* writes the FAQ entry."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from sqlalchemy import Connection

from bot import learning
from bot.room.command import NO, THUMB_DOWN, THUMB_UP, UNDO, YES, Quote, Request
from bot.room.parts import RoomParts
from store import edits, handoffs
from store.edits import Kind, NewEdit
from store.handoffs import Handoff, Learning

log = structlog.get_logger(__name__)


class Offers:
    """Quoting 💡, or a bare *ya* or *tidak* right after it."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.quotes = (
            Quote(
                kind=handoffs.FAQ_OFFER,
                act=self.settle,
                prepare=self.write,
                bare=YES | NO,
                reactions={THUMB_UP: "ya", THUMB_DOWN: "tidak"},
            ),
        )

    async def write(self, request: Request) -> str:
        """Write the FAQ entry before the offer is marked saved: doing it twice gives the same file.

        What went wrong, in a sentence for the owner; empty when all is well.
        """
        if not request.means(YES):
            return ""
        handoff = await self._p.store.read(lambda c: handoffs.of_notice(c, request.notice))
        if handoff is None or handoff.answer is None or handoff.learned is not Learning.OFFERED:
            return ""
        write = partial(
            learning.learn,
            self._p.data_dir,
            entry_id=learning.entry_id(handoff.id),
            question=handoff.faq_question or handoff.question,
            answer=handoff.answer,
        )
        try:
            await asyncio.to_thread(write)
        except learning.LearningError as exc:
            log.warning("not_learned", handoff=handoff.id, reason=str(exc))
            return self._p.wording.say("admin_gagal_simpan", sebab=str(exc))
        return ""

    def settle(self, connection: Connection, request: Request) -> str | None:
        say = self._p.wording.say
        if request.prepared:
            return str(request.prepared)
        if not request.means(YES | NO) or request.notice is None or request.notice.handoff_id is None:
            return None
        learned = Learning.SAVED if request.means(YES) else Learning.DECLINED
        moved = handoffs.set_learned(
            connection, request.notice.handoff_id, learned=learned, was=Learning.OFFERED
        )
        if not moved:
            # The word may be about something that was changed since.
            return None if request.means(UNDO) else ""
        handoff = handoffs.of_notice(connection, request.notice)
        if learned is Learning.SAVED and handoff is not None:
            edits.applied(connection, _written(self._p.account, handoff))
        return say("admin_faq_tersimpan" if learned is Learning.SAVED else "admin_faq_batal")


def _written(account: str, handoff: Handoff) -> NewEdit:
    """What *batal* takes back. The words themselves stay where the customer's deletion reaches them."""
    return NewEdit(
        account=account,
        kind=Kind.ENTRY,
        target=learning.FILE_NAME,
        detail={"entry": learning.entry_id(handoff.id)},
    )
