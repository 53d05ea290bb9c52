"""Practice: an admin asks as a customer would, and sees what a customer would read. Nothing of it is kept."""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime

from sqlalchemy import Connection

from bot import modes
from bot.decision import ACKNOWLEDGEMENT
from bot.room.command import Command, Request, Takes
from bot.room.parts import RoomParts
from bot.rules import Rule, rule_for
from config.settings import Mode
from rag.answering import NOTHING_SPENT, Outcome, Question, Reply
from store import usage
from store.handoffs import Reason
from store.turns import Author, Turn
from store.usage import Reservation

# Nobody's id: no customer's memory is asked, and the day's costs have a row of their own.
NOBODY = -1
MOST_TURNS = 8
_RULES = {
    Rule.GREETING: "salam",
    Rule.SALAM: "salam_islam",
    Rule.BOT: "bot",
    Rule.PRIVACY: "privasi",
    Rule.EXPORT: "ekspor_data",
    Rule.ERASE: "hapus_data_tanya",
    Rule.ERASE_NOW: "hapus_data",
}
_PROMISES = {
    Outcome.UNKNOWN: Reason.UNKNOWN,
    Outcome.HUMAN: Reason.ASKED,
    Outcome.TROUBLE: Reason.TROUBLE,
}


class Trial:
    """*coba …*, and before the first *mulai* everything that is no command."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        # Forgotten at a restart; a trial is no conversation with anybody.
        self._recent: deque[Turn] = deque(maxlen=MOST_TURNS)
        self.commands = (
            Command(
                words=("coba",),
                act=self.tell,
                prepare=self._try_command,
                takes=Takes.SOMETHING,
                help_sentence="admin_bantuan_coba",
            ),
            Command(words=("",), act=self.tell, prepare=self._try_everything, takes=Takes.MAYBE),
        )

    async def _try_command(self, request: Request) -> str | None:
        # As he typed it: case and marks are part of the question.
        return await self.answer(request.text.partition(" ")[2].strip())

    async def _try_everything(self, request: Request) -> str | None:
        """Before the shop has begun there is nobody else whom the admin could mean."""
        if request.message.file is not None:
            return None
        mode = await self._p.store.read(
            lambda c: modes.current(c, self._p.account, configured=self._p.configured_mode)
        )
        return await self.answer(request.text) if mode is Mode.NEW else None

    def tell(self, connection: Connection, request: Request) -> str | None:
        if not isinstance(request.prepared, str):
            return None
        return self._p.wording.say("admin_coba", jawab=request.prepared)

    async def answer(self, asked: str) -> str:
        """What a customer would be answered."""
        rule = rule_for(asked)
        if rule is Rule.ADMIN:
            return self._promised(Reason.ASKED)
        if rule in (Rule.THANKS, Rule.NOTHING):
            return ACKNOWLEDGEMENT
        replied = self._p.wording.say(_RULES[rule]) if rule is not None else await self._by_knowledge(asked)
        self._recent.append(
            Turn(
                id=len(self._recent) + 1,
                asked=asked,
                replied=replied,
                author=Author.BOT,
                created_ms=int(time.time() * 1000),
            )
        )
        return replied

    async def _by_knowledge(self, asked: str) -> str:
        p = self._p
        question = Question(customer_id=NOBODY, message=asked, recent=tuple(self._recent))
        wanted = Reservation(
            account=p.account,
            day=datetime.now(p.shop.zona_waktu).date().isoformat(),
            customer_id=NOBODY,
            amount_idr=p.answerer.most_cost_idr(),
        )
        if not await p.store.write(lambda c: usage.reserve(c, wanted, p.budget)):
            return self._said(await p.answerer.answer_without_model(question))
        spent = NOTHING_SPENT
        try:
            reply = await p.answerer.answer(question)
            spent = reply.spent
        finally:
            await p.store.write(lambda c: usage.settle(c, wanted, spent))
        return self._said(reply)

    def _said(self, reply: Reply) -> str:
        reason = _PROMISES.get(reply.outcome)
        return reply.text if reason is None else self._promised(reason)

    def _promised(self, reason: Reason) -> str:
        note = self._p.wording.say("admin_coba_butuh_orang")
        return f"{self._p.people.promise(reason)}\n\n{note}"
