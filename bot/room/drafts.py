"""Drafts: answers that wait until an admin lets them go, and what the bot would say in practice."""

from __future__ import annotations

from sqlalchemy import Connection

from bot import introduction, trust
from bot.people import People
from bot.relay import offer_faq
from bot.room.command import THUMB_DOWN, THUMB_UP, Quote, Request
from bot.room.parts import RoomParts
from config.wording import Wording
from rag.normalise import search_text
from store import customers, handoffs, outbox, turns
from store.customers import Customer
from store.handoffs import Notice, Reason, State
from store.turns import Author

_SEND = frozenset(("kirim", "ya", "ok", "oke"))
_DROP = frozenset(("buang", "tidak", "jangan", "batal"))


def offer(
    connection: Connection,
    people: People,
    wording: Wording,
    draft_id: int,
    *,
    customer: Customer,
    asked: str,
    turn_id: int | None,
) -> None:
    """Show a held answer to the owner, who lets it go or drops it by quoting this."""
    draft = outbox.held_body(connection, draft_id) or ""
    name, number = people.label(connection, customer.id, customer.name)
    people.notify(
        connection,
        wording.say("admin_draf", nama=name, nomor=number, tanya=asked, jawab=draft),
        kind=handoffs.DRAFT,
        customer_id=customer.id,
        turn_id=turn_id,
        draft_id=draft_id,
    )


def show(
    connection: Connection,
    people: People,
    wording: Wording,
    *,
    customer: Customer,
    asked: str,
    answer: str,
) -> None:
    """Show the owner what the customer would have been answered; nothing is sent to him."""
    name, number = people.label(connection, customer.id, customer.name)
    body = wording.say("admin_latihan", nama=name, nomor=number, tanya=asked, jawab=answer)
    people.notify(connection, body, kind=handoffs.ALERT, customer_id=customer.id)


class Drafts:
    """Quoting ✋: *kirim* or 👍 lets it go, *buang* or 👎 drops it, anything else is sent in its place."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.quotes = (
            Quote(
                kind=handoffs.DRAFT,
                act=self.settle,
                prepare=self.think,
                reactions={THUMB_UP: "kirim", THUMB_DOWN: "buang"},
            ),
        )

    async def think(self, request: Request) -> str | None:
        """How the question is asked for everybody, when the admin's own words are to go out."""
        notice = request.notice
        if notice is None or not request.text or request.means(_SEND | _DROP):
            return None

        def read(connection: Connection) -> tuple[str | None, str | None, str | None]:
            draft = None if notice.draft_id is None else outbox.held_body(connection, notice.draft_id)
            asked = None if notice.turn_id is None else turns.asked(connection, notice.turn_id)
            customer = None if notice.customer_id is None else customers.get(connection, notice.customer_id)
            return draft, asked, None if customer is None else customer.name

        draft, asked, name = await self._p.store.read(read)
        if draft is None or not asked:
            return None
        return await self._p.teacher.wording(asked, request.text, name=name)

    def settle(self, connection: Connection, request: Request) -> str | None:
        p, notice = self._p, request.notice
        if notice is None or notice.draft_id is None:
            return None
        draft = outbox.held_body(connection, notice.draft_id)
        if draft is None:
            return p.wording.say("admin_draf_lewat")
        # The privacy notice may ride on the draft; it goes with whatever is sent instead, or waits.
        topic = trust.topic(_sources(connection, notice.turn_id))
        rider = introduction.rider(p.wording)
        own = draft.removesuffix(rider)
        if request.means(_DROP):
            outbox.release_draft(connection, notice.draft_id, send=False)
            trust.corrected(connection, p.account, topic)
            introduction.not_sent(connection, p.wording, [notice.draft_id])
            return p.wording.say("admin_draf_dibuang")
        replied = own if request.means(_SEND) else request.text
        body = replied if own == draft else replied + rider
        outbox.release_draft(connection, notice.draft_id, send=True, body=body)
        if notice.turn_id is not None:
            turns.answer(
                connection,
                notice.turn_id,
                replied=replied,
                author=Author.BOT if replied == own else Author.HUMAN,
                make_search_text=lambda asked: search_text(f"{asked}\n{replied}"),
            )
        p.say(connection, p.wording.say("admin_draf_terkirim"), customer_id=notice.customer_id)
        if replied == own:
            trust.approved(connection, p.people, topic)
        else:
            trust.corrected(connection, p.account, topic)
            asks = request.prepared if isinstance(request.prepared, str) else None
            self._offer_words(connection, notice, replied, asks)
        return ""

    def _offer_words(self, connection: Connection, notice: Notice, replied: str, asks: str | None) -> None:
        """His own words may be what the bot is to say from now on."""
        people = self._p.people
        chat = outbox.chat_of(connection, notice.draft_id)
        asked = None if notice.turn_id is None else turns.asked(connection, notice.turn_id)
        if notice.customer_id is None or not asked or chat is None:
            return
        handoff_id = handoffs.open_handoff(
            connection,
            account=self._p.account,
            customer_id=notice.customer_id,
            chat=chat,
            question=asked,
            reason=Reason.CORRECTED,
            remind_after_ms=0,
        )
        handoffs.finish(connection, handoff_id, state=State.ANSWERED, answer=replied)
        handoff = handoffs.get(connection, handoff_id)
        if handoff is not None:
            offer_faq(connection, people, handoff, replied, question=asks)


def _sources(connection: Connection, turn_id: int | None) -> tuple[str, ...]:
    return () if turn_id is None else turns.sources(connection, turn_id)
