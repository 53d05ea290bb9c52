"""One message from the inbox to the outbox. Read ``Conversation.handle`` for the whole story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, delete, update

from bot import modes
from bot.burst import Bursts
from bot.channel import Capability, Channel, IncomingMessage, Signal, Unreadable
from bot.gate import Pass, gate
from bot.loops import LoopGuard
from bot.message import MAX_CHARS, Said, clean_name, join
from bot.people import People
from bot.room import OwnersRoom
from bot.rules import Rule, rule_for_burst
from config.settings import Mode
from config.shop import Shop
from config.wording import Wording
from rag.answering import NOTHING_SPENT, Answerer, Outcome, Question, Reply
from rag.normalise import search_text
from store import alerts, customers, handoffs, outbox, turns, usage
from store import queue as queues
from store.customers import Customer
from store.doors import Store
from store.errors import StoreError
from store.handoffs import Reason
from store.outbox import Kind, NewMessage, Purpose
from store.queue import Queue
from store.schema import inbox
from store.turns import Author, NewTurn, Turn
from store.usage import Budget, Reservation, Spent
from store.vectors import to_bytes
from store.worker import Discard

log = structlog.get_logger(__name__)

RECENT_TURNS = 8
ACKNOWLEDGEMENT = "🙏"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is to happen because of one utterance; ``commit`` makes it true, all or nothing."""

    text: str = ""
    reaction: str = ""
    handoff: Reason | None = None
    author: Author = Author.BOT
    reply: Reply | None = None
    reservation: Reservation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Meeting:
    """Who is speaking, and what was said lately."""

    customer: Customer
    recent: list[Turn]
    mode: Mode


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What a conversation is built from; ``bot.app`` puts it together."""

    account: str
    store: Store
    channel: Channel
    queue: Queue
    owner: str
    bursts: Bursts
    answerer: Answerer
    people: People
    room: OwnersRoom
    loops: LoopGuard
    shop: Shop
    wording: Wording
    configured_mode: Mode
    budget: Budget
    embedding_space: tuple[str, int] | None  # model and dimensions of the vectors that are stored


class Conversation:
    """The inbox worker's handler: a claimed message in, everything that follows from it committed."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        # An alert may be on from before a restart; the first good answer looks once.
        self._model_alerted = True

    async def handle(self, head: Row[Any]) -> None:
        """Answer one utterance: a claimed message and the burst behind it.

        Raises only what the worker understands (``Discard``, ``ClaimLost``) or what is a fault of ours.
        """
        p = self._p
        # 1. The owner's room is not a customer's chat: each message there is acted on by itself.
        if head.chat == p.people.room.chat:
            await p.room.handle(self._read([head]))
            return
        # 2. Wait until the thought is complete, and read what was said.
        said = self._read(await p.bursts.gather(head))
        # 3. Who is it, what was said lately, and may the bot speak in this chat at all?
        meeting = await self._meet(said)
        if gate(meeting.mode, meeting.customer) is Pass.DROP or await p.loops.trips(said, meeting.recent):
            await self._commit_silence(said)
            return
        # 4. Decide: a rule if the whole message is one, else the shop's knowledge and his own history.
        rule, question = rule_for_burst(said.parts)
        if rule is not None:
            decision = self._by_rule(rule)
        else:
            await p.channel.signal(said.last.chat, Signal.TYPING)
            decision = await self._by_knowledge(question, said, meeting)
        # 5. Make it true in one transaction: inbox done, answer queued, turn kept, promise written.
        try:
            await p.store.write(lambda c: self._commit(c, said, decision))
        except Exception:
            # The answer is lost, its price is not: the reservation must not stay until the next start.
            if decision.reservation is not None and decision.reply is not None:
                await self._settle_alone(decision.reservation, decision.reply.spent)
            raise
        self._remember_model_state(decision.reply)

    def _read(self, rows: list[Row[Any]]) -> Said:
        """What the burst says up to its first unreadable event, which fails alone when its turn comes."""
        messages: list[IncomingMessage] = []
        for row in rows:
            try:
                messages.append(self._p.channel.parse(row))
            except Unreadable as exc:
                if not messages:
                    raise Discard(f"unreadable event: {exc}") from exc
                break
        return join(rows[: len(messages)], messages)

    async def _meet(self, said: Said) -> Meeting:
        """The customer with his newest turns; the first message of a stranger creates him."""
        p = self._p
        addresses, name = said.last.addresses, clean_name(said.last.name)

        def meet(connection: Connection, customer: Customer) -> Meeting:
            return Meeting(
                customer=customer,
                recent=turns.recent(connection, customer.id, limit=max(RECENT_TURNS, p.loops.most_answers)),
                mode=modes.current(connection, p.account, configured=p.configured_mode),
            )

        def known(connection: Connection) -> Meeting | None:
            found = [customers.find(connection, p.account, address) for address in addresses]
            first = found[0]
            if first is None or any(other != first for other in found) or (name and name != first.name):
                return None  # Somebody new, a new address or a new name: that is a write.
            return meet(connection, first)

        def introduce(connection: Connection) -> tuple[Meeting, list[int]]:
            customer, merged = customers.resolve(connection, p.account, addresses, name=name)
            # From now on these rows are his: deleting him takes them along, and the answer with them.
            self._set_customer(connection, said, customer)
            return meet(connection, customer), merged

        if (meeting := await p.store.read(known)) is not None:
            return meeting
        met, merged = await p.store.write(introduce)
        if merged:
            log.info("customers_merged", kept=met.customer.id, merged=merged)
        return met

    def _by_rule(self, rule: Rule) -> Decision:
        say = self._p.wording.say
        match rule:
            case Rule.GREETING:
                return Decision(text=say("salam"))
            case Rule.SALAM:
                return Decision(text=say("salam_islam"))
            case Rule.BOT:
                return Decision(text=say("bot"))
            case Rule.PRIVACY:
                return Decision(text=say("privasi"))
            case Rule.ADMIN:
                return self._promise(Reason.ASKED)
            case Rule.THANKS:
                return Decision(reaction=ACKNOWLEDGEMENT, author=Author.NONE)
            case Rule.NOTHING:
                return Decision(author=Author.NONE)

    async def _by_knowledge(self, question: str, said: Said, meeting: Meeting) -> Decision:
        """The model's checked answer within the budget, or the honest way out."""
        p = self._p
        if len(question) > MAX_CHARS:
            return Decision(text=p.wording.say("pesan_panjang"))
        asked = Question(
            customer_id=meeting.customer.id,
            message=question,
            recent=meeting.recent[-RECENT_TURNS:],
            context=said.context,
        )
        wanted = Reservation(
            account=p.account,
            day=datetime.now(p.shop.zona_waktu).date().isoformat(),
            customer_id=meeting.customer.id,
            amount_idr=p.answerer.most_cost_idr(),
        )
        if not await p.store.write(lambda c: usage.reserve(c, wanted, p.budget)):
            log.warning("budget_spent", customer=meeting.customer.id)
            return self._from_reply(await p.answerer.answer_without_model(asked), None)
        try:
            reply = await p.answerer.answer(asked)
        except Exception:
            # Only the store can fail here, and it is asked before the model.
            await self._settle_alone(wanted, NOTHING_SPENT)
            raise
        return self._from_reply(reply, wanted)

    def _from_reply(self, reply: Reply, reservation: Reservation | None) -> Decision:
        match reply.outcome:
            case Outcome.ANSWERED | Outcome.FAQ:
                return Decision(text=reply.text, reply=reply, reservation=reservation)
            case Outcome.UNKNOWN:
                return self._promise(Reason.UNKNOWN, reply, reservation)
            case Outcome.HUMAN:
                return self._promise(Reason.ASKED, reply, reservation)
            case Outcome.TROUBLE:
                return self._promise(Reason.TROUBLE, reply, reservation)

    def _promise(
        self, reason: Reason, reply: Reply | None = None, reservation: Reservation | None = None
    ) -> Decision:
        """A person is promised by fixed text only, and never without the handoff in the same transaction."""
        return Decision(
            text=self._p.people.promise(reason), handoff=reason, reply=reply, reservation=reservation
        )

    def _commit(self, connection: Connection, said: Said, decision: Decision) -> None:
        """Everything that follows from the utterance, all or nothing; ``ClaimLost`` when it is not ours."""
        p = self._p
        customer = self._finish(connection, said)
        if decision.reservation is not None and decision.reply is not None:
            usage.settle(connection, decision.reservation, decision.reply.spent)
        if customer is None:
            return
        # The owner may have silenced the chat while the model was thinking.
        verdict = gate(modes.current(connection, p.account, configured=p.configured_mode), customer)
        turn_id = self._keep_turn(connection, said, customer, decision, answered=verdict is Pass.SEND)
        if verdict is not Pass.DROP:
            self._queue_answer(
                connection, said, customer, decision, turn_id=turn_id, held=verdict is Pass.HOLD
            )
            if decision.handoff is not None:
                p.people.hand_over(
                    connection,
                    customer=customer,
                    chat=said.last.chat,
                    question=said.text or said.last.kind,
                    reason=decision.handoff,
                )
        if decision.reply is not None:
            self._note_model_state(connection, decision.reply)

    async def _commit_silence(self, said: Said) -> None:
        """The bot may not speak here; what was said is kept all the same."""

        def commit(connection: Connection) -> None:
            if (customer := self._finish(connection, said)) is not None:
                self._keep_turn(connection, said, customer, Decision(author=Author.NONE), answered=False)

        await self._p.store.write(commit)

    def _finish(self, connection: Connection, said: Said) -> Customer | None:
        """Mark the rows done; the customer as he is now: merged with another, silenced, or gone (None)."""
        p = self._p
        queues.finish(connection, p.queue, said.row_ids, owner=p.owner)
        customer = customers.find(connection, p.account, said.last.addresses[0])
        if customer is None:
            # He was deleted meanwhile, and what he had just written is as little to be kept.
            connection.execute(delete(inbox).where(inbox.c.id.in_(said.row_ids)))
        else:
            self._set_customer(connection, said, customer)
        return customer

    async def _settle_alone(self, reserved: Reservation, spent: Spent) -> None:
        try:
            await self._p.store.write(lambda c: usage.settle(c, reserved, spent))
        except StoreError as exc:
            log.warning("reservation_left", amount_idr=reserved.amount_idr, reason=str(exc))

    @staticmethod
    def _set_customer(connection: Connection, said: Said, customer: Customer) -> None:
        connection.execute(
            _SET_CUSTOMER, [{"row": row_id, "customer": customer.id} for row_id in said.row_ids]
        )

    def _queue_answer(
        self,
        connection: Connection,
        said: Said,
        customer: Customer,
        decision: Decision,
        *,
        turn_id: int | None,
        held: bool,
    ) -> None:
        p = self._p
        text, kind, quoted_id = decision.text, Kind.TEXT, None
        if decision.reaction and Capability.REACTIONS in p.channel.traits.capabilities:
            text, kind, quoted_id = decision.reaction, Kind.REACTION, said.last.message_id
        if not text:
            return
        if kind is Kind.TEXT and not customer.introduced:
            # The notice rides on the first answer of a new customer, never as a message of its own.
            text = f"{text}\n\n{p.wording.say('pengantar')}"
            customers.introduced(connection, customer.id)
        row_id = outbox.add(
            connection,
            NewMessage(
                account=p.account,
                transport=p.channel.traits.transport,
                chat=said.last.chat,
                body=text,
                kind=kind,
                purpose=Purpose.ANSWER,
                customer_id=customer.id,
                quoted_id=quoted_id,
                answers=said.message_ids,
                held=held,
            ),
        )
        if held:
            p.room.offer_draft(
                connection, row_id, customer=customer, asked=said.text, draft=text, turn_id=turn_id
            )

    def _keep_turn(
        self, connection: Connection, said: Said, customer: Customer, decision: Decision, *, answered: bool
    ) -> int | None:
        """The exchange as history; acknowledgements and empty messages are none."""
        if not said.text or decision.reaction:
            return None
        p, reply = self._p, decision.reply
        vector = reply.vector if reply is not None and p.embedding_space is not None else None
        model, dimensions = p.embedding_space if vector is not None and p.embedding_space else (None, None)
        replied = decision.text if answered else ""
        return turns.append(
            connection,
            NewTurn(
                customer_id=customer.id,
                asked=said.text[:MAX_CHARS],
                replied=replied,
                author=decision.author if answered else Author.NONE,
                search_text=search_text(f"{said.text[:MAX_CHARS]}\n{replied}"),
                vector=None if vector is None else to_bytes(vector),
                model=model,
                dimensions=dimensions,
                source_ids=reply.source_ids if reply is not None else (),
            ),
        )

    def _note_model_state(self, connection: Connection, reply: Reply) -> None:
        """Tell the owner once when the model needs him, and once when it works again."""
        p = self._p
        if reply.misconfigured is not None:
            if alerts.raise_alert(connection, "model_misconfigured", reply.misconfigured):
                body = p.wording.say("admin_model_salah", sebab=reply.misconfigured)
                p.people.notify(connection, body, kind=handoffs.ALERT)
        elif (
            reply.outcome is Outcome.ANSWERED
            and self._model_alerted
            and alerts.recover(connection, "model_misconfigured")
        ):
            p.people.notify(connection, p.wording.say("admin_model_pulih"), kind=handoffs.ALERT)

    def _remember_model_state(self, reply: Reply | None) -> None:
        # After the commit: a transaction may run twice, and its second run must do what the first did.
        if reply is not None and reply.misconfigured is not None:
            self._model_alerted = True
        elif reply is not None and reply.outcome is Outcome.ANSWERED:
            self._model_alerted = False


_SET_CUSTOMER = update(inbox).where(inbox.c.id == bindparam("row")).values(customer_id=bindparam("customer"))
