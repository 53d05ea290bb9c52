"""The owner's room: quoting a notice acts on it; a few Indonesian words run the bot.

Everyone who can write there is an admin; who that is, is the channel's and the settings' affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, func, select, update

from billing.rupiah import format_rupiah
from bot import learning, modes
from bot.channel import OWN, SIGNS, Media
from bot.chats import ChatWords
from bot.message import Said
from bot.people import People
from bot.relay import relay
from bot.selling.desk import OrderDesk
from config.settings import Mode
from config.shop import Shop
from config.wording import Wording
from rag.normalise import normalise, search_text
from store import alerts, customers, handoffs, outbox, turns, usage
from store import queue as queues
from store.customers import Customer
from store.doors import Store
from store.handoffs import Handoff, Learning, Notice
from store.outbox import NewMessage, Purpose
from store.queue import Queue
from store.schema import customers as customers_table
from store.schema import inbox
from store.schema import turns as turns_table
from store.turns import Author
from store.usage import Budget

log = structlog.get_logger(__name__)

# A bare "ya" counts for the newest offer only while the owner still sees it.
BARE_ANSWER_MS = 10 * 60 * 1000
MOST_COMMAND_WORDS = 3
_YES = frozenset(("ya", "iya", "y", "yes", "ok", "oke", "simpan", "setuju"))
_NO = frozenset(("tidak", "tdk", "gak", "ga", "nggak", "enggak", "no", "jangan", "batal"))
_SEND = frozenset(("kirim", "ya", "ok", "oke"))
_DROP = frozenset(("buang", "tidak", "jangan", "batal"))


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomParts:
    """What the owner's room is built from."""

    store: Store
    queue: Queue
    owner: str
    people: People
    shop: Shop
    wording: Wording
    configured_mode: Mode
    budget: Budget
    data_dir: Path
    notes: Callable[[], str]  # what is switched off for want of a setting, for `status`
    chats: ChatWords
    desk: OrderDesk


