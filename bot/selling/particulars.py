"""What must be known of a confirmed order before it can be paid: told, put right, or the order dropped."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from billing import methods as paying
from billing.confirmation import Meaning, calls_off, meaning
from billing.live import Goods, LiveGoods
from billing.needs import Kind, Need, answers, correction, is_delivery, is_pickup
from billing.spoken import CALLS, PARTICLES, spoken, without, word_set
from bot.channel import Media
from bot.decision import ACKNOWLEDGEMENT, Decision
from bot.message import Said
from bot.selling import marks
from bot.selling.aftersales import Aftersales
from bot.selling.draft import Draft
from bot.selling.marks import Mark
from bot.selling.ordering import Ordering, SaleMoved, close_cases
from bot.selling.sayings import Sayings
from bot.selling.shopping import Shopping
from store import orders
from store.customers import Customer
from store.orders import Method, Order, State
from store.turns import Turn

_WAIT = word_set("bentar sebentar tunggu wait sek sik dulu bntr tar")


@dataclass(frozen=True, kw_only=True, slots=True)
class Particulars:
    """Reads messages about the unpaid order; None for what is about something else."""

    goods: LiveGoods
    sayings: Sayings
    ordering: Ordering
    aftersales: Aftersales

    async def about(
        self, text: str, newest: Turn | None, said: Said, order: Order, shopping: Shopping
    ) -> Decision | None:
        """What the message says to the open question about this order; None when it says nothing to it."""
        if not any(marks.is_(newest, mark) for mark in (Mark.DETAIL, Mark.METHOD, Mark.GO_ON)):
            return None
        assert newest is not None
        if order.state is State.PENDING:
            # The answer made the link, and the process died before it was told.
            return await self.aftersales.way_to_pay(order, shopping)
        if order.state is not State.CREATED:
            return None
        answer = meaning(text)
        if calls_off(text) or (answer is Meaning.NO and marks.is_(newest, Mark.GO_ON)):
            return self._dropped(order)
        goods = await self.goods.now()
        draft = self.ordering.draft(order, shopping.lines_of(order), goods)
        if marks.is_(newest, Mark.DETAIL):
            if (right := correction(text, draft.needs)) is not None:
                return await self._changed(order, draft, *right, goods)
            return await self._detail(text, newest, said, order, draft, goods)
        if marks.is_(newest, Mark.METHOD):
            chosen = None if draft.method is not None else self.method(text)
            if chosen is None and draft.method is None:
                return None
            return await self.ordering.go_on(order, replace(draft, method=draft.method or chosen), goods)
        return await self.ordering.go_on(order, draft, goods) if answer not in (None, Meaning.NO) else None

    def method(self, text: str) -> Method | None:
        """The way to pay that the words choose, of those that the shop offers."""
        banks = [account.bank for account in self.sayings.shop.rekening]
        offered = [method.value for method in self.ordering.methods]
        chosen = paying.chosen(text, offered, banks)
        return None if chosen is None else Method(chosen)

    async def _detail(
        self, text: str, newest: Turn, said: Said, order: Order, draft: Draft, goods: Goods
    ) -> Decision | None:
        wanted = next((need for need in draft.needs if marks.asked_for(newest, need.label)), None)
        if wanted is None:
            return None
        if draft.details.get(wanted.label):
            # This very answer was kept, and the process died before it was answered.
            return await self.ordering.go_on(order, draft, goods)
        if set(without(spoken(text), CALLS, PARTICLES)) <= _WAIT and text:
            return Decision(reaction=ACKNOWLEDGEMENT)
        first = [wanted, *(need for need in draft.missing if need is not wanted)]
        told = self._shown(said, wanted) or answers([part for part in said.parts if part], first)
        if not told:
            return None
        return await self.ordering.go_on(order, replace(draft, details={**draft.details, **told}), goods)

    def _shown(self, said: Said, need: Need) -> dict[str, str]:
        """A picture or a place answers what asked for one; what it shows stays in the chat."""
        if need.kind is Kind.PICTURE and said.media is Media.IMAGE:
            return {need.label: self.sayings.wording.say("jual_ada_foto")}
        if need.kind is Kind.PLACE and said.media is Media.LOCATION:
            return {need.label: self.sayings.wording.say("jual_ada_lokasi")}
        return {}

    async def put_right(self, text: str, shopping: Shopping) -> Decision | None:
        """ "Ubah alamat jadi ..." about an order that is not paid yet, whenever it is said."""
        order = shopping.unpaid
        if order is None or order.state is State.REVIEW:
            return None
        goods = await self.goods.now()
        draft = self.ordering.draft(order, shopping.lines_of(order), goods)
        right = correction(text, draft.needs)
        return None if right is None else await self._changed(order, draft, *right, goods)

    async def _changed(self, order: Order, draft: Draft, need: Need, value: str, goods: Goods) -> Decision:
        say = self.sayings.wording.say
        if is_delivery(need) and (
            draft.shipping is not None or (order.state is not State.CREATED and not is_pickup(value))
        ):
            # The total that he was told is for the other address, or for fetching it himself.
            return Decision(text=say("jual_ganti_alamat_lewat"))
        lead = say("jual_diganti", perlu=need.label, isi=value)
        draft = replace(draft, details={**draft.details, need.label: value})
        if order.state is State.CREATED:
            return await self.ordering.go_on(order, draft, goods, lead=lead)

        def act(connection: Connection, customer: Customer) -> Decision:
            locked = orders.lock(connection, order.id)
            if locked is None or locked.state is not order.state:
                raise SaleMoved(f"order {order.id} is no longer {order.state.value}")
            orders.set_details(connection, order.id, {**locked.details, need.label: value})
            return Decision(text=lead)

        return Decision(act=act)

    def _dropped(self, order: Order) -> Decision:
        """He does not want what he had confirmed, and nothing can be paid yet."""

        def act(connection: Connection, customer: Customer) -> Decision:
            orders.move(connection, order.id, was=State.CREATED, to=State.CANCELLED)
            close_cases(connection, order.id)
            return Decision(text=self.sayings.wording.say("jual_tidak_jadi"))

        return Decision(act=act)
