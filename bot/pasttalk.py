"""The chats from before the pairing as a teacher: asked for once, read here, offered as FAQ entries.

Whether that may be is the owner's to say. Until he has, the words lie unread for a few days at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy import Connection

from bot.people import People
from rag.frequent import Exchange, Frequent, frequent
from rag.retrieval import faq_that_fits, query_from
from store import handoffs, meta, past_chats, past_questions
from store.doors import Store
from store.memory.index import MemoryIndex

log = structlog.get_logger(__name__)

# Who says nothing for so long has not agreed.
ASKED_FOR_S = 3 * 24 * 60 * 60
_PASSAGES = 2
# How many are looked at: some of them the shop's FAQ may answer already.
_LOOKED_AT = 60


class Consent(StrEnum):
    """What the owner said."""

    ASKED = "asked"  # nothing yet; the moment stands behind it
    YES = "yes"  # the questions are to be looked for
    NO = "no"  # the words are to go
    DONE = "done"  # the questions were offered, or there are none


@dataclass(frozen=True, kw_only=True, slots=True)
class PastTalk:
    """Asks for leave, offers what it finds, and forgets in time."""

    store: Store
    people: People
    memory: MemoryIndex
    days: int  # that the words are kept; 0: never
    has_words: Callable[[], bool]
    exchanges: Callable[[], list[Exchange]]
    forget: Callable[[int], int]  # words older than so many days; how many files

    async def look(self) -> None:
        """Do what is due; called every few seconds."""
        if self.days == 0 or self.people.room.chat is None:
            return
        consent, since = await self.store.read(self._consent)
        if consent is None:
            await self._ask()
        elif consent is Consent.ASKED and time.time() - since > ASKED_FOR_S:
            await self.store.write(lambda c: answer(c, self._account, Consent.NO))
        elif consent is Consent.YES:
            await self._offer()
        elif consent is Consent.NO and await asyncio.to_thread(self.has_words):
            await asyncio.to_thread(self.forget, 0)

    def tidy(self) -> int:
        """Remove words whose time is over; how many files. Blocks."""
        return self.forget(self.days)

    @property
    def _account(self) -> str:
        return self.people.room.account

    def _consent(self, connection: Connection) -> tuple[Consent | None, float]:
        word, _, since = (meta.get(connection, _key(self._account)) or "").partition(" ")
        return (Consent(word), float(since or 0)) if word else (None, 0.0)

    async def _ask(self) -> None:
        if not await self.store.read(lambda c: past_chats.is_told(c, self._account)):
            return
        if not await asyncio.to_thread(self.has_words):
            await self.store.write(lambda c: answer(c, self._account, Consent.DONE))
            return

        def ask(connection: Connection) -> None:
            answer(connection, self._account, Consent.ASKED, since=time.time())
            body = self.people.wording.say("admin_riwayat_tanya", hari=self.days)
            self.people.notify(connection, body, kind=handoffs.PAST_ASK)

        await self.store.write(ask)

    async def _offer(self) -> None:
        looked = await asyncio.to_thread(lambda: frequent(self.exchanges(), most=_LOOKED_AT))
        news = [one for one in looked if await self._is_news(one)]
        log.info("past_questions", found=len(looked), news=len(news))

        def offer(connection: Connection) -> None:
            answer(connection, self._account, Consent.DONE)
            whose = [(one, past_questions.customer_of(connection, self._account, one.chat)) for one in news]
            known = [(one, customer) for one, customer in whose if customer is not None]
            self._show(connection, known[: past_questions.MOST])

        await self.store.write(offer)

    async def _is_news(self, found: Frequent) -> bool:
        """Whether the shop's FAQ does not answer it already."""
        return faq_that_fits(await self.memory.search(query_from((found.question,)), limit=_PASSAGES)) is None

    def _show(self, connection: Connection, found: list[tuple[Frequent, int]]) -> None:
        say = self.people.wording.say
        for number, (one, customer_id) in enumerate(found, start=1):
            body = say(
                "admin_riwayat_faq",
                nomor=number,
                jumlah=len(found),
                chat=one.chats,
                tanya=one.question,
                jawab=one.answer,
            )
            outbox_id = self.people.notify(connection, body, kind=handoffs.PAST_FAQ, customer_id=customer_id)
            if outbox_id is not None:
                past_questions.add(
                    connection,
                    self._account,
                    customer_id=customer_id,
                    outbox_id=outbox_id,
                    question=one.question,
                    answer=one.answer,
                    chats=one.chats,
                )
        last = say("admin_riwayat_semua", jumlah=len(found)) if found else say("admin_riwayat_kosong")
        self.people.notify(connection, last, kind=handoffs.ALERT)


def answer(connection: Connection, account: str, consent: Consent, *, since: float = 0) -> None:
    """Write down what the owner said."""
    meta.put(connection, _key(account), f"{consent.value} {since:.0f}")


def is_asked(connection: Connection, account: str) -> bool:
    """Whether his word is still waited for."""
    return (meta.get(connection, _key(account)) or "").startswith(Consent.ASKED.value)


def _key(account: str) -> str:
    return f"past_talk:{account}"
