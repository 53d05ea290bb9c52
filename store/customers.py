"""Customers and their addresses. A customer is an internal id; phone number and LID are aliases of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, exists, func, insert, or_, select, update

from store import merging
from store.forgetting import forget as forget
from store.prepared import Prepared
from store.schema import LEFT_OUT, aliases, customers, inbox, now_ms, orders, outbox, proposals, turns
from store.turns import Author


class Address(NamedTuple):
    """One of a customer's addresses: the network's server part and the user part."""

    server: str
    user: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """What the conversation knows of a customer before it reads his message."""

    id: int
    name: str | None
    introduced: bool
    mode: str | None
    silent_ms: int  # how long the bot still keeps quiet in this chat; 0 when it does not
    human_ms: int = 0  # when a person of the shop was last heard here; nothing older is answered
    trades: bool = False  # whether he was read an offer, or ever ordered: else nobody need look for orders
    judged: bool = False  # whether it was decided if he is among those who are answered


# Why the bot is silent in a chat (`silent_reason`): a person writes there.
HUMAN = "human"

_COLUMNS = select(
    customers.c.id,
    customers.c.name,
    customers.c.introduced_ms,
    customers.c.mode,
    customers.c.silent_until_ms - now_ms(),
    customers.c.human_ms,
    # In the statement that finds him anyway: another one would cost every answer more than this.
    or_(
        exists().where(proposals.c.customer_id == customers.c.id),
        exists().where(orders.c.customer_id == customers.c.id),
    ),
    customers.c.judged_ms,
)
_GET = Prepared(_COLUMNS.where(customers.c.id == bindparam("customer")))
_FIND = Prepared(
    _COLUMNS.join(aliases, aliases.c.customer_id == customers.c.id).where(
        aliases.c.account == bindparam("in_account"),
        aliases.c.server == bindparam("in_server"),
        aliases.c.user == bindparam("in_user"),
    )
)
_INTRODUCED = (
    update(customers)
    .where(customers.c.id == bindparam("customer"), customers.c.introduced_ms.is_(None))
    .values(introduced_ms=now_ms())
)


_ADDRESSES = Prepared(
    select(aliases.c.server, aliases.c.user).where(aliases.c.customer_id == bindparam("customer"))
)


def find(connection: Connection, account: str, address: Address) -> Customer | None:
    """The customer with this address, or None when he never wrote."""
    row = _FIND.execute(
        connection, {"in_account": account, "in_server": address.server, "in_user": address.user}
    ).first()
    return None if row is None else _customer(row)


def get(connection: Connection, customer_id: int) -> Customer | None:
    """The customer with this id, or None when he was deleted or merged."""
    row = _GET.execute(connection, {"customer": customer_id}).first()
    return None if row is None else _customer(row)


def _customer(row: Sequence[Any]) -> Customer:
    return Customer(
        id=row[0],
        name=row[1],
        introduced=row[2] is not None,
        mode=row[3],
        silent_ms=max(0, row[4] or 0),
        human_ms=row[5] or 0,
        trades=bool(row[6]),
        judged=row[7] is not None,
    )


def resolve(
    connection: Connection, account: str, addresses: Sequence[Address], *, name: str | None
) -> tuple[Customer, list[int]]:
    """The customer with any of these addresses, created or merged as needed.

    The second part names the customers that were merged into him, because two addresses turned out
    to be one person (a phone number and a LID).
    """
    known = [found for address in addresses if (found := find(connection, account, address)) is not None]
    by_age = sorted({customer.id: customer for customer in known}.values(), key=lambda customer: customer.id)
    if by_age:
        kept = by_age[0]
    else:
        created = connection.execute(
            insert(customers)
            .values(account=account, name=name, created_ms=now_ms())
            .returning(customers.c.id)
        ).scalar_one()
        kept = Customer(id=int(created), name=name, introduced=False, mode=None, silent_ms=0)
    merged = [customer.id for customer in by_age[1:]]
    for other in merged:
        merging.merge(connection, kept=kept.id, other=other)
    for address in addresses:
        if find(connection, account, address) is None:
            connection.execute(
                insert(aliases).values(
                    account=account, server=address.server, user=address.user, customer_id=kept.id
                )
            )
    if name and name != kept.name:
        connection.execute(update(customers).where(customers.c.id == kept.id).values(name=name))
    # Read again: a new name, or what a merge brought along (silence, the chat's own mode, the notice).
    return get(connection, kept.id) or kept, merged


def introduced(connection: Connection, customer_id: int) -> None:
    """The privacy notice rode on an answer to this customer."""
    connection.execute(_INTRODUCED, {"customer": customer_id})


def keep_silent(connection: Connection, customer_id: int, *, for_ms: int, reason: str) -> None:
    """The bot says nothing in this chat for so long."""
    # When it is over, he is still one of those who were left out with others.
    kept = case((customers.c.silent_reason == LEFT_OUT, LEFT_OUT), else_=reason)
    connection.execute(
        update(customers)
        .where(customers.c.id == customer_id)
        .values(silent_until_ms=now_ms() + for_ms, silent_reason=kept)
    )


def human_wrote(connection: Connection, customer_id: int) -> None:
    """A person of the shop wrote in this chat: whatever is there now, messages and answers, is his affair."""
    connection.execute(update(customers).where(customers.c.id == customer_id).values(human_ms=now_ms()))


def speak_again(connection: Connection, customer_id: int) -> None:
    """Whatever silenced the bot in this chat (a pause, a loop, the chat's own mode) is over.

    That he is answered is thereby decided, whoever else is.
    """
    connection.execute(
        update(customers)
        .where(customers.c.id == customer_id)
        .values(mode=None, silent_until_ms=None, silent_reason=None, judged_ms=now_ms())
    )


def judge(connection: Connection, customer_id: int, *, admitted: bool) -> None:
    """Whether this customer is among those who are answered; nothing when that is decided already."""
    values: dict[str, Any] = {"judged_ms": now_ms()}
    if not admitted:
        values |= {"mode": "off", "silent_reason": LEFT_OUT}
    unjudged = (customers.c.id == customer_id, customers.c.judged_ms.is_(None))
    connection.execute(update(customers).where(*unjudged).values(values))


def leave_out_all(connection: Connection, account: str) -> None:
    """Nobody is answered but those whom the owner names from now on."""
    connection.execute(
        update(customers)
        .where(customers.c.account == account, customers.c.mode.is_(None))
        .values(mode="off", silent_reason=LEFT_OUT)
    )


def let_in_all(connection: Connection, account: str) -> None:
    """Whoever was left out is judged anew when he writes; who is ignored by the owner's word stays so."""
    connection.execute(
        update(customers)
        .where(customers.c.account == account, customers.c.silent_reason == LEFT_OUT)
        .values(mode=None, silent_reason=None, judged_ms=None)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A customer whose newest words nobody has answered while a person has the chat."""

    customer: Customer
    chat: str
    asked: str


def waiting_for_a_person(connection: Connection, account: str, *, for_ms: int) -> list[Waiting]:
    """Who has waited at least ``for_ms`` inside a pause that a person's words began (reason ``human``)."""
    his = turns.alias("his")
    # What the bot says in a pause is about his data; a question before it still waits.
    newest = (
        select(func.max(his.c.id))
        .where(his.c.customer_id == customers.c.id, his.c.author != Author.BOT.value)
        .scalar_subquery()
    )
    chat = (
        select(inbox.c.chat)
        .where(inbox.c.customer_id == customers.c.id)
        .order_by(inbox.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = connection.execute(
        _COLUMNS.add_columns(chat, turns.c.asked)
        .join_from(customers, turns, turns.c.id == newest)
        .where(
            customers.c.account == account,
            customers.c.silent_reason == HUMAN,
            customers.c.silent_until_ms > now_ms(),
            turns.c.asked != "",
            turns.c.replied == "",
            turns.c.created_ms <= now_ms() - for_ms,
        )
    ).all()
    # The last two are those that were added; how many stand before them is the customer's affair.
    return [
        Waiting(customer=_customer(row), chat=row[-2], asked=row[-1]) for row in rows if row[-2] is not None
    ]


def not_introduced(connection: Connection, outbox_ids: Sequence[int], *, notice: str) -> None:
    """These messages are not sent after all: on whichever the privacy notice rode, the next answer has it."""
    whose = select(outbox.c.customer_id).where(
        outbox.c.id.in_(outbox_ids), outbox.c.body.endswith(notice, autoescape=True)
    )
    connection.execute(update(customers).where(customers.c.id.in_(whose)).values(introduced_ms=None))


def set_mode(connection: Connection, customer_id: int, mode: str | None) -> None:
    """The gate's mode for this chat alone; None follows the shop's again."""
    # A word about this one counts for more than that he was left out with others.
    reason = case((customers.c.silent_reason == LEFT_OUT, None), else_=customers.c.silent_reason)
    connection.execute(
        update(customers)
        .where(customers.c.id == customer_id)
        .values(mode=mode, silent_reason=reason, judged_ms=now_ms())
    )


def addresses_of(connection: Connection, customer_id: int) -> list[Address]:
    """Every address of the customer."""
    rows = _ADDRESSES.execute(connection, {"customer": customer_id})
    return [Address(row[0], row[1]) for row in rows]
