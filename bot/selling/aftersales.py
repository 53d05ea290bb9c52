"""What customers ask about orders that they have made: status, link, invoice, "sudah bayar"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from billing.asking import Ask, Asked
from billing.live import LiveGoods
from billing.posting import InvoicePost
from billing.rupiah import format_rupiah
from bot.decision import Decision
from bot.message import Said
from bot.people import Case
from bot.selling.cashier import Cashier, Money
from bot.selling.marks import Mark
from bot.selling.ordering import Ordering, close_cases, help_wanted
from bot.selling.sayings import Sayings, brief
from bot.selling.shopping import Shopping
from store import handoffs, invoices, orders, proposals
from store.customers import Customer
from store.orders import Method, Order, State

# As many as fit a bubble.
_SHOWN = 3
# What was ordered longer ago is not what a few words are about.
_LATELY_MS = 7 * 24 * 60 * 60 * 1000
_DEAD = (State.EXPIRED, State.CANCELLED, State.FAILED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Aftersales:
    """Answers about this customer's own orders; anybody else's are unknown to it."""

    goods: LiveGoods
    sayings: Sayings
    ordering: Ordering
    cashier: Cashier | None
    post: InvoicePost

    async def decide(self, request: Asked, said: Said, shopping: Shopping) -> Decision | None:
        """What is said to the request; None when there is no order that it could be about."""
        if request.order_id is not None:
            order = shopping.named(request.order_id)
            if order is None:
                text = self.sayings.wording.say("jual_pesanan_tidak_ada", pesanan=request.order_id)
                return Decision(text=text)
        else:
            order = self._meant(request.ask, said, shopping)
        if order is None:
            return self._without_order(request.ask, shopping)
        match request.ask:
            case Ask.STATUS:
                return self._status([order] if request.order_id else shopping.orders[:_SHOWN], shopping)
            case Ask.CANCEL:
                return await self._cancel(order, shopping)
            case Ask.LINK:
                return await self.way_to_pay(order, shopping)
            case Ask.INVOICE:
                return self._invoice(order)
            case Ask.PAID:
                return await self.paid(order, said, shopping)
        return None

    async def paid(self, order: Order, said: Said, shopping: Shopping) -> Decision | None:
        """He says that he has paid: Midtrans is asked, or an admin; his word and his picture pay nothing."""
        match order.state:
            case State.CREATED:
                return await self.way_to_pay(order, shopping)
            case State.PENDING | State.REVIEW if order.method is Method.MIDTRANS:
                return await self._looked(order, shopping)
            case State.WAITING_CONFIRMATION:
                return self._check_transfer(order, shopping)
            case State.EXPIRED | State.FAILED if order.method is Method.MIDTRANS:
                # A late payment is one all the same.
                return await self._looked(order, shopping)
        return self._status([order], shopping)

    def _meant(self, ask: Ask, said: Said, shopping: Shopping) -> Order | None:
        """The order that a request without a number is about: one that waits, else the newest."""
        newest = next(iter(shopping.orders), None)
        if ask is Ask.INVOICE:
            return next((order for order in shopping.orders if order.paid_ms is not None), newest)
        if shopping.unpaid is not None or newest is None:
            return shopping.unpaid
        if ask in (Ask.LINK, Ask.PAID) and said.rows[-1].recorded_ms - newest.created_ms > _LATELY_MS:
            # "Sudah transfer", "rekeningnya berapa": no longer about that order, but about a bill perhaps.
            return None
        return newest

    def _without_order(self, ask: Ask, shopping: Shopping) -> Decision | None:
        """Nothing is ordered yet; what he was read back is off the table when he calls it off.

        Who asks for an invoice or says that he has paid may mean what he pays elsewhere: the shop's knowledge
        says what it says about that.
        """
        if ask not in (Ask.STATUS, Ask.CANCEL):
            return None
        if ask is Ask.STATUS or shopping.proposal is None:
            return Decision(text=self.sayings.wording.say("jual_belum_ada"))

        def act(connection: Connection, customer: Customer) -> Decision:
            proposals.withdraw(connection, customer.id)
            return Decision(text=self.sayings.wording.say("jual_tidak_jadi"))

        return Decision(act=act)

    def _status(self, found: Sequence[Order], shopping: Shopping) -> Decision:
        def act(connection: Connection, customer: Customer) -> Decision:
            # Read again: a payment may have come in while this message waited.
            lines = []
            for order in found:
                now = orders.get(connection, order.id) or order
                invoice = invoices.of_order(connection, order.id)
                number = invoice.number if invoice is not None else ""
                lines.append(self.sayings.status_line(now, shopping.lines_of(order), invoice=number))
            return Decision(text="\n".join(lines))

        return Decision(act=act)

    async def _cancel(self, order: Order, shopping: Shopping) -> Decision:
        say, shown = self.sayings.wording.say, brief(shopping.lines_of(order))
        gone = Decision(text=say("jual_batal", pesanan=order.id, isi=shown))
        if order.state in (State.CREATED, State.WAITING_CONFIRMATION):

            def act(connection: Connection, customer: Customer) -> Decision:
                if not orders.move(connection, order.id, was=order.state, to=State.CANCELLED):
                    return self._paid_meanwhile(order, shopping)
                close_cases(connection, order.id)
                return gone

            return Decision(act=act)
        if order.state is State.PENDING:
            match Money.NOBODY_KNOWS if self.cashier is None else await self.cashier.call_off(order.id):
                case Money.OVER:
                    return gone
                case Money.PAID:
                    return self._paid_meanwhile(order, shopping)
            return Decision(text=say("jual_batal_nanti", pesanan=order.id))
        if order.state in _DEAD:
            return self._status([order], shopping)
        return self._paid_meanwhile(order, shopping)

    def _paid_meanwhile(self, order: Order, shopping: Shopping) -> Decision:
        """Money is a person's to give back."""
        case = help_wanted(
            self.sayings,
            "admin_sebab_batal_lunas",
            order_id=order.id,
            shown=brief(shopping.lines_of(order)),
            total_idr=order.total_idr,
        )
        return Decision(text=self.sayings.wording.say("jual_batal_lunas", pesanan=order.id), case=case)

    async def way_to_pay(self, order: Order, shopping: Shopping) -> Decision:
        """The link or the accounts once more, or what is still missing before there is one."""
        lines = shopping.lines_of(order)
        match order.state:
            case State.CREATED:
                goods = await self.goods.now()
                return await self.ordering.go_on(order, self.ordering.draft(order, lines, goods), goods)
            case State.PENDING:
                return await self.ordering.give_link(order.id, lines, order.total_idr)
            case State.WAITING_CONFIRMATION:
                return await self.ordering.accounts(lines, order.total_idr)
        return self._status([order], shopping)

    def _invoice(self, order: Order) -> Decision:
        def act(connection: Connection, customer: Customer) -> Decision:
            invoice = invoices.of_order(connection, order.id)
            say = self.sayings.wording.say
            if invoice is None:
                now = orders.get(connection, order.id) or order
                text = say("jual_invoice_belum", pesanan=order.id, status=self.sayings.standing(now))
                return Decision(text=text)
            self.post.post(connection, invoice, order, again=True)
            return Decision(text=say("jual_invoice", invoice=invoice.number))

        return Decision(act=act)

    async def _looked(self, order: Order, shopping: Shopping) -> Decision:
        """Midtrans is asked now, and its answer told as it is."""
        say = self.sayings.wording.say
        match Money.NOBODY_KNOWS if self.cashier is None else await self.cashier.look(order.id):
            case Money.PAID:
                # Thanks and invoice are on their way already, by the transaction that made it paid.
                return Decision(text=say("jual_sudah_lunas", pesanan=order.id), marks=(Mark.STEP,))
            case Money.OVER:
                return self._status([order], shopping)
            case Money.NOBODY_KNOWS:
                return Decision(text=say("jual_cek_gangguan"))
        link = None if self.cashier is None else await self.cashier.link(order.id)
        return Decision(
            text=say(
                "jual_belum_masuk",
                total=format_rupiah(order.total_idr),
                pesanan=order.id,
                tautan=link.url if link is not None else "-",
            )
        )

    def _check_transfer(self, order: Order, shopping: Shopping) -> Decision:
        """The admins look at their account; the customer is told that, and nothing more."""
        case = transfer_told(order, brief(shopping.lines_of(order)))

        def act(connection: Connection, customer: Customer) -> Decision:
            waiting = handoffs.find_open(
                connection, order.account, customer_id=customer.id, question=case.question
            )
            if waiting is not None:
                # The same case: what he sends along now is shown to the admins as well.
                return Decision(text=self.sayings.wording.say("jual_masih_dicek"), case=case)
            text = self.sayings.with_hours("jual_cek_transfer")
            return Decision(text=text, case=case, marks=(Mark.STEP,))

        return Decision(act=act)


def transfer_told(order: Order, shown: str) -> Case:
    """A customer says that he has transferred the money for this order."""
    total = format_rupiah(order.total_idr)
    values: Mapping[str, str] = {"pesanan": order.id, "isi": shown, "total": total}
    return Case(
        sentence="admin_cek_transfer",
        kind=handoffs.TRANSFER_NOTICE,
        question=f"Transfer {total} untuk pesanan {order.id} ({shown})",
        order_id=order.id,
        values=values,
    )
