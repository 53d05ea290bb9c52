"""Orders and their lines: what a customer buys, what it costs, and how far its payment is."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    not_,
    select,
    text,
    update,
)

from store.handoffs import TRANSFER_NOTICE
from store.schema import handoffs, notices, now_ms, order_lines, orders

# Midtrans takes no longer name of an item.
MAX_NAME_CHARS = 50
# Crockford's base 32: no I, L, O or U, so that an id read out on the phone is written down right.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_CHARS = 9


class State(StrEnum):
    """Where an order stands; ``billing.lifecycle`` says what leads where."""

    CREATED = "created"  # confirmed by the customer; he has no way to pay yet
    PENDING = "pending"  # he has a payment link, or a picture to scan
    WAITING_CONFIRMATION = "waiting_confirmation"  # he pays by bank transfer, which a person must confirm
    PAID = "paid"  # Midtrans or a person confirmed the whole amount; there is an invoice
    REVIEW = "review"  # a person must look: a challenged card, or what was paid is not what was asked
    EXPIRED = "expired"  # nobody paid in time
    CANCELLED = "cancelled"  # the customer or the shop called it off before it was paid
    FAILED = "failed"  # Midtrans refused the payment for good
    PART_REFUNDED = "part_refunded"  # paid, some of it given back
    REFUNDED = "refunded"  # paid, all of it given back
    REVERSED = "reversed"  # paid, then taken back by the bank or the shop before it was settled
    CHARGEBACK = "chargeback"  # paid, then disputed by the card's owner
    OVERPAID = "overpaid"  # paid more than once: one invoice, and money to give back


# May still be paid as a matter of course; anything later is a surprise that the owner hears of.
UNPAID = (State.CREATED, State.PENDING, State.WAITING_CONFIRMATION, State.REVIEW)


class Method(StrEnum):
    """How the customer pays."""

    MIDTRANS = "midtrans"  # a link or a QRIS picture
    TRANSFER = "transfer"  # to the shop's bank account, confirmed by a person


class LineKind(StrEnum):
    """What a line stands for."""

    ITEM = "item"  # a row of the catalogue
    SHIPPING = "shipping"  # the cost of sending it
    DISCOUNT = "discount"  # what the shop takes off; its ``unit_idr`` is negative


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of an order, as Midtrans and the invoice show it."""

    kind: LineKind
    code: str
    name: str
    quantity: int
    unit_idr: int
    after_payment: str = ""  # what the buyer gets once he has paid; never shown before

    @property
    def amount_idr(self) -> int:
        return self.quantity * self.unit_idr


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """An order without its lines. ``customer_id`` and ``chat`` are None after its customer was deleted."""

    id: str
    account: str
    customer_id: int | None
    transport: str
    chat: str | None
    state: State
    method: Method | None
    total_idr: int
    details: Mapping[str, str]
    created_ms: int
    expires_ms: int
    reminded_ms: int | None
    paid_ms: int | None
    paid_by: str | None
    refunded_idr: int
    note: str | None


def new_order_id() -> str:
    """An id that nobody can guess: whoever knows one may ask how its order stands."""
    return "B" + "".join(secrets.choice(_ALPHABET) for _ in range(_ID_CHARS))


def total_of(lines: Iterable[Line]) -> int:
    """What the lines cost together, in rupiah."""
    return sum(line.amount_idr for line in lines)


def lines_to_json(lines: Iterable[Line]) -> str:
    """Lines as the table of proposals keeps them."""
    return json.dumps(
        [
            {
                "kind": line.kind.value,
                "code": line.code,
                "name": line.name,
                "quantity": line.quantity,
                "unit_idr": line.unit_idr,
                "after_payment": line.after_payment,
            }
            for line in lines
        ],
        ensure_ascii=False,
    )


def lines_from_json(text: str) -> tuple[Line, ...]:
    """The lines that ``lines_to_json`` wrote."""
    return tuple(Line(**{**line, "kind": LineKind(line["kind"])}) for line in json.loads(text))


def create(
    connection: Connection,
    *,
    account: str,
    customer_id: int,
    transport: str,
    chat: str,
    lines: Sequence[Line],
    expires_in_ms: int,
    method: Method | None = None,
    details: Mapping[str, str] | None = None,
) -> Order:
    """Write a new order down; its total is the sum of its lines.

    Raises ValueError for lines that nobody could pay: none at all, a quantity below 1, a total below Rp1.
    """
    total_idr = total_of(lines)
    if not lines or total_idr < 1 or any(line.quantity < 1 for line in lines):
        raise ValueError("an order needs lines with quantities, and a total of one rupiah or more")
    order_id = new_order_id()
    connection.execute(
        insert(orders).values(
            id=order_id,
            account=account,
            customer_id=customer_id,
            transport=transport,
            chat=chat,
            state=State.CREATED.value,
            method=None if method is None else method.value,
            total_idr=total_idr,
            details=json.dumps(dict(details or {}), ensure_ascii=False),
            created_ms=now_ms(),
            expires_ms=now_ms() + expires_in_ms,
        )
    )
    connection.execute(
        insert(order_lines),
        [
            {
                "order_id": order_id,
                "position": position,
                "kind": line.kind.value,
                "code": line.code,
                "name": line.name[:MAX_NAME_CHARS],
                "quantity": line.quantity,
                "unit_idr": line.unit_idr,
                "after_payment": line.after_payment,
            }
            for position, line in enumerate(lines, start=1)
        ],
    )
    created = get(connection, order_id)
    assert created is not None
    return created


