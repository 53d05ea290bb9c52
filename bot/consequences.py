"""Consequences: what a decision about one utterance brings about, in one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete

from billing.rupiah import format_rupiah
from bot import bubbles, data_copy, introduction, modes, trust
from bot.channel import WITH_FILES, Media
from bot.decision import Decision, Right
from bot.forwarding import forward_media
from bot.gate import Pass, gate
from bot.media import MediaKeeper
from bot.message import MAX_CHARS, Said
from bot.people import People
from bot.room import drafts
from bot.signs import Signs
from bot.timers import Timers
from config.settings import Mode
from config.wording import Wording
from rag.answering import Outcome, Reply
from rag.normalise import search_text
from store import alerts, customers, forgetting, handoffs, inbox, outbox, turns, usage
from store import queue as queues
from store.customers import Customer
from store.doors import Store
from store.handoffs import Reason
from store.outbox import Kind, NewMessage, Purpose
from store.queue import Queue
from store.schema import inbox as inbox_rows
from store.turns import Author, NewTurn
from store.usage import Budget, Limit, Reservation
from store.vectors import to_bytes
from store.worker import Retry

T = TypeVar("T")

_MODEL_ALERT = "model_misconfigured"
# What only a model that works can bring about.
_WORKS = (Outcome.ANSWERED, Outcome.ORDER)
# An album would fill the owner's room; the rest of it is in the chat.
MOST_FORWARDED = 3


class Reworded(Exception):
    """The customer edited or took back a message of the burst while its answer was being made."""


@dataclass(kw_only=True, slots=True)
class Consequences:
    """Makes decisions true: inbox done, answer queued, turn kept, promise and notice written."""

    account: str
    transport: str
    reactions: bool  # whether the channel can put an emoji on a message
    bubble_chars: int | None  # a longer answer goes out as two messages
    store: Store
    queue: Queue
    owner: str
    people: People
    media: MediaKeeper
    signs: Signs
    timers: Timers
    wording: Wording
    configured_mode: Mode
    budget: Budget
    zone: ZoneInfo
    embedding_space: tuple[str, int] | None  # model and dimensions of the vectors that are stored
    # An alert may be on from before a restart; the first good answer looks once.
    _model_alerted: bool = field(default=True, init=False)

    async def commit(self, said: Said, decision: Decision, *, newest: bool = False) -> Row[Any] | None:
        """Write everything that follows; ``ClaimLost`` when the messages are no longer ours.

        With ``newest`` nothing is written, and ``Reworded`` raised, when these are no longer the customer's
        newest words. Gives the answer's row in the outbox when it may be delivered at once: it is claimed for
        that already.
        """
        answer = await self._commit(said, lambda c: self._write(c, said, decision, newest=newest))
        # After the commit: a transaction may run twice, and its second run must do what the first did.
        reply = decision.reply
        if reply is not None and reply.misconfigured is not None:
            self._model_alerted = True
        elif reply is not None and reply.outcome in _WORKS:
            self._model_alerted = False
        return answer

    async def commit_too_late(self, said: Said) -> None:
        """Nobody is answered any more; a person sees what was said, and decides."""

        def write(connection: Connection) -> None:
            if (customer := self._finish(connection, said)) is None:
                return
            self._keep_turn(connection, said, customer, Decision(author=Author.NONE), answered=False)
            self._hand_over(connection, said, customer, Reason.LATE)

        await self._commit(said, write)

    async def commit_silence(self, said: Said) -> None:
        """The bot may not speak here; what was said is kept all the same."""

        def write(connection: Connection) -> None:
            if (customer := self._finish(connection, said)) is not None:
                self._keep_turn(connection, said, customer, Decision(author=Author.NONE), answered=False)

        await self._commit(said, write)

    async def commit_signs(self, said: Said) -> None:
        """Nothing is left to be answered: reactions, edits, what was taken back."""

        def write(connection: Connection) -> None:
            self._finish(connection, said)

        await self._commit(said, write)

    async def _commit(self, said: Said, write: Callable[[Connection], T]) -> T:
        chat = said.last.chat
        timer_is_new = await self.timers.heard(chat, said.timer_s)

        def with_timer(connection: Connection) -> T:
            result = write(connection)
            customer = customers.find(connection, self.account, said.last.addresses[0])
            if customer is not None:
                self.timers.write(connection, chat, customer.id)
            return result

        result = await self.store.write(with_timer if timer_is_new else write)
        if timer_is_new:
            self.timers.written(chat)
        return result

    def _write(
        self, connection: Connection, said: Said, decision: Decision, *, newest: bool
    ) -> Row[Any] | None:
        key, last_id = said.rows[0].key, said.rows[-1].id
        if newest and inbox.is_changed_behind(connection, self.account, key=key, after=last_id):
            raise Reworded
        customer = self._finish(connection, said)
        if decision.reservation is not None and decision.reply is not None:
            usage.settle(connection, decision.reservation.of(customer), decision.reply.spent)
        if customer is None:
            return None
        first_ms, last_ms = said.rows[0].recorded_ms, said.rows[-1].recorded_ms
        if first_ms <= customer.human_ms < last_ms:
            raise Retry("a person wrote between these messages; what came after is another thought")
        # The owner may have silenced the chat while the model was thinking.
        mode = modes.current(connection, self.account, configured=self.configured_mode)
        by_gate = gate(mode, customer, last_ms, right=decision.right is not None)
        verdict = self._verdict(connection, by_gate, decision)
        if decision.act is not None and verdict in (Pass.SEND, Pass.HOLD):
            decision = _with_bill(decision.act(connection, customer), decision)
        turn_id = self._keep_turn(connection, said, customer, decision, answered=verdict is Pass.SEND)
        answer = None
        match verdict:
            case Pass.SEND:
                answer = self._queue_answer(connection, said, customer, decision)
            case Pass.HOLD:
                message = self._answer(connection, said, customer, decision)
                if message is not None:
                    # What waits for approval is approved as a whole.
                    draft_id = outbox.add(connection, replace(message, held=True))
                    drafts.offer(
                        connection,
                        self.people,
                        self.wording,
                        draft_id,
                        customer=customer,
                        asked=said.text,
                        turn_id=turn_id,
                    )
            case Pass.SHOW:
                drafts.show(
                    connection,
                    self.people,
                    self.wording,
                    customer=customer,
                    asked=said.text,
                    answer=decision.text or decision.reaction,
                )
        if decision.handoff is not None and verdict in (Pass.SEND, Pass.HOLD):
            self._hand_over(connection, said, customer, decision.handoff)
        if decision.case is not None and verdict in (Pass.SEND, Pass.HOLD):
            handoff_id = self.people.hand_over_case(
                connection, customer=customer, chat=said.last.chat, case=decision.case
            )
            kind, order_id = decision.case.kind, decision.case.order_id
            self._forward_files(connection, said, kind=kind, handoff_id=handoff_id, order_id=order_id)
        if decision.reply is not None:
            self._note_model_state(connection, decision.reply)
        if decision.refused is not None:
            self._tell_of_limit(connection, customer, decision.refused.of(customer))
        if decision.right is not None and verdict is Pass.SEND:
            self._grant(connection, said, customer, decision.right)
        return answer

    def _verdict(self, connection: Connection, by_gate: Pass, decision: Decision) -> Pass:
        """What would be held goes without the owner's word where he trusts the bot, or the law needs none."""
        if by_gate is not Pass.HOLD:
            return by_gate
        if decision.right is not None:
            return Pass.SEND
        # A promise and a step of a sale are looked at one by one.
        if decision.handoff is not None or decision.case is not None or decision.act is not None:
            return Pass.HOLD
        if not decision.text:
            return Pass.HOLD
        topic = trust.topic(decision.reply.source_ids if decision.reply is not None else ())
        return Pass.SEND if trust.is_alone(connection, self.account, topic) else Pass.HOLD

    def _grant(self, connection: Connection, said: Said, customer: Customer, right: Right) -> None:
        """The customer's own data: a copy for him, or its end; and the owner sees that it happened."""
        if right is Right.INFORMATION:
            return
        if right is Right.ERASURE:
            forgetting.ask(connection, customer.id)
            return
        document = data_copy.copy_of(
            connection, self.account, customer.id, wording=self.wording, zone=self.zone
        )
        outbox.add(
            connection,
            NewMessage(
                account=self.account,
                transport=self.transport,
                chat=said.last.chat,
                body="",
                kind=Kind.DOCUMENT,
                purpose=Purpose.RIGHT,
                customer_id=customer.id,
                document=document,
            ),
        )
        name, number = self.people.label(connection, customer.id, customer.name)
        body = self.wording.say("admin_data_diekspor", nama=name, nomor=number)
        self.people.notify(connection, body, kind=handoffs.ALERT, customer_id=customer.id)

    def _tell_of_limit(self, connection: Connection, customer: Customer, refused: Reservation) -> None:
        """The owner hears once a day that somebody, or everybody, is answered from the FAQ alone."""
        limit = usage.exceeded(connection, refused, self.budget)
        if limit is None or not usage.is_news(connection, refused, limit):
            return
        if limit is Limit.SHOP:
            batas = format_rupiah(self.budget.shop_idr)
            self.people.notify(
                connection, self.wording.say("admin_batas_toko", batas=batas), kind=handoffs.ALERT
            )
            return
        name, number = self.people.label(connection, customer.id, customer.name)
        body = self.wording.say("admin_batas_pelanggan", nama=name, nomor=number)
        self.people.notify(connection, body, kind=handoffs.ALERT, customer_id=customer.id)

    def _hand_over(self, connection: Connection, said: Said, customer: Customer, reason: Reason) -> None:
        """To a person, who sees and hears what the customer sent beside his words.

        What may be looked at once stays in the chat: it would be there for good in the owner's room.
        """
        handoff_id = self.people.hand_over(
            connection, customer=customer, chat=said.last.chat, question=said.shown, reason=reason
        )
        self._forward_files(connection, said, kind=handoffs.HANDOFF_NOTICE, handoff_id=handoff_id)

    def _forward_files(
        self, connection: Connection, said: Said, *, kind: str, handoff_id: int, order_id: str | None = None
    ) -> None:
        files = [
            row
            for row, message in zip(said.message_rows, said.messages, strict=True)
            if message.file is not None
            and not message.file.view_once
            and message.kind in WITH_FILES - {Media.STICKER}
        ]
        for row in files[:MOST_FORWARDED]:
            forward_media(
                connection, self.people, row.id, kind=kind, handoff_id=handoff_id, order_id=order_id
            )

    def _finish(self, connection: Connection, said: Said) -> Customer | None:
        """Mark the rows done; the customer as he is now: merged with another, silenced, or gone (None)."""
        queues.finish(connection, self.queue, said.row_ids, owner=self.owner)
        customer = customers.find(connection, self.account, said.last.addresses[0])
        if customer is None:
            # He was deleted meanwhile, and what he had just written is as little to be kept.
            connection.execute(delete(inbox_rows).where(inbox_rows.c.id.in_(said.row_ids)))
        else:
            self.media.note(connection, said, customer)
            if said.signs or said.revoked:
                self.signs.apply(connection, said, customer)
                inbox.claim_for(connection, [row.id for row in said.revoked], customer.id)
        return customer

    def _queue_answer(
        self, connection: Connection, said: Said, customer: Customer, decision: Decision
    ) -> Row[Any] | None:
        """Queue the bubbles or the reaction; the first one's row when its delivery need not wait."""
        message = self._answer(connection, said, customer, decision)
        if message is None:
            return None
        if message.kind is Kind.REACTION:
            return outbox.add_claimed(connection, message, owner=self.owner)
        first, *rest = bubbles.split(message.body, self.bubble_chars)
        answer = outbox.add_claimed(connection, replace(message, body=first), owner=self.owner)
        for body in rest:
            # The first one shows the customer's messages as read.
            outbox.add(
                connection,
                replace(message, body=body, kind=Kind.TEXT, document=None, answers=(), quoted_id=None),
            )
        return answer

    def _answer(
        self, connection: Connection, said: Said, customer: Customer, decision: Decision
    ) -> NewMessage | None:
        """What the customer gets, as one message; None when that is nothing."""
        text, kind, quoted_id = decision.text, Kind.TEXT, said.last.message_id if decision.quotes else None
        if decision.reaction and self.reactions:
            text, kind, quoted_id = decision.reaction, Kind.REACTION, said.last.message_id
        if not text:
            return None
        if kind is Kind.TEXT and not customer.introduced:
            # The notice rides on the first answer of a new customer, never as a message of its own.
            text = introduction.ride(connection, self.wording, customer.id, text)
        picture = decision.picture if kind is Kind.TEXT else None
        return NewMessage(
            account=self.account,
            transport=self.transport,
            chat=said.last.chat,
            body=text,
            kind=kind if picture is None else Kind.IMAGE,
            document=picture,
            purpose=Purpose.ANSWER if decision.right is None else Purpose.RIGHT,
            customer_id=customer.id,
            quoted_id=quoted_id,
            answers=said.message_ids,
            delay_ms=decision.delay_ms,
        )

    def _keep_turn(
        self, connection: Connection, said: Said, customer: Customer, decision: Decision, *, answered: bool
    ) -> int | None:
        """The exchange as history; acknowledgements and empty messages are none."""
        turn_id = self._as_turn(connection, said, customer, decision, answered=answered)
        row_ids = [row.id for row in said.message_rows]
        inbox.claim_for(connection, row_ids, customer.id, turn_id=turn_id)
        return turn_id

    def _as_turn(
        self, connection: Connection, said: Said, customer: Customer, decision: Decision, *, answered: bool
    ) -> int | None:
        if not said.shown or decision.reaction:
            return None
        reply = decision.reply
        vector, model, dimensions = None, None, None
        if reply is not None and reply.vector is not None and self.embedding_space is not None:
            vector, (model, dimensions) = to_bytes(reply.vector), self.embedding_space
        asked, replied = said.shown[:MAX_CHARS], decision.text if answered else ""
        return turns.append(
            connection,
            NewTurn(
                customer_id=customer.id,
                asked=asked,
                replied=replied,
                author=decision.author if answered else Author.NONE,
                search_text=search_text(f"{asked}\n{replied}"),
                vector=vector,
                model=model,
                dimensions=dimensions,
                source_ids=(*(reply.source_ids if reply is not None else ()), *decision.marks),
            ),
        )

    def _note_model_state(self, connection: Connection, reply: Reply) -> None:
        """Tell the owner once when the model needs him, and once when it works again."""
        fingerprint = f"{_MODEL_ALERT}:{self.people.room.account}"
        if reply.misconfigured is not None:
            if alerts.raise_once(connection, fingerprint, str(reply.misconfigured)):
                # In the owner's words; those of the model's server are in the log.
                sebab = self.wording.say(f"admin_model_{reply.misconfigured.cause.value}")
                body = self.wording.say("admin_model_salah", sebab=sebab)
                self.people.notify(connection, body, kind=handoffs.ALERT)
        elif reply.outcome in _WORKS and self._model_alerted and alerts.recover(connection, fingerprint):
            self.people.notify(connection, self.wording.say("admin_model_pulih"), kind=handoffs.ALERT)


def _with_bill(decision: Decision, before: Decision) -> Decision:
    """What was decided in the transaction, with what the model's part in it cost."""
    return replace(
        decision,
        reply=decision.reply or before.reply,
        reservation=decision.reservation or before.reservation,
        delay_ms=max(decision.delay_ms, before.delay_ms),
    )