class OwnersRoom:
    """Handles what admins write. Every command commits its effect and its outcome in one transaction."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self._account = parts.people.room.account

    async def handle(self, said: Said) -> None:
        """Act on one message, then say what came of it."""
        text, quoted = said.text, said.last.quoted_id
        notice = await self._p.store.read(partial(self._notice, quoted=quoted, text=text))
        problem = ""
        if notice is not None and said.media in _NOT_RELAYED:
            # Nobody may think that the customer has got it.
            problem = self._p.wording.say("admin_hanya_teks")
        if notice is not None and notice.kind == handoffs.FAQ_OFFER and _means(text, _YES):
            problem = await self._learn(notice)
        await self._p.store.write(
            partial(self._act, row=said.rows[0], text=text, notice=notice, problem=problem)
        )

    def offer_draft(
        self,
        connection: Connection,
        draft_id: int,
        *,
        customer: Customer,
        asked: str,
        turn_id: int | None,
    ) -> None:
        """Show a held answer to the owner, who lets it go or drops it by quoting this."""
        draft = outbox.held_body(connection, draft_id) or ""
        name, number = self._p.people.label(connection, customer.id, customer.name)
        body = self._p.wording.say("admin_draf", nama=name, nomor=number, tanya=asked, jawab=draft)
        self._p.people.notify(
            connection,
            body,
            kind=handoffs.DRAFT,
            customer_id=customer.id,
            turn_id=turn_id,
            draft_id=draft_id,
        )

    def show_practice(self, connection: Connection, *, customer: Customer, asked: str, answer: str) -> None:
        """Show the owner what the customer would have been answered; nothing is sent to him."""
        name, number = self._p.people.label(connection, customer.id, customer.name)
        body = self._p.wording.say("admin_latihan", nama=name, nomor=number, tanya=asked, jawab=answer)
        self._p.people.notify(connection, body, kind=handoffs.ALERT, customer_id=customer.id)

    def _notice(self, connection: Connection, *, quoted: str | None, text: str) -> Notice | None:
        """What the message is about: the quoted notice, or for a bare yes or no the newest offer."""
        if quoted is not None:
            return handoffs.quoted_notice(connection, self._account, quoted)
        if not _means(text, _YES | _NO):
            return None
        newest = handoffs.newest_notice(connection, self._account, within_ms=BARE_ANSWER_MS)
        return newest if newest is not None and newest.kind == handoffs.FAQ_OFFER else None

    async def _learn(self, notice: Notice) -> str:
        """Write the FAQ entry before the offer is marked saved: doing it twice gives the same file.

        What went wrong, in a sentence for the owner; empty when all is well.
        """
        handoff = await self._p.store.read(lambda c: self._handoff(c, notice))
        if handoff is None or handoff.answer is None or handoff.learned is not Learning.OFFERED:
            return ""
        write = partial(
            learning.learn,
            self._p.data_dir,
            entry_id=learning.entry_id(handoff.id),
            question=handoff.question,
            answer=handoff.answer,
        )
        try:
            await asyncio.to_thread(write)
        except learning.LearningError as exc:
            log.warning("not_learned", handoff=handoff.id, reason=str(exc))
            return self._p.wording.say("admin_gagal_simpan", sebab=str(exc))
        return ""

    def _act(
        self, connection: Connection, *, row: Any, text: str, notice: Notice | None, problem: str
    ) -> None:
        queues.finish(connection, self._p.queue, [row.id], owner=self._p.owner)
        if notice is not None and notice.customer_id is not None:
            # The owner's words about a customer go with him when he is deleted.
            connection.execute(_SET_CUSTOMER, {"row": row.id, "customer": notice.customer_id})
        outcome = problem or self._outcome(connection, text, notice, admin=row.sender)
        if outcome:
            self._say(connection, outcome, notice.customer_id if notice is not None else None)

    def _outcome(self, connection: Connection, text: str, notice: Notice | None, *, admin: str) -> str:
        if not text:
            return ""
        if notice is not None:
            if notice.order_id is not None:
                said = self._p.desk.quoted(connection, notice, text, admin=admin)
                return said if said is not None else self._p.wording.say("admin_perintah")
            match notice.kind:
                case handoffs.HANDOFF_NOTICE:
                    return self._relay(connection, notice, text)
                case handoffs.FAQ_OFFER:
                    return self._settle_offer(connection, notice, text)
                case handoffs.DRAFT:
                    return self._settle_draft(connection, notice, text)
        if (outcome := self._p.chats.act(connection, text)) is not None:
            return outcome
        return self._command(connection, normalise(text).strip(" .!?"))

    def _command(self, connection: Connection, command: str) -> str:
        say = self._p.wording.say
        match command:
            case "status":
                return self._status(connection)
            case "daftar" | "pertanyaan":
                return self._list(connection)
            case "pesanan" | "order" | "orderan":
                return self._p.desk.listed(connection)
            case "berhenti":
                modes.switch(connection, self._account, Mode.OFF)
                return say("admin_berhenti")
            case "mulai":
                modes.switch(connection, self._account, Mode.ON)
                return say("admin_mulai")
        # People also talk to each other in the room; only what looks like a command gets the list of them.
        return say("admin_perintah") if len(command.split()) <= MOST_COMMAND_WORDS else ""

    def _relay(self, connection: Connection, notice: Notice, text: str) -> str:
        """A person's answer to the question of the notice."""
        p = self._p
        handoff = self._handoff(connection, notice)
        if handoff is None:
            return p.wording.say("admin_perintah")
        name, _ = p.people.label(connection, handoff.customer_id, handoff.customer_name)
        if not relay(connection, p.people, handoff, text):
            return p.wording.say("admin_sudah_dijawab", nama=name)
        return p.wording.say("admin_terkirim", nama=name)

    def _settle_offer(self, connection: Connection, notice: Notice, text: str) -> str:
        say = self._p.wording.say
        if not _means(text, _YES | _NO) or notice.handoff_id is None:
            return say("admin_perintah")
        learned = Learning.SAVED if _means(text, _YES) else Learning.DECLINED
        moved = handoffs.set_learned(connection, notice.handoff_id, learned=learned, was=Learning.OFFERED)
        if not moved:
            return ""
        return say("admin_faq_tersimpan" if learned is Learning.SAVED else "admin_faq_batal")

    def _settle_draft(self, connection: Connection, notice: Notice, text: str) -> str:
        """*kirim* lets the draft go, *buang* drops it, anything else is sent in its place."""
        p = self._p
        if notice.draft_id is None:
            return ""
        draft = outbox.held_body(connection, notice.draft_id)
        if draft is None:
            return p.wording.say("admin_draf_lewat")
        # The privacy notice may ride on the draft; it goes with whatever is sent instead, or waits.
        rider = f"\n\n{p.wording.say('pengantar')}"
        own = draft.removesuffix(rider)
        if _means(text, _DROP):
            outbox.release_draft(connection, notice.draft_id, send=False)
            if own != draft and notice.customer_id is not None:
                customers.not_introduced(connection, notice.customer_id)
            return p.wording.say("admin_draf_dibuang")
        replied = own if _means(text, _SEND) else text
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
        return p.wording.say("admin_draf_terkirim")

    def _status(self, connection: Connection) -> str:
        p = self._p
        now = datetime.now(p.shop.zona_waktu)
        midnight_ms = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
        mode = modes.current(connection, self._account, configured=p.configured_mode)
        received = connection.execute(
            select(func.count()).where(
                inbox.c.account == self._account,
                inbox.c.chat != p.people.room.chat,
                inbox.c.kind.not_in(SIGNS),
                # Nor what the shop's people write themselves, or post.
                inbox.c.sender != OWN,
                inbox.c.recorded_ms >= midnight_ms,
            )
        ).scalar_one()
        answered = connection.execute(
            select(func.count())
            .select_from(turns_table.join(customers_table, customers_table.c.id == turns_table.c.customer_id))
            .where(
                customers_table.c.account == self._account,
                turns_table.c.created_ms >= midnight_ms,
                turns_table.c.author == Author.BOT.value,
            )
        ).scalar_one()
        spent = usage.spent_on(connection, self._account, now.date().isoformat())
        wrong = [message for _, message in alerts.active(connection)]
        return p.wording.say(
            "admin_status",
            mode=_MODE_WORDS[mode],
            pesan=received,
            jawaban=answered,
            menunggu=len(handoffs.list_open(connection, self._account, limit=1000)),
            biaya=format_rupiah(spent.cost_idr),
            batas=format_rupiah(p.budget.shop_idr),
            catatan="\n".join(filter(None, [*wrong, p.notes()])),
        ).strip()

    def _list(self, connection: Connection) -> str:
        p = self._p
        waiting = handoffs.list_open(connection, self._account)
        if not waiting:
            return p.wording.say("admin_daftar_kosong")
        lines = []
        for handoff in waiting:
            name, number = p.people.label(connection, handoff.customer_id, handoff.customer_name)
            lines.append(f"• {name} ({number}), {handoff.age_ms // 60_000} menit: {handoff.question[:200]}")
        return "\n".join(lines)

    @staticmethod
    def _handoff(connection: Connection, notice: Notice) -> Handoff | None:
        return None if notice.handoff_id is None else handoffs.get(connection, notice.handoff_id)

    def _say(self, connection: Connection, body: str, customer_id: int | None) -> None:
        room = self._p.people.room
        if room.chat is not None:
            outbox.add(
                connection,
                NewMessage(
                    account=room.account,
                    transport=room.transport,
                    chat=room.chat,
                    body=body,
                    purpose=Purpose.COMMAND,
                    customer_id=customer_id,
                ),
            )


# A file in the room is no answer yet, not even one with a caption.
_NOT_RELAYED = frozenset(
    (Media.IMAGE, Media.VIDEO, Media.AUDIO, Media.DOCUMENT, Media.LOCATION, Media.CONTACT)
)
_MODE_WORDS = {
    Mode.ON: "hidup",
    Mode.APPROVE: "menunggu persetujuan",
    Mode.PRACTICE: "latihan",
    Mode.OFF: "berhenti",
}
_SET_CUSTOMER = update(inbox).where(inbox.c.id == bindparam("row")).values(customer_id=bindparam("customer"))


def _means(text: str, meanings: frozenset[str]) -> bool:
    """Whether the whole message is one of these words."""
    return normalise(text).strip(" .!") in meanings