_GET = select(orders).where(orders.c.id == bindparam("wanted"))
# SQLite has one writer and no row locks; there this is a plain SELECT.
_LOCK = _GET.with_for_update()


def get(connection: Connection, order_id: str) -> Order | None:
    """The order, or None when there is none with this id."""
    return _first(connection, _GET, {"wanted": order_id})


def lock(connection: Connection, order_id: str) -> Order | None:
    """The order, which nobody else changes until this transaction ends."""
    return _first(connection, _LOCK, {"wanted": order_id})


_LINES = (
    select(order_lines).where(order_lines.c.order_id == bindparam("wanted")).order_by(order_lines.c.position)
)


def lines_of(connection: Connection, order_id: str) -> tuple[Line, ...]:
    """The order's lines, in their order."""
    rows = connection.execute(_LINES, {"wanted": order_id}).all()
    return tuple(
        Line(
            kind=LineKind(row.kind),
            code=row.code,
            name=row.name,
            quantity=row.quantity,
            unit_idr=row.unit_idr,
            after_payment=row.after_payment,
        )
        for row in rows
    )


_OF_CUSTOMER = (
    select(orders)
    .where(orders.c.account == bindparam("in_account"), orders.c.customer_id == bindparam("customer"))
    .order_by(orders.c.created_ms.desc(), orders.c.id.desc())
    .limit(bindparam("most"))
)


def of_customer(connection: Connection, account: str, customer_id: int, *, most: int = 10) -> list[Order]:
    """His orders, the newest first."""
    rows = connection.execute(_OF_CUSTOMER, {"in_account": account, "customer": customer_id, "most": most})
    return [_order(row) for row in rows.all()]


# In the words of the partial index, or neither database would use it.
_UNPAID = text("orders.state IN ('created', 'pending', 'waiting_confirmation', 'review')")
# What the room was told about an order. The customer is named because notices are indexed by him alone.
_NOTICED = select(notices.c.id).where(
    notices.c.customer_id == orders.c.customer_id, notices.c.order_id == orders.c.id
)
# Its customer said that he has transferred the money.
_TRANSFER_TOLD = _NOTICED.where(notices.c.kind == TRANSFER_NOTICE)


def _unanswered(noticed: Select[Any]) -> ColumnElement[bool]:
    """Whether an admin was asked so, and has not answered."""
    open_ones = noticed.join(handoffs, handoffs.c.id == notices.c.handoff_id)
    return open_ones.where(handoffs.c.finished_ms.is_(None)).exists()


_EXPIRED = (
    select(orders)
    .where(
        orders.c.account == bindparam("in_account"),
        _UNPAID,
        orders.c.state.in_([State.CREATED.value, State.PENDING.value, State.WAITING_CONFIRMATION.value]),
        orders.c.expires_ms <= now_ms(),
        # A transfer that a person still looks for, and what nobody can pay before it has an admin's figure.
        not_(and_(orders.c.state == State.WAITING_CONFIRMATION.value, _unanswered(_TRANSFER_TOLD))),
        not_(and_(orders.c.state == State.CREATED.value, _unanswered(_NOTICED))),
    )
    .order_by(orders.c.expires_ms)
)
_REMIND = (
    select(orders)
    .where(
        orders.c.account == bindparam("in_account"),
        _UNPAID,
        orders.c.state.in_([State.PENDING.value, State.WAITING_CONFIRMATION.value]),
        orders.c.reminded_ms.is_(None),
        orders.c.expires_ms > now_ms(),
        orders.c.expires_ms <= now_ms() + bindparam("within_ms"),
        ~_TRANSFER_TOLD.exists(),
    )
    .order_by(orders.c.expires_ms)
)


def past_expiry(connection: Connection, account: str) -> list[Order]:
    """Unpaid orders whose time is over and that nobody closed yet.

    Those in review are a person's, and so is what he still has to check, or to give a figure for first.
    """
    return [_order(row) for row in connection.execute(_EXPIRED, {"in_account": account}).all()]


_IS_OVER = _EXPIRED.where(orders.c.id == bindparam("wanted"))


def is_past_expiry(connection: Connection, account: str, order_id: str) -> bool:
    """Whether the order is one of ``past_expiry``."""
    return connection.execute(_IS_OVER, {"in_account": account, "wanted": order_id}).first() is not None


