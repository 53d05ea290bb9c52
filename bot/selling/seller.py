"""The sale's part of a conversation: reads a message by what was said last, and decides what comes next.

Everything here goes by whole messages and by the database; what it does not understand is the model's, and
the open question is asked again behind the model's answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Connection

from billing.asking import Ask, asked
from billing.confirmation import Meaning, meaning
from billing.live import Goods, LiveGoods
from billing.menu import (
    GROUP_MARK,
    Pick,
    bare_order,
    choose,
    group_menu,
    menu_of,
    names_quantity,
    new_quantity,
    on_sale,
    wants_to_buy,
)
from billing.needs import is_delivery
from billing.proposal import Basket, Problem, Refusal, basket
from billing.spoken import asks
from bot.channel import Media
from bot.decision import Decision
from bot.message import Said
from bot.rules import RIGHTS, Rule
from bot.selling import marks
from bot.selling.aftersales import Aftersales
from bot.selling.draft import needs_for
from bot.selling.marks import Mark
from bot.selling.ordering import Ordering, help_wanted
from bot.selling.particulars import Particulars
from bot.selling.sayings import Sayings
from bot.selling.shopping import Shopping
from rag.answer import Wanted
from store import proposals
from store.customers import Customer
from store.orders import Line, LineKind
from store.turns import Turn

# Whoever writes more than this says more than any of the short things that are understood here.
MOST_CHARS = 600
_OTHER_RULES = RIGHTS | {Rule.ADMIN, Rule.BOT, Rule.SALAM, Rule.GREETING}
# Longer ones are postcodes and phone numbers.
_LONGEST_NUMBER = 4


class Meeting(Protocol):
    """Who is speaking and what was said lately (``bot.conversation.Meeting``)."""

    @property
    def customer(self) -> Customer: ...
    @property
    def recent(self) -> list[Turn]: ...
    @property
    def shopping(self) -> Shopping: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Seller:
    """Decides about messages that sell or buy; None for all others."""

    account: str
    goods: LiveGoods
    sayings: Sayings
    ordering: Ordering
    aftersales: Aftersales
    particulars: Particulars

    async def decide(
        self, said: Said, rule: Rule | None, question: str, meeting: Meeting, *, acts: bool
    ) -> Decision | None:
        """What the sale makes of the message. Without ``acts`` (practice) nothing is ordered or cancelled."""
        text = question or said.text
        if rule in _OTHER_RULES or len(text) > MOST_CHARS:
            return None
        newest = meeting.recent[-1] if meeting.recent else None
        decision: Decision | None = None
        if newest is not None and _is_fresh(newest, said):
            decision = await self._after_price(text, newest, is_thanks=rule is Rule.THANKS)
        if decision is not None:
            return decision
        request = asked(text)
        if request is not None and request.ask is Ask.MENU:
            return self._menu(await self.goods.now())
        if marks.is_(newest, Mark.MENU) and _is_fresh(newest, said):
            assert newest is not None
            entries = marks.entries_of(newest)
            if (decision := await self._chosen(text, entries)) is not None:
                return decision
            if text.strip(" .").isdigit() and len(text) <= _LONGEST_NUMBER:
                # A slip of the finger, and no question for a person.
                told = self.sayings.wording.say("jual_nomor", sampai=len(entries))
                return Decision(text=told, marks=marks.of_menu(entries))
        if not acts:
            return None
        order = meeting.shopping.unpaid
        if order is not None and marks.is_(newest, Mark.METHOD) and self.particulars.method(text) is not None:
            # "link aja" chooses, where it would ask for a link at any other time.
            return await self.particulars.about(text, newest, said, order, meeting.shopping)
        if request is not None:
            decision = await self.aftersales.decide(request, said, meeting.shopping, meeting.customer)
            if decision is not None:
                return decision
        decision = await self._about_proposal(text, newest, said, meeting)
        if decision is None and wants_to_buy(text):
            # Before the open question: "pesan kabel lan" is no address.
            decision = await self._chosen(text, ())
        if decision is None and order is not None:
            decision = await self.particulars.about(text, newest, said, order, meeting.shopping)
        if decision is None and meeting.shopping.orders:
            decision = await self.particulars.put_right(text, meeting.shopping)
        if decision is None and said.media is Media.IMAGE:
            owed = meeting.shopping.transfer(at_ms=said.rows[-1].recorded_ms)
            if owed is not None:
                # A picture never pays; but who owes a transfer and sends one most likely shows it.
                decision = await self.aftersales.paid(owed, said, meeting.shopping)
        return decision

    async def from_model(self, wanted: Sequence[Wanted]) -> Decision:
        """The model proposed codes and quantities; nothing of it counts before code has read it back."""
        goods = await self.goods.now()
        return self._proposed([Pick(code=one.code, quantity=one.quantity) for one in wanted], goods)

    async def remind(self, decision: Decision, meeting: Meeting) -> Decision:
        """The open question once more, behind an answer that had nothing to do with it."""
        newest = meeting.recent[-1] if meeting.recent else None
        if not decision.text or decision.handoff is not None or decision.marks or newest is None:
            return decision
        again: tuple[str, tuple[str, ...]] | None = None
        proposal, order = meeting.shopping.proposal, meeting.shopping.draft
        if marks.is_(newest, Mark.READ_BACK) and proposal is not None:
            goods = await self.goods.now()
            found = basket(_picks(proposal.lines), goods.items)
            if isinstance(found, Basket) and _is_as_read(found, proposal.lines):
                again = self._read_back(found, goods), marks.of_read_back(found.picks)
        elif order is not None and (marks.is_(newest, Mark.DETAIL) or marks.is_(newest, Mark.METHOD)):
            goods = await self.goods.now()
            draft = self.ordering.draft(order, meeting.shopping.lines_of(order), goods)
            again = self.ordering.open_question(order, draft)
        if again is None:
            return decision
        text, marked = again
        # Asking again is no progress: two bots could ask each other for ever.
        kept = tuple(mark for mark in marked if mark != Mark.STEP)
        return replace(decision, text=f"{decision.text}\n\n{text}", marks=(*decision.marks, *kept))

    # What is there, and what is chosen

    def _menu(self, goods: Goods) -> Decision | None:
        menu = menu_of(goods.items)
        if not menu.entries:
            return None
        by_groups = menu.entries[0].startswith(GROUP_MARK)
        return Decision(text=self.sayings.menu(menu, groups=by_groups), marks=marks.of_menu(menu.entries))

    async def _chosen(self, text: str, entries: Sequence[str]) -> Decision | None:
        goods = await self.goods.now()
        chosen = choose(text, goods.items, entries)
        if chosen is None:
            return None
        if isinstance(chosen, str):
            menu = group_menu(goods.items, chosen)
            if menu is None:
                return self._menu(goods)
            marked = (*marks.of_menu(menu.entries), Mark.STEP)
            return Decision(text=self.sayings.menu(menu, groups=False), marks=marked)
        return self._proposed(chosen, goods)

    async def _after_price(self, text: str, newest: Turn, *, is_thanks: bool) -> Decision | None:
        """ "Pesan 2 ya", "jadi kak": right behind an answer that told what one thing costs."""
        codes = marks.priced_by(newest)
        if not codes:
            return None
        if len(codes) == 1:
            quantity, answer = bare_order(text), meaning(text)
            agrees = answer is Meaning.YES and not is_thanks and asks(newest.replied)
            if answer is Meaning.FIRM_YES or agrees:
                quantity = 1
            if quantity is not None:
                return self._proposed([Pick(code=codes[0], quantity=quantity)], await self.goods.now())
        return await self._chosen(text, ()) if names_quantity(text) else None

    def _proposed(self, picks: Sequence[Pick], goods: Goods, *, lead: str = "") -> Decision:
        """Reads back what was chosen at the list's prices, or says why that cannot be."""
        found = basket(picks, goods.items)
        if isinstance(found, Refusal):
            return self._refused(found, picks, goods)
        lines = _lines(found)
        decision = Decision(
            text=self._read_back(found, goods, lead=lead), marks=marks.of_read_back(found.picks)
        )

        def act(connection: Connection, customer: Customer) -> Decision:
            proposals.put(connection, account=self.account, customer_id=customer.id, lines=lines)
            return decision

        return replace(decision, act=act)

    def _read_back(self, found: Basket, goods: Goods, *, lead: str = "") -> str:
        sent = any(is_delivery(need) for need in needs_for(_lines(found), goods.items))
        return self.sayings.read_back(found, sent=sent, lead=lead)

    def _refused(self, refusal: Refusal, picks: Sequence[Pick], goods: Goods) -> Decision:
        text = self.sayings.refused(refusal)
        match refusal.problem:
            case Problem.UNKNOWN:
                if (menu := self._menu(goods)) is None:
                    return Decision(text=text)
                return replace(menu, text=f"{text} {menu.text}")
            case Problem.SHORT | Problem.QUANTITY if len({pick.code for pick in picks}) == 1:
                return Decision(text=text, marks=marks.of_quantity(refusal.code))
            case Problem.TOO_MUCH:
                known = {item.code: item for item in on_sale(goods.items)}
                shown = ", ".join(f"{p.quantity}x {known[p.code].name}" for p in picks if p.code in known)
                total = sum(p.quantity * known[p.code].price_idr for p in picks if p.code in known)
                case = help_wanted(self.sayings, "admin_sebab_besar", shown=shown, total_idr=total)
                return Decision(text=text, case=case)
        return Decision(text=text)

    # Yes, no, and another quantity

    async def _about_proposal(
        self, text: str, newest: Turn | None, said: Said, meeting: Meeting
    ) -> Decision | None:
        proposal = meeting.shopping.proposal
        was_read = marks.is_(newest, Mark.READ_BACK)
        if proposal is None and not was_read and not marks.is_(newest, Mark.QUANTITY):
            return None
        answer = meaning(text)
        if answer is Meaning.NO and was_read:
            return self._declined()
        if (answer is Meaning.FIRM_YES and proposal is not None) or (answer is not None and was_read):
            return await self._confirmed(newest, said, meeting)
        if newest is not None and (was_read or marks.is_(newest, Mark.QUANTITY)):
            picks, quantity = marks.picks_of(newest), new_quantity(text)
            if len(picks) == 1 and quantity is not None:
                return self._proposed([replace(picks[0], quantity=quantity)], await self.goods.now())
        return None

    def _declined(self) -> Decision:
        decision = Decision(text=self.sayings.wording.say("jual_tidak_jadi"))

        def act(connection: Connection, customer: Customer) -> Decision:
            proposals.withdraw(connection, customer.id)
            return decision

        return replace(decision, act=act)

    async def _confirmed(self, newest: Turn | None, said: Said, meeting: Meeting) -> Decision | None:
        goods, shopping = await self.goods.now(), meeting.shopping
        proposal, order = shopping.proposal, shopping.unpaid
        if proposal is None:
            assert newest is not None
            if order is not None and order.created_ms >= newest.created_ms:
                # This very yes made the order, and the process died before it was answered.
                return await self.aftersales.way_to_pay(order, shopping)
            return self._proposed(marks.picks_of(newest), goods, lead="jual_tawar_lewat")
        found = basket(_picks(proposal.lines), goods.items)
        if isinstance(found, Refusal):
            return self._refused(found, _picks(proposal.lines), goods)
        if not _is_as_read(found, proposal.lines):
            return self._proposed(found.picks, goods, lead="jual_harga_berubah")
        return await self.ordering.confirm(
            proposal, shopping, goods, customer=meeting.customer, chat=said.last.chat
        )


def _is_fresh(turn: Turn | None, said: Said) -> bool:
    return turn is not None and said.rows[-1].recorded_ms - turn.created_ms <= marks.MENU_MS


def _lines(found: Basket) -> list[Line]:
    return [
        Line(
            kind=LineKind.ITEM,
            code=line.code,
            name=line.name,
            quantity=line.quantity,
            unit_idr=line.unit_idr,
            after_payment=line.after_payment,
        )
        for line in found.lines
    ]


def _picks(lines: Sequence[Line]) -> list[Pick]:
    return [Pick(code=line.code, quantity=line.quantity) for line in lines if line.kind is LineKind.ITEM]


def _is_as_read(found: Basket, lines: Sequence[Line]) -> bool:
    """Whether the list still says what he was read, price for price."""
    now = [(line.code, line.quantity, line.unit_idr) for line in found.lines]
    return now == [(line.code, line.quantity, line.unit_idr) for line in lines]
