"""*lunas*: money that an admin sees in the bank before its customer says that he has paid.

Which order is meant is said by its number, or by quoting anything about its customer. It is read back, and
nothing is marked paid before that is quoted with *ya*.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from billing.asking import order_id_in, without_order_id
from bot.room.command import Behind, Command, Quote, Request, Takes, spoken
from bot.room.naming import named
from bot.room.parts import RoomParts
from bot.selling.desk import ARRIVED, PAID
from store import customers, handoffs, orders, outbox
from store.orders import Order

# Money is agreed to in so many words: what else is taken for a yes here is none.
_YES = PAID | ARRIVED | {"ya", "iya"}
# Without quoting it they are only told what to do.
_BARE = frozenset(("ya", "iya", "tidak"))
_NO = frozenset(("tidak", "belum", "jangan", "batal", "belum masuk", "tidak masuk", "nggak", "gak", "ga"))


class Transfers:
    """The word, and what was read back because of it."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            Command(
                words=tuple(sorted(PAID)),
                act=self.asked,
                takes=Takes.MAYBE,
                help_sentence="admin_bantuan_lunas",
            ),
            # Goods come in, too: alone these words are talk.
            Command(words=tuple(sorted(ARRIVED)), act=self.of_told),
        )
        self.quotes = (Quote(kind=handoffs.PAID_QUESTION, act=self.settle, bare=_BARE),)
        self.behind = (Behind(fits=_says_paid, act=self.of_quoted),)

    def asked(self, connection: Connection, request: Request) -> str | None:
        """*lunas B…*, *lunas budi*, or *lunas* alone where one order waits."""
        p = self._p
        if request.message.file is not None:
            return None  # Words below a picture are about the picture.
        if (order_id := order_id_in(request.text)) is not None:
            order = orders.get(connection, order_id)
            if order is None or order.account != p.account:
                return p.wording.say("admin_lunas_tidak_ada", pesanan=order_id)
            return p.desk.ask_if_paid(connection, order)
        if request.means(PAID):
            if (customer_id := self._quoted_customer(connection, request)) is not None:
                return self._of_customer(connection, customer_id)
            told = self._one_of(connection, p.desk.awaiting_transfer(connection))
            return p.wording.say("admin_lunas_kosong") if told is None else told
        found = named(connection, p, request.argument, command="lunas")
        if found is None or isinstance(found, str):
            return found
        return self._of_customer(connection, found.id)

    def of_quoted(self, connection: Connection, request: Request) -> str | None:
        """Behind a notice: the order that is named, else its customer's that wait; None when he has none.

        One that is about an order knows better which is meant.
        """
        if order_id_in(request.text) is not None:
            return self.asked(connection, request)
        notice = request.notice
        if notice is None or notice.customer_id is None or notice.order_id is not None:
            return None
        return self._one_of(connection, self._p.desk.owed_by(connection, notice.customer_id))

    def of_told(self, connection: Connection, request: Request) -> str | None:
        """Behind the outcome of a command about a customer; None behind anything else, and behind nothing."""
        customer_id = self._quoted_customer(connection, request)
        return None if customer_id is None else self._of_customer(connection, customer_id)

    def settle(self, connection: Connection, request: Request) -> str | None:
        p, notice = self._p, request.notice
        order = None if notice is None or notice.order_id is None else orders.get(connection, notice.order_id)
        if order is None:
            return p.wording.say("admin_tidak_ada_lagi")
        agrees = request.means(_YES) and "?" not in request.text  # "lunas?" asks.
        if agrees and request.message.quoted_id is None:
            return p.wording.say("admin_lunas_geser")
        if agrees:
            return p.desk.paid(connection, order, admin=request.message.sender)
        if request.means(_NO):
            return p.wording.say("admin_lunas_batal", pesanan=order.id)
        return p.wording.say("admin_lunas_jawab")

    def _one_of(self, connection: Connection, waiting: Sequence[Order]) -> str | None:
        """The one order is read back, of several their numbers are named; None when there is none.

        What was read back is a message of its own, and nothing is left to be said.
        """
        if not waiting:
            return None
        if len(waiting) > 1:
            return self._p.desk.chosen_from(connection, waiting)
        return self._p.desk.ask_if_paid(connection, waiting[0])

    def _of_customer(self, connection: Connection, customer_id: int) -> str:
        told = self._one_of(connection, self._p.desk.owed_by(connection, customer_id))
        if told is not None:
            return told
        customer = customers.get(connection, customer_id)
        name, number = self._p.people.label(
            connection, customer_id, None if customer is None else customer.name
        )
        return self._p.wording.say("admin_lunas_orang", nama=name, nomor=number)

    def _quoted_customer(self, connection: Connection, request: Request) -> int | None:
        """Whom the quoted message is about, be it a notice or the outcome of a command."""
        if request.notice is not None:
            return request.notice.customer_id
        if request.message.quoted_id is None:
            return None
        return outbox.customer_of(
            connection, self._p.account, request.message.chat, request.message.quoted_id
        )


def _says_paid(request: Request) -> bool:
    """Whether all of it says that money came; an order's number may stand beside it."""
    return spoken(without_order_id(request.text)) in PAID | ARRIVED
