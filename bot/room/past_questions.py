"""Questions from old chats: leave to look for them, and each as an FAQ entry: *ya*, *tidak*, *ya semua*."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Connection

from bot import learning, pasttalk
from bot.learning import Entry
from bot.pasttalk import Consent
from bot.room.command import NO, THUMB_DOWN, THUMB_UP, YES, Command, Quote, Request
from bot.room.parts import RoomParts
from store import edits, handoffs, past_questions
from store.edits import Kind, NewEdit
from store.past_questions import PastQuestion, State

log = structlog.get_logger(__name__)


class PastQuestions:
    """Quoting 📚 and 💡 of old chats, and *ya semua* for all that are still open."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        thumbs = {THUMB_UP: "ya", THUMB_DOWN: "tidak"}
        self.quotes = (
            Quote(kind=handoffs.PAST_ASK, act=self.agree, bare=YES | NO, reactions=thumbs),
            Quote(kind=handoffs.PAST_FAQ, act=self.settle, prepare=self.write, reactions=thumbs),
        )
        self.commands = (
            Command(words=("ya semua", "simpan semua"), act=self.settle_all, prepare=self.write_all),
        )

    def agree(self, connection: Connection, request: Request) -> str | None:
        """Whether old chats may be read."""
        if not request.means(YES | NO):
            return None
        if not pasttalk.is_asked(connection, self._p.account):
            return ""
        yes = request.means(YES)
        pasttalk.answer(connection, self._p.account, Consent.YES if yes else Consent.NO)
        return self._p.wording.say("admin_riwayat_cari" if yes else "admin_riwayat_dihapus")

    async def write(self, request: Request) -> str:
        """Write the entry before the offer is marked: twice gives the same file. What went wrong."""
        found = await self._p.store.read(lambda c: self._quoted(c, request))
        if found is None or found.state is not State.OFFERED or not request.means(YES):
            return ""
        return await self._written([found])

    def settle(self, connection: Connection, request: Request) -> str | None:
        say = self._p.wording.say
        if request.prepared:
            return say("admin_gagal_simpan", sebab=request.prepared)
        found = self._quoted(connection, request)
        if found is None or not request.means(YES | NO):
            return None
        saved = request.means(YES)
        if not past_questions.move(connection, found.id, to=State.SAVED if saved else State.DECLINED):
            return ""
        if saved:
            edits.applied(connection, self._edit([found]))
        return say("admin_faq_tersimpan" if saved else "admin_faq_batal")

    async def write_all(self, request: Request) -> list[PastQuestion] | str:
        """Those that are written now; what went wrong."""
        found = await self._p.store.read(lambda c: past_questions.offered(c, self._p.account))
        return await self._written(found) or found

    def settle_all(self, connection: Connection, request: Request) -> str | None:
        if isinstance(request.prepared, str):
            return self._p.wording.say("admin_gagal_simpan", sebab=request.prepared)
        written = request.prepared if isinstance(request.prepared, list) else []
        moved = [one for one in written if past_questions.move(connection, one.id, to=State.SAVED)]
        if not moved:
            return None
        edits.applied(connection, self._edit(moved))
        return self._p.wording.say("admin_riwayat_tersimpan", jumlah=len(moved))

    def _quoted(self, connection: Connection, request: Request) -> PastQuestion | None:
        if request.notice is None or request.notice.outbox_id is None:
            return None
        return past_questions.of_notice(connection, self._p.account, request.notice.outbox_id)

    def _edit(self, saved: list[PastQuestion]) -> NewEdit:
        return NewEdit(
            account=self._p.account,
            kind=Kind.ENTRY,
            target=learning.FILE_NAME,
            detail={"entries": [one.entry_id for one in saved]},
        )

    async def _written(self, found: list[PastQuestion]) -> str:
        entries = [Entry(id=one.entry_id, question=one.question, answer=one.answer) for one in found]
        try:
            await asyncio.to_thread(learning.learn_all, self._p.data_dir, entries)
        except learning.LearningError as exc:
            log.warning("not_learned", entries=len(entries), reason=str(exc))
            return str(exc)
        return ""
