"""From a confirmed order to a way of paying it: asks what is missing, one thing at a time, then the link.

Whatever is settled is committed before the provider is asked, so that a crash goes on from there; what needs
no provider is committed together with the answer that tells of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from billing import qris
from billing.catalogue import CatalogueItem
from billing.live import Goods
from billing.needs import sent_to
from billing.posting import InvoicePost
from billing.rupiah import format_rupiah
from billing.transfer import choose as choose_transfer
from bot.decision import Decision
from bot.people import Case
from bot.selling import marks
from bot.selling.cashier import Cashier
from bot.selling.draft import Draft, Step, advanced, draft_of, needs_for
from bot.selling.marks import Mark
from bot.selling.sayings import Link, Sayings, brief
from bot.selling.shopping import Shopping
from store import handoffs, orders, proposals
from store.attachments import Document
from store.customers import Customer
from store.doors import Store
from store.orders import Line, LineKind, Method, Order, State
from store.proposals import Proposal

log = structlog.get_logger(__name__)


class SaleMoved(Exception):
    """The sale is not where the message found it; handling the message again looks anew."""


Write = Callable[[Connection], Order]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordering:
    """Carries an order on; ``methods`` are the ways to pay that this shop offers."""

    account: str
    transport: str
    store: Store
    sayings: Sayings
    methods: tuple[Method, ...]
    cashier: Cashier | None
    post: InvoicePost
    expires_in_ms: int

    async def confirm(
        self, proposal: Proposal, shopping: Shopping, goods: Goods, *, customer: Customer, chat: str
    ) -> Decision:
        """He said yes: the order is made of exactly what he was read."""
        before = shopping.draft
        draft = self._draft(proposal.lines, goods.items)
        if before is not None:
            # What he told for the order that this one replaces need not be asked again.
            known = {need.label for need in draft.needs}
            kept = {label: told for label, told in before.details.items() if label in known}
            draft = replace(draft, details=kept)
        step, draft = self._advanced(draft, goods)

        def write(connection: Connection) -> Order:
            if not proposals.consume(connection, proposal.id):
                raise SaleMoved(f"proposal {proposal.id} was used or ran out")
            for order in shopping.orders:
                # He changed his mind before he could pay: only one order at a time is being filled in.
                if order.state is State.CREATED:
                    orders.move(connection, order.id, was=State.CREATED, to=State.CANCELLED)
                    close_cases(connection, order.id)
            return orders.create(
                connection,
                account=self.account,
                customer_id=customer.id,
                transport=self.transport,
                chat=chat,
                lines=draft.lines,
                expires_in_ms=self.expires_in_ms,
                method=draft.method,
                details=draft.details,
            )

        return await self._carry_out(step, draft, write, is_new=True)

    async def go_on(self, order: Order, draft: Draft, goods: Goods, *, lead: str = "") -> Decision:
        """The order with what was just learnt about it (``draft``), one step further."""
        step, draft = self._advanced(draft, goods)

        def write(connection: Connection) -> Order:
            return self._save(connection, order, draft)

        return await self._carry_out(step, draft, write, lead=lead)

    def draft(self, order: Order, lines: Sequence[Line], goods: Goods) -> Draft:
        """The order as it stands."""
        return draft_of(order, lines, goods.items)

    def open_question(self, order: Order, draft: Draft) -> tuple[str, tuple[str, ...]] | None:
        """What the order waits for the customer to say, and how that question is marked; None for nothing."""
        if draft.missing:
            need = draft.missing[0]
            return self.sayings.question(need), marks.of_detail(need.label)
        if draft.method is None and len(self.methods) > 1 and (draft.address is None or draft.shipping):
            return self.sayings.methods(draft), (Mark.METHOD, Mark.STEP)
        return None

    async def give_link(
        self, order_id: str, lines: Sequence[Line], total_idr: int, *, lead: str = ""
    ) -> Decision:
        """The payment link of a committed order, or the honest way out."""
        link = None if self.cashier is None else await self.cashier.link(order_id)
        if link is None:
            return Decision(
                text=self.sayings.wording.say("jual_link_gagal", pesanan=order_id),
                case=self._case("admin_sebab_link", order_id, lines, total_idr),
                marks=(Mark.STEP,),
            )
        other_number = await self.store.read(self._other_number)
        text = self.sayings.link(lines, total_idr, link, other_number=other_number)
        return Decision(
            text=f"{lead}\n{text}" if lead else text,
            picture=await self._picture(order_id, link),
            marks=(Mark.STEP,),
        )

    async def accounts(self, lines: Sequence[Line], total_idr: int) -> Decision:
        """The shop's accounts once more, for an order that is paid by transfer."""
        other_number = await self.store.read(self._other_number)
        return Decision(text=self.sayings.transfer(lines, total_idr, other_number=other_number))

    def _other_number(self, connection: Connection) -> str:
        return self.post.other_number(connection, self.account)

    @staticmethod
    async def _picture(order_id: str, link: Link) -> Document | None:
        """What the customer scans; without it there is still the address."""
        if not link.qris:
            return None
        try:
            return await asyncio.to_thread(qris.picture, link.qris)
        except ValueError as exc:
            log.warning("no_qris_picture", order=order_id, reason=str(exc))
            return None

    def _case(self, why: str, order_id: str, lines: Sequence[Line], total_idr: int) -> Case:
        return help_wanted(self.sayings, why, order_id=order_id, shown=brief(lines), total_idr=total_idr)

    def _draft(self, lines: Sequence[Line], items: Sequence[CatalogueItem]) -> Draft:
        return Draft(lines=tuple(lines), details={}, method=None, needs=needs_for(lines, items))

    def _advanced(self, draft: Draft, goods: Goods) -> tuple[Step, Draft]:
        name = self.sayings.wording.say("jual_baris_ongkir")
        return advanced(draft, rates=goods.rates, methods=self.methods, shipping_name=name)

    async def _carry_out(
        self, step: Step, draft: Draft, write: Write, *, is_new: bool = False, lead: str = ""
    ) -> Decision:
        if step is Step.LINK:
            order = await self.store.write(write)
            lead = self._lead(order, draft, step, is_new=is_new) or lead
            return await self.give_link(order.id, draft.lines, order.total_idr, lead=lead)

        def act(connection: Connection, customer: Customer) -> Decision:
            order = write(connection)
            return self._told(
                connection, step, draft, order, lead=self._lead(order, draft, step, is_new=is_new) or lead
            )

        return Decision(act=act)

    def _lead(self, order: Order, draft: Draft, step: Step, *, is_new: bool) -> str:
        if not is_new:
            return ""
        if step in (Step.METHOD, Step.TRANSFER, Step.LINK):
            return self.sayings.wording.say("jual_dicatat_singkat", pesanan=order.id)
        return self.sayings.noted(order.id, draft.lines)

    def _told(self, connection: Connection, step: Step, draft: Draft, order: Order, *, lead: str) -> Decision:
        """What the customer is told at this step, in the transaction that takes the order there."""
        sayings = self.sayings
        match step:
            case Step.DETAIL:
                need = draft.missing[0]
                found = Decision(text=sayings.question(need), marks=marks.of_detail(need.label))
            case Step.METHOD:
                found = Decision(text=sayings.methods(draft), marks=(Mark.METHOD, Mark.STEP))
            case Step.SHIPPING:
                found = Decision(
                    text=sayings.with_hours("jual_ongkir_admin"),
                    marks=(Mark.STEP,),
                    case=shipping_wanted(order, draft),
                )
            case Step.NO_METHOD:
                found = Decision(
                    text=sayings.with_hours("jual_tanpa_cara"),
                    marks=(Mark.STEP,),
                    case=self._case("admin_sebab_tanpa_cara", order.id, draft.lines, draft.total_idr),
                )
            case _:
                choose_transfer(connection, order.id)
                number = self._other_number(connection)
                text = sayings.transfer(draft.lines, order.total_idr, other_number=number)
                found = Decision(text=text, marks=(Mark.STEP,))
        return replace(found, text=f"{lead}\n{found.text}") if lead else found

    def _save(self, connection: Connection, before: Order, draft: Draft) -> Order:
        """Write what changed, if the order is still where it was."""
        order = orders.lock(connection, before.id)
        if order is None or order.state is not State.CREATED:
            raise SaleMoved(f"order {before.id} is no longer being filled in")
        if draft.details != order.details:
            if sent_to(draft.details) != sent_to(order.details):
                # What an admin was asked about the other address is no question any more.
                close_cases(connection, order.id)
            orders.set_details(connection, order.id, draft.details)
        if draft.method is not None and draft.method is not order.method:
            orders.set_method(connection, order.id, draft.method)
        # His time to pay runs from here: what he waited for before was not his to do.
        orders.give_time(connection, order.id, expires_in_ms=self.expires_in_ms)
        shipping = draft.shipping
        has_shipping = any(line.kind is LineKind.SHIPPING for line in orders.lines_of(connection, order.id))
        if shipping is not None and not has_shipping:
            orders.add_shipping(connection, order.id, name=shipping.name, cost_idr=shipping.unit_idr)
        found = orders.get(connection, order.id)
        assert found is not None
        return found


