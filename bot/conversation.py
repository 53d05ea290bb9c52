"""One message from the inbox to the outbox. Read ``Conversation.handle`` for the whole story."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from billing.confirmation import Meaning, meaning
from bot import audience, modes
from bot.burst import Bursts
from bot.channel import Channel, IncomingMessage, Media, Sign, Signal, Unreadable
from bot.consequences import Consequences, Reworded
from bot.decision import ACKNOWLEDGEMENT, Decision, Right
from bot.firstrun import ROOM_CODE
from bot.gate import Pass, gate
from bot.lateness import Lateness, LatePace, lateness
from bot.loops import LoopGuard
from bot.message import MAX_CHARS, Said, clean_name, join
from bot.people import People
from bot.posts import POST, Posts
from bot.room import OwnersRoom
from bot.rules import Rule, right_in, rule_for_burst
from bot.selling import shopping
from bot.selling.marks import agreeable
from bot.selling.seller import Seller
from bot.selling.shopping import Shopping
from bot.takeover import Takeover
from config.settings import Audience, Mode
from config.shop import Shop
from config.wording import Wording
from rag.answering import NOTHING_SPENT, Answerer, Outcome, Question, Reply
from store import customers, inbox, outbox, turns, usage
from store.customers import Customer
from store.doors import Store
from store.errors import StoreError
from store.handoffs import Reason
from store.turns import Author, Turn
from store.usage import Budget, Reservation, Spent
from store.worker import Discard

log = structlog.get_logger(__name__)

RECENT_TURNS = 8
# Who edits again and again is answered with the words that he has then.
MOST_READINGS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Meeting:
    """Who is speaking, what was said lately, and what he is about to buy."""

    customer: Customer
    recent: list[Turn]
    mode: Mode
    shopping: Shopping


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What a conversation is built from; ``bot.assembly`` puts it together."""

    account: str
    store: Store
    channel: Channel
    bursts: Bursts
    answerer: Answerer
    people: People
    room: OwnersRoom
    takeover: Takeover
    posts: Posts
    loops: LoopGuard
    late_pace: LatePace
    seller: Seller
    consequences: Consequences
    shop: Shop
    wording: Wording
    configured_mode: Mode
    audience: Audience
    budget: Budget


