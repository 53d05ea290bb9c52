"""What became of a set of payments, counted by their ids: the verdict over the payment process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from billing.lifecycle import INVOICED
from store.schema import invoices, notices, orders, outbox, payment_events


@dataclass(frozen=True, kw_only=True)
class PayVerdict:
    """Ids of orders; all empty when the guarantees held."""

    lost: tuple[str, ...] = ()  # paid at Midtrans, and not here
    invented: tuple[str, ...] = ()  # paid here, and not at Midtrans
    doubled: tuple[str, ...] = ()  # thanked, or told of, more than once
    unthanked: tuple[str, ...] = ()  # paid, and nobody was told
    without_invoice: tuple[str, ...] = ()  # paid without an invoice
    stray_invoices: tuple[str, ...] = ()  # an invoice without a paid order
    gaps: tuple[str, ...] = ()  # numbers that nobody has, below one that somebody has
    # Attempts: Midtrans was told 200, and there is no row. The poller may make it good all the same.
    forgotten: tuple[str, ...] = ()

    @property
    def faults(self) -> dict[str, tuple[str, ...]]:
        return {name: found for name, found in vars(self).items() if found}


@dataclass(kw_only=True)
class Books:
    """Everything that the database holds of orders, read at once."""

    states: dict[str, str] = field(default_factory=dict)
    invoices: dict[str, int] = field(default_factory=dict)
    thanks: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    told_of: set[str] = field(default_factory=set)  # attempts with a notification

    @classmethod
    def read(cls, connection: Connection) -> Books:
        """What is there now."""
        books = cls()
        chats = {}
        for order_id, state, chat in connection.execute(select(orders.c.id, orders.c.state, orders.c.chat)):
            books.states[order_id] = state
            chats[chat] = order_id
        for order_id, sequence in connection.execute(select(invoices.c.order_id, invoices.c.sequence)):
            books.invoices[order_id] = sequence
        for (chat,) in connection.execute(
            select(outbox.c.chat).where(outbox.c.kind == "text", outbox.c.purpose == "receipt")
        ):
            books.thanks[chats[chat]] += 1
        for (order_id,) in connection.execute(select(notices.c.order_id).where(notices.c.kind == "order")):
            books.notices[order_id] += 1
        books.told_of.update(connection.execute(select(payment_events.c.key)).scalars())
        return books


def check(books: Books, *, paid: Collection[str], acknowledged: Collection[str] = ()) -> PayVerdict:
    """The verdict over these books, when Midtrans has the money of the orders ``paid``.

    ``acknowledged`` are the attempts of whose payment Midtrans need not tell again.
    """
    invoiced = {state.value for state in INVOICED}
    ours = {order_id for order_id, state in books.states.items() if state in invoiced}
    taken = set(books.invoices.values())
    return PayVerdict(
        lost=tuple(sorted(set(paid) - ours)),
        invented=tuple(sorted(ours - set(paid))),
        doubled=tuple(sorted(one for one in books.states if books.thanks[one] > 1 or books.notices[one] > 1)),
        unthanked=tuple(sorted(one for one in ours if not (books.thanks[one] and books.notices[one]))),
        without_invoice=tuple(sorted(ours - books.invoices.keys())),
        stray_invoices=tuple(sorted(books.invoices.keys() - ours)),
        gaps=tuple(str(n) for n in range(1, max(taken, default=0) + 1) if n not in taken),
        forgotten=tuple(sorted(set(acknowledged) - books.told_of)),
    )