def help_wanted(
    sayings: Sayings, why: str, *, shown: str, total_idr: int, order_id: str | None = None
) -> Case:
    """An order that goes on by a person's hand only; ``why`` is a sentence's name."""
    reason = sayings.wording.say(why)
    label = f"Pesanan {order_id}" if order_id else "Pesanan"
    return Case(
        sentence="admin_pesanan_bantu",
        kind=handoffs.ORDER_NOTICE if order_id else handoffs.HANDOFF_NOTICE,
        question=f"{label} ({shown}): {reason}",
        order_id=order_id,
        values={
            "isi": f"{label}: {shown}" if order_id else shown,
            "total": format_rupiah(total_idr),
            "sebab": reason,
        },
    )


def shipping_wanted(order: Order, draft: Draft) -> Case:
    """An admin is to say what sending to this address costs."""
    address = draft.address or ""
    return Case(
        sentence="admin_ongkir",
        kind=handoffs.ORDER_NOTICE,
        question=f"Ongkir pesanan {order.id} ({brief(draft.lines)}) ke {address}",
        order_id=order.id,
        values={"pesanan": order.id, "isi": brief(draft.lines), "alamat": address},
    )


def asks_shipping_to(question: str, address: str) -> bool:
    """Whether this is what ``shipping_wanted`` asked about this very address."""
    return question.endswith(f") ke {address}")


def close_cases(connection: Connection, order_id: str, *, answer: str | None = None) -> None:
    """Nobody has to be reminded of this order any more."""
    state = handoffs.State.CLOSED if answer is None else handoffs.State.ANSWERED
    for handoff_id in handoffs.open_of_order(connection, order_id):
        handoffs.finish(connection, handoff_id, state=state, answer=answer)
