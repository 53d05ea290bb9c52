"""The owner's side of an order: quoting its notice confirms a transfer, names the shipping, or writes to
its customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from billing import transfer
from billing.needs import sent_to
from billing.rupiah import format_rupiah
from billing.shipping import told_by_admin
from billing.till import Till
from bot.people import People
from bot.relay import Enclosed, Reached, tell
from bot.selling.draft import Draft
from bot.selling.marks import Mark
from bot.selling.ordering import asks_shipping_to, close_cases
from bot.selling.sayings import Sayings, brief
from rag.normalise import normalise
from store import customers, handoffs, invoices, orders
from store.handoffs import PAID_QUESTION, Notice
from store.orders import UNPAID, LineKind, Method, Order, State
from store.turns import Author

# What an admin says when the money is there.
PAID = frozenset(
    (
        "lunas",
        "sudah lunas",
        "udah lunas",
        "sdh lunas",
        "lunas kak",
        "lunas ya",
        "oke lunas",
        "ok lunas",
        "ya lunas",
    )
)
# The same in words that may be meant otherwise: the order is read back to him first.
ARRIVED = frozenset(
    f"{what} {done} masuk{ending}".strip()
    for what in ("", "uang", "uangnya", "dana", "dananya", "transferan", "transferannya")
    for done in ("sudah", "udah", "sdh", "udh")
    for ending in ("", " ya", " kak")
)
_REFUSED = frozenset(
    ("tolak", "ditolak", "belum masuk", "tidak masuk", "belum ada", "tidak ada", "blm masuk")
)

_REFUSAL = "tolak"
_MOST_LINES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderDesk:
    """Acts on what admins say about orders, in the transaction that marks their message done."""

    account: str
    people: People
    sayings: Sayings
    methods: tuple[Method, ...]
    till: Till

    def quoted(
        self,
        connection: Connection,
        notice: Notice,
        text: str,
        *,
        admin: str,
        enclosed: Enclosed | None = None,
    ) -> str | None:
        """Act on the words behind an order's notice; what the admin is told. None: the order is gone."""
        order = None if notice.order_id is None else orders.get(connection, notice.order_id)
        if order is None:
            return None
        words = _spoken(text)
        if words in PAID:
            return self.paid(connection, order, admin=admin)
        if words in ARRIVED:
            return self.ask_if_paid(connection, order)
        if words in _REFUSED:
            if _was_refused(connection, notice):
                return self._past(connection, order)
            return self._refused(connection, order, admin)
        if words.startswith("ongkir"):
            cost_idr = told_by_admin(words)
            if cost_idr is None:
                return self.sayings.wording.say("admin_ongkir_salah")
            return self._shipping(connection, notice, order, cost_idr)
        return self._written(connection, order, text, enclosed)

    def awaiting_transfer(self, connection: Connection) -> list[Order]:
        """The orders that wait for a person's word, the oldest first."""
        return [one for one in orders.unpaid(connection, self.account) if _waits(one)]

    def owed_by(self, connection: Connection, customer_id: int) -> list[Order]:
        """The customer's that wait for it, the oldest first; else his newest, if it may still be paid."""
        found = orders.of_customer(connection, self.account, customer_id)
        waiting = [order for order in found[::-1] if _waits(order)]
        newest = found[:1]
        return waiting or [one for one in newest if one.state in UNPAID or transfer.can_be_confirmed(one)]

    def ask_if_paid(self, connection: Connection, order: Order) -> str:
        """Read the order back before anything is marked; quoting that decides.

        What the admin is told where there is nothing to decide.
        """
        if not transfer.can_be_confirmed(order):
            return self._past(connection, order)
        question = self.sayings.wording.say(
            "admin_lunas_tanya",
            pesanan=order.id,
            isi=brief(orders.lines_of(connection, order.id)),
            total=format_rupiah(order.total_idr),
            tautan="" if order.customer_id is None else self.people.link(connection, order.customer_id),
            **self._who(connection, order),
        )
        self.people.notify(
            connection, question, kind=PAID_QUESTION, customer_id=order.customer_id, order_id=order.id
        )
        return ""

    def chosen_from(self, connection: Connection, found: Sequence[Order]) -> str:
        """Several orders wait: their numbers, to say which."""
        return self.sayings.wording.say(
            "admin_lunas_pilih", daftar="\n".join(self._lines(connection, found)), contoh=found[0].id
        )

    @staticmethod
    def is_for_the_customer(text: str) -> bool:
        """Whether these words behind a notice, with their file, go to him instead of deciding something."""
        words = _spoken(text)
        return words not in PAID | ARRIVED | _REFUSED and not words.startswith("ongkir")

    def listed(self, connection: Connection) -> str:
        """The orders that wait to be paid, for *pesanan*: first those that only a person can confirm."""
        say = self.sayings.wording.say
        waiting = orders.unpaid(connection, self.account)
        if not waiting:
            return say("admin_pesanan_kosong")
        unchecked = [order for order in waiting if order.state is State.WAITING_CONFIRMATION]
        others = [order for order in waiting if order.state is not State.WAITING_CONFIRMATION]
        lines: list[str] = []
        for title, some in (("admin_pesanan_cek", unchecked), ("admin_pesanan_tunggu", others)):
            lines += [say(title), *self._lines(connection, some)] if some else []
        return say(
            "admin_pesanan",
            jumlah=len(waiting),
            total=format_rupiah(sum(order.total_idr for order in waiting)),
            daftar="\n".join(lines),
        )

    def _lines(self, connection: Connection, found: Sequence[Order]) -> list[str]:
        """As many as are still read on a phone, and how many there are beside them."""
        lines = [self._line(connection, order) for order in found[:_MOST_LINES]]
        if left_out := len(found) - len(lines):
            lines.append(self.sayings.wording.say("admin_pesanan_lainnya", jumlah=left_out))
        return lines

    def _line(self, connection: Connection, order: Order) -> str:
        return self.sayings.wording.say(
            "admin_pesanan_baris",
            pesanan=order.id,
            isi=brief(orders.lines_of(connection, order.id)),
            total=format_rupiah(order.total_idr),
            status=self.sayings.standing(order),
            **self._who(connection, order),
        )

    def paid(self, connection: Connection, order: Order, *, admin: str) -> str:
        """An admin saw its money in the bank, and said so to a notice about it."""
        decision = transfer.confirm(connection, self.till, order.id, by=admin)
        if decision is None or not decision.changed or decision.invoice is None:
            return self._past(connection, order)
        close_cases(connection, order.id, answer="lunas")
        # The payment's own notice says it: one message a payment.
        return ""

    def _refused(self, connection: Connection, order: Order, admin: str) -> str:
        """The transfer was not found; the order goes on waiting for it."""
        decision = transfer.reject(connection, self.till, order.id, by=admin)
        if decision is None or not decision.changed:
            return self._past(connection, order)
        close_cases(connection, order.id, answer=_REFUSAL)
        text = self.sayings.wording.say(
            "jual_transfer_ditolak", pesanan=order.id, total=format_rupiah(order.total_idr)
        )
        self._tell(connection, order, text)
        return self.sayings.wording.say("admin_tolak_ok", nama=self._who(connection, order)["nama"])

    def _shipping(self, connection: Connection, notice: Notice, order: Order, cost_idr: int) -> str:
        locked = orders.lock(connection, order.id)
        lines = orders.lines_of(connection, order.id)
        has_shipping = any(line.kind is LineKind.SHIPPING for line in lines)
        if locked is None or locked.state is not State.CREATED or has_shipping:
            return self._past(connection, order)
        say, address = self.sayings.wording.say, sent_to(locked.details)
        if address is None:
            return say("admin_ongkir_tidak_dikirim", pesanan=order.id)
        case = handoffs.of_notice(connection, notice)
        if case is not None and not asks_shipping_to(case.question, address):
            return say("admin_ongkir_alamat_lain", pesanan=order.id, alamat=address)
        orders.add_shipping(connection, order.id, name=say("jual_baris_ongkir"), cost_idr=cost_idr)
        orders.give_time(connection, order.id, expires_in_ms=self.till.settings.expiry_min * 60_000)
        close_cases(connection, order.id, answer=f"ongkir {cost_idr}")
        lines = orders.lines_of(connection, order.id)
        total_idr = locked.total_idr + cost_idr
        if len(self.methods) > 1 and order.method is None:
            draft = Draft(lines=lines, details=order.details, method=None, needs=())
            self._tell(connection, order, self.sayings.methods(draft), marks=(Mark.METHOD, Mark.STEP))
        else:
            text = self.sayings.shipping_told(lines, total_idr, cost_idr)
            self._tell(connection, order, text, marks=(Mark.GO_ON, Mark.STEP))
        return self.sayings.wording.say(
            "admin_ongkir_ok",
            ongkir=format_rupiah(cost_idr) if cost_idr else "gratis",
            nama=self._who(connection, order)["nama"],
            total=format_rupiah(total_idr),
        )

    def _written(self, connection: Connection, order: Order, text: str, enclosed: Enclosed | None) -> str:
        """Anything else goes to the customer: a tracking number, a picture of the parcel, a question."""
        who = self._who(connection, order)
        if order.chat is None:
            return self._past(connection, order)
        self._tell(connection, order, text, author=Author.HUMAN, enclosed=enclosed)
        return self.sayings.wording.say("admin_terkirim", nama=who["nama"])

    def _past(self, connection: Connection, order: Order) -> str:
        now = orders.get(connection, order.id) or order
        invoice = invoices.of_order(connection, order.id)
        status = self.sayings.standing(now, invoice=invoice.number if invoice is not None else "")
        return self.sayings.wording.say("admin_pesanan_lewat", pesanan=order.id, status=status)

    def _who(self, connection: Connection, order: Order) -> dict[str, str]:
        if order.customer_id is None:
            return {"nama": "pelanggan yang sudah dihapus", "nomor": ""}
        customer = customers.get(connection, order.customer_id)
        return self.people.named(
            connection, order.customer_id, customer.name if customer is not None else None
        )

    def _tell(
        self,
        connection: Connection,
        order: Order,
        text: str,
        *,
        marks: tuple[str, ...] = (),
        author: Author = Author.BOT,
        enclosed: Enclosed | None = None,
    ) -> None:
        """Words to the order's customer, and into his history: his next message answers them."""
        if order.chat is None or order.customer_id is None:
            return
        customer = Reached(
            account=order.account, transport=order.transport, chat=order.chat, customer_id=order.customer_id
        )
        tell(connection, customer, text, author=author, enclosed=enclosed, marks=marks)


def _waits(order: Order) -> bool:
    return order.state is State.WAITING_CONFIRMATION


def _was_refused(connection: Connection, notice: Notice) -> bool:
    """Whether this very notice had its no already: its customer need not read that twice."""
    case = handoffs.of_notice(connection, notice)
    return case is not None and case.answer == _REFUSAL


def _spoken(text: str) -> str:
    return normalise(text).strip(" .!")
