"""Bank transfers: only a person's word pays them, by the same function as Midtrans's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from billing.payments import settle_paid
from billing.till import Till
from store import handoffs, invoices, orders
from store.invoices import Invoice
from store.orders import Method, Order, State

# How an invoice names it where the bank is not known.
METHOD = "Transfer bank"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What an admin's word did. ``changed`` False: the order did not wait for it (any more)."""

    order: Order
    changed: bool
    invoice: Invoice | None = None


def choose(connection: Connection, order_id: str) -> bool:
    """The customer pays by bank transfer; False when the order is over or paid."""
    order = orders.lock(connection, order_id)
    if order is None or order.state not in (State.CREATED, State.PENDING):
        return False
    return orders.move(
        connection,
        order_id,
        was=order.state,
        to=State.WAITING_CONFIRMATION,
        method=Method.TRANSFER.value,
    )


def can_be_confirmed(order: Order) -> bool:
    """Whether a person's *lunas* pays it: it waits for a transfer, or did until its time was over."""
    if order.state is State.WAITING_CONFIRMATION:
        return True
    return order.state is State.EXPIRED and order.method is Method.TRANSFER


def confirm(
    connection: Connection, till: Till, order_id: str, *, by: str, method: str = METHOD
) -> Decision | None:
    """An admin said *lunas*: the order is paid, with its invoice. None when there is no such order.

    Orders that expired meanwhile are paid as well: the money is there, whatever our clock says. Quoting the
    notice twice makes one invoice.
    """
    order = orders.lock(connection, order_id)
    if order is None or order.account != till.account:
        return None
    if not can_be_confirmed(order):
        return Decision(order=order, changed=False, invoice=invoices.of_order(connection, order_id))
    invoice = settle_paid(connection, till, order, by=by, via=Method.TRANSFER, method=method)
    paid = orders.get(connection, order_id)
    assert paid is not None
    return Decision(order=paid, changed=True, invoice=invoice)


def reject(connection: Connection, till: Till, order_id: str, *, by: str) -> Decision | None:
    """An admin said *tolak*: no such transfer came. The order goes on waiting until its time is over.

    One that is over is refused when its customer waits for that very word.

    The customer is told by whoever has the words for it; ``note`` says who refused it.
    """
    order = orders.lock(connection, order_id)
    if order is None or order.account != till.account:
        return None
    waits = order.state is State.WAITING_CONFIRMATION or bool(handoffs.open_of_order(connection, order_id))
    if not waits or not can_be_confirmed(order):
        return Decision(order=order, changed=False, invoice=invoices.of_order(connection, order_id))
    orders.move(connection, order_id, was=order.state, to=order.state, note=f"transfer ditolak {by}")
    return Decision(order=order, changed=True)