_IS_TRANSFER_TOLD = select(orders.c.id).where(orders.c.id == bindparam("wanted"), _TRANSFER_TOLD.exists())


def is_transfer_told(connection: Connection, order_id: str) -> bool:
    """Whether the order's customer said that he has transferred the money, checked by now or not."""
    return connection.execute(_IS_TRANSFER_TOLD, {"wanted": order_id}).first() is not None


def to_remind(connection: Connection, account: str, *, within_ms: int) -> list[Order]:
    """Unpaid orders that end within that time and whose customer was not reminded yet.

    Who says that he has transferred the money is told by a person that it has not come.
    """
    values = {"in_account": account, "within_ms": within_ms}
    return [_order(row) for row in connection.execute(_REMIND, values).all()]


# The note of an order that ended at night, until its customer is told so.
_UNTOLD = "habis malam hari, pelanggan belum dikabari"
_TO_TELL = select(orders).where(
    orders.c.account == bindparam("in_account"),
    orders.c.state == State.EXPIRED.value,
    orders.c.note == _UNTOLD,
)


def expire(connection: Connection, order: Order, *, tell_later: bool = False) -> bool:
    """Its time is over; with ``tell_later`` it is in ``to_tell`` until ``told``. False: it has moved."""
    values: dict[str, str] = {"note": _UNTOLD} if tell_later else {}
    return move(connection, order.id, was=order.state, to=State.EXPIRED, **values)


def to_tell(connection: Connection, account: str) -> list[Order]:
    """Orders that ended at night and whose customer does not know yet. Looks through all orders: seldom."""
    return [_order(row) for row in connection.execute(_TO_TELL, {"in_account": account}).all()]


def told(connection: Connection, order_id: str) -> bool:
    """Its customer is told now; False when he was, or when it was paid or opened again meanwhile."""
    statement = update(orders).where(
        orders.c.id == order_id, orders.c.state == State.EXPIRED.value, orders.c.note == _UNTOLD
    )
    return connection.execute(statement.values(note=None)).rowcount == 1


def reminded(connection: Connection, order_id: str) -> None:
    """The customer was reminded; he is not reminded again."""
    connection.execute(update(orders).where(orders.c.id == order_id).values(reminded_ms=now_ms()))


def move(connection: Connection, order_id: str, *, was: State, to: State, **values: Any) -> bool:
    """Set the state (and other columns) if it still is ``was``; False when somebody was there first."""
    statement = (
        update(orders)
        .where(orders.c.id == order_id, orders.c.state == was.value)
        .values(state=to.value, **values)
    )
    return connection.execute(statement).rowcount == 1


def set_method(connection: Connection, order_id: str, method: Method) -> None:
    """The customer chose how to pay."""
    connection.execute(update(orders).where(orders.c.id == order_id).values(method=method.value))


def set_details(connection: Connection, order_id: str, details: Mapping[str, str]) -> None:
    """His answers to what the catalogue asks ("nama", "alamat"), all of them at once."""
    text = json.dumps(dict(details), ensure_ascii=False)
    connection.execute(update(orders).where(orders.c.id == order_id).values(details=text))


def give_time(connection: Connection, order_id: str, *, expires_in_ms: int) -> None:
    """The customer's time to pay begins anew."""
    connection.execute(
        update(orders).where(orders.c.id == order_id).values(expires_ms=now_ms() + expires_in_ms)
    )


def add_shipping(connection: Connection, order_id: str, *, name: str, cost_idr: int) -> None:
    """Put what sending costs behind the order's lines, and into its total. Once an order; 0 is free."""
    last = select(func.max(order_lines.c.position)).where(order_lines.c.order_id == order_id)
    connection.execute(
        insert(order_lines).values(
            order_id=order_id,
            position=int(connection.execute(last).scalar_one()) + 1,
            kind=LineKind.SHIPPING.value,
            code=LineKind.SHIPPING.value.upper(),
            name=name[:MAX_NAME_CHARS],
            quantity=1,
            unit_idr=cost_idr,
        )
    )
    connection.execute(
        update(orders).where(orders.c.id == order_id).values(total_idr=orders.c.total_idr + cost_idr)
    )


_LISTED = (
    select(orders)
    .where(
        orders.c.account == bindparam("in_account"),
        _UNPAID,
    )
    .order_by(orders.c.created_ms)
)


def unpaid(connection: Connection, account: str) -> list[Order]:
    """All orders that may still be paid, the oldest first: some dozens, for their time ends."""
    return [_order(row) for row in connection.execute(_LISTED, {"in_account": account}).all()]


def _first(connection: Connection, statement: Any, values: dict[str, Any]) -> Order | None:
    row = connection.execute(statement, values).first()
    return None if row is None else _order(row)


def _order(row: Row[Any]) -> Order:
    values = dict(row._mapping)
    values["state"] = State(row.state)
    values["method"] = None if row.method is None else Method(row.method)
    values["details"] = json.loads(row.details)
    return Order(**values)