class Conversation:
    """The inbox worker's handler: a claimed message in, everything that follows from it committed."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts

    async def handle(self, head: Row[Any]) -> Row[Any] | None:
        """Answer one utterance: a claimed message and the burst behind it.

        The answer's row of the outbox when it is to be delivered at once; None when there is none, or when it
        waits in its queue. Raises only what the worker understands (``Discard``, ``ClaimLost``) or what is a
        fault of ours.
        """
        p = self._p
        first = self._read([head])
        # 1. The owner's room is not a customer's chat: each message there is acted on by itself.
        if head.chat == p.people.room.chat:
            await p.room.handle(first)
            return None
        if head.kind == ROOM_CODE:
            await p.room.claim(first)
            return None
        # What people write from the shop's own phone is heard at once: the bot must not talk over them.
        if first.last.own:
            await (p.posts.heard(first) if head.kind == POST else p.takeover.heard(first))
            return None
        # A reaction, an edit, a deletion: about something that was said, and nothing to be answered. Only a
        # thumb on what was just read back is a yes.
        agreed = not first.messages and await self._agrees(first)
        if agreed:
            first = self._read([head], agreed=True)
        elif not first.messages:
            await p.consequences.commit_signs(first)
            return None
        # 2. Who is it, what was said lately, and what may the bot do in this chat at all?
        meeting = await self._meet(first)
        allowed = gate(meeting.mode, meeting.customer)
        if allowed is Pass.SEND and not first.last.past:
            await p.channel.signal(head.chat, Signal.TYPING)
        for attempt in range(1, MOST_READINGS + 1):
            try:
                newest = attempt < MOST_READINGS
                return await self._answer(head, meeting, allowed, newest=newest, agreed=agreed)
            except Reworded:
                log.info("reworded", customer=meeting.customer.id)
        return None

    async def _answer(
        self, head: Row[Any], meeting: Meeting, allowed: Pass, *, newest: bool, agreed: bool
    ) -> Row[Any] | None:
        """Answer the burst; ``Reworded`` when ``newest`` matters and its words changed meanwhile."""
        p = self._p
        # 3. Wait until the thought is complete, and read what was said.
        rows = await p.bursts.gather(head)
        # What a person saw before he wrote here is answered, even after his pause; the rest comes next.
        answered = [row for row in rows if row.recorded_ms <= meeting.customer.human_ms]
        said = self._read(answered or rows, agreed=agreed)
        if not said.messages:
            await p.consequences.commit_signs(said)
            return None
        # What is his by law no pause withholds; it is answered, and nothing else of the burst.
        paused = bool(answered) or allowed is Pass.DROP
        right = right_in(said.parts) if paused else None
        if right is not None and gate(meeting.mode, meeting.customer, right=True) is Pass.DROP:
            right = None
        if (paused and right is None) or said.last.past or await p.loops.trips(said, meeting.recent):
            await p.consequences.commit_silence(said)
            return None
        late = lateness(said.last.sent_ms, now_ms=int(time.time() * 1000))
        if late is Lateness.TOO_LATE:
            await p.consequences.commit_too_late(said)
            return None
        # 4. Decide: what sells or buys is read by code; else a rule if the whole message is one, else the
        #    shop's knowledge and his own history, with what the sale still has to ask behind it.
        rule, question = rule_for_burst(said.parts)
        acts = allowed is not Pass.SHOW
        decision = self._by_rule(right) if right is not None else None
        if decision is None:
            decision = await p.seller.decide(said, rule, question, meeting, acts=acts)
        if decision is None:
            decision = await p.seller.remind(await self._answered(rule, question, said, meeting), meeting)
        if late is Lateness.LATE:
            decision = self._apologise(decision)
        # 5. Make it true in one transaction: inbox done, answer queued, turn kept, promise written.
        try:
            return await p.consequences.commit(said, decision, newest=newest)
        except Exception:
            # The answer is lost, its price is not: the reservation must not stay until the next start.
            if decision.reservation is not None and decision.reply is not None:
                await self._settle_alone(said, decision.reservation, decision.reply.spent)
            raise

    async def _answered(self, rule: Rule | None, question: str, said: Said, meeting: Meeting) -> Decision:
        """The answer of everything that is no sale."""
        if rule is Rule.NOTHING and (kind := said.media) is not None:
            return self._by_media(kind)
        if rule is not None:
            return self._by_rule(rule)
        return await self._by_knowledge(question, said, meeting)

    async def _agrees(self, said: Said) -> bool:
        """Whether it is a thumb on the newest reply, which read something back."""
        sign, p = said.head, self._p
        if sign.kind != Sign.REACTION or sign.quoted_id is None or meaning(sign.text) is not Meaning.YES:
            return False
        reacted_to, address = sign.quoted_id, sign.addresses[0]

        def agrees(connection: Connection) -> bool:
            customer = customers.find(connection, p.account, address)
            newest = [] if customer is None else turns.recent(connection, customer.id, limit=1)
            body = outbox.sent_body(connection, p.account, sign.chat, reacted_to)
            return body is not None and any(agreeable(turn) and turn.replied in body for turn in newest)

        return await p.store.read(agrees)

    def _read(self, rows: list[Row[Any]], *, agreed: bool = False) -> Said:
        """What the burst says up to its first unreadable event, which fails alone when its turn comes.

        With ``agreed`` its head, a thumb on a message, counts as one that was typed.
        """
        messages: list[IncomingMessage] = []
        for row in rows:
            try:
                messages.append(self._p.channel.parse(row))
            except Unreadable as exc:
                if not messages:
                    raise Discard(f"unreadable event: {exc}") from exc
                break
        if agreed:
            messages[0] = replace(messages[0], kind="text")
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
                shopping=shopping.look_up(connection, p.account, customer),
            )

        def known(connection: Connection) -> Meeting | None:
            found = [customers.find(connection, p.account, address) for address in addresses]
            first = found[0]
            if first is None or any(other != first for other in found) or (name and name != first.name):
                return None  # Somebody new, a new address or a new name: that is a write.
            meeting = meet(connection, first)
            # To judge him is a write, too; it waits until the shop answers anybody at all.
            return meeting if first.judged or meeting.mode is Mode.NEW else None

        async def is_admitted() -> bool:
            chosen = await p.store.read(lambda c: audience.current(c, p.account, configured=p.audience))
            saved = chosen is Audience.NEW_NUMBERS and await p.channel.is_saved(said.last.chat)
            return audience.admits(chosen, saved=saved)

        def introduce(connection: Connection) -> tuple[Meeting, list[int]]:
            customer, merged = customers.resolve(connection, p.account, addresses, name=name)
            # Deleting him from now on takes the message along, and the answer with it.
            inbox.claim_for(connection, said.row_ids, customer.id)
            meeting = meet(connection, customer)
            if not customer.judged and meeting.mode is not Mode.NEW:
                customers.judge(connection, customer.id, admitted=admitted)
                meeting = replace(meeting, customer=customers.get(connection, customer.id) or customer)
            return meeting, merged

        if (meeting := await p.store.read(known)) is not None:
            return meeting
        admitted = await is_admitted()
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
                return Decision(text=say("privasi"), right=Right.INFORMATION)
            case Rule.ERASE:
                return Decision(text=say("hapus_data_tanya"), right=Right.INFORMATION)
            case Rule.ERASE_NOW:
                return Decision(text=say("hapus_data"), right=Right.ERASURE)
            case Rule.EXPORT:
                return Decision(text=say("ekspor_data"), right=Right.EXPORT)
            case Rule.ADMIN:
                return self._promise(Reason.ASKED)
            case Rule.THANKS:
                return Decision(reaction=ACKNOWLEDGEMENT, author=Author.NONE)
            case Rule.NOTHING:
                return Decision(author=Author.NONE)

    def _by_media(self, kind: Media) -> Decision:
        """Something that the bot cannot hear or see yet, without a word beside it."""
        say = self._p.wording.say
        match kind:
            case Media.AUDIO:
                return self._promise(Reason.MEDIA)
            case Media.ORDER:
                return self._promise(Reason.BASKET)
            case Media.STICKER:
                return Decision(reaction=ACKNOWLEDGEMENT, author=Author.NONE)
            case Media.IMAGE:
                return Decision(text=say("foto"))
            case _:
                return Decision(text=say("kiriman"))

    def _apologise(self, decision: Decision) -> Decision:
        """The answer to somebody who had to wait: it says sorry, and many of them don't go out at once."""
        act = decision.act
        if not decision.text and act is None:
            return decision
        sorry = self._p.wording.say("terlambat")
        delay_ms = self._p.late_pace.delay_ms(self._p.channel.caution)

        def late(found: Decision) -> Decision:
            text = f"{sorry} {found.text}" if found.text else ""
            return replace(found, text=text, delay_ms=delay_ms, quotes=bool(text))

        if act is None:
            return late(decision)
        return replace(late(decision), act=lambda connection, customer: late(act(connection, customer)))

    async def _by_knowledge(self, question: str, said: Said, meeting: Meeting) -> Decision:
        """The model's checked answer within the budget, or the honest way out."""
        p = self._p
        if len(question) > MAX_CHARS:
            return Decision(text=p.wording.say("pesan_panjang"))
        asked = Question(
            customer_id=meeting.customer.id,
            message=question,
            recent=meeting.recent[-RECENT_TURNS:],
            context=await p.posts.context_of(said),
        )
        wanted = Reservation(
            account=p.account,
            day=datetime.now(p.shop.zona_waktu).date().isoformat(),
            customer_id=meeting.customer.id,
            amount_idr=p.answerer.most_cost_idr(),
        )
        if not await p.store.write(lambda c: usage.reserve(c, wanted, p.budget)):
            log.warning("budget_spent", customer=meeting.customer.id)
            reply = await p.answerer.answer_without_model(asked)
            return replace(await self._from_reply(reply, None, question), refused=wanted)
        try:
            reply = await p.answerer.answer(asked)
        except Exception:
            # Only the store can fail here, and it is asked before the model.
            await self._settle_alone(said, wanted, NOTHING_SPENT)
            raise
        return await self._from_reply(reply, wanted, question)

    async def _from_reply(self, reply: Reply, reservation: Reservation | None, question: str) -> Decision:
        match reply.outcome:
            case Outcome.ANSWERED | Outcome.FAQ:
                return Decision(text=reply.text, reply=reply, reservation=reservation)
            case Outcome.ORDER:
                proposed = await self._p.seller.from_model(reply.order)
                return replace(proposed, reply=reply, reservation=reservation)
            case Outcome.UNKNOWN if meaning(question) is not None:
                # A bare yes or no to nothing: no person knows what is meant either.
                text = self._p.wording.say("jual_maksud")
                return Decision(text=text, reply=reply, reservation=reservation)
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

    async def _settle_alone(self, said: Said, reserved: Reservation, spent: Spent) -> None:
        def settle(connection: Connection) -> None:
            customer = customers.find(connection, self._p.account, said.last.addresses[0])
            usage.settle(connection, reserved.of(customer), spent)

        try:
            await self._p.store.write(settle)
        except StoreError as exc:
            log.warning("reservation_left", amount_idr=reserved.amount_idr, reason=str(exc))
