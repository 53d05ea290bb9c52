"""Customers and their addresses. A customer is an internal id; phone number and LID are aliases of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from store import changes, order_owners
from store.prepared import Prepared
from store.schema import (
    aliases,
    attachments,
    chat_timers,
    customers,
    forwards,
    handoffs,
    inbox,
    media,
    notices,
    now_ms,
    orders,
    outbox,
    past_chats,
    proposals,
    turns,
    undecryptable,
    usage,
)


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


# Why the bot is silent in a chat (`silent_reason`): a person writes there.
HUMAN = "human"

# Purposes (store.outbox.Purpose) of what goes to the customer himself.
_TO_CUSTOMERS = ("answer", "relay", "receipt")
# The modes of the gate (config.settings.Mode) by what they let through, the least first.
_STRICTEST_FIRST = ("off", "practice", "approve", "on")

# Purposes of what goes to the owner's room.
_TO_OWNER = ("notice", "reminder", "command")

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
        _merge(connection, kept.id, other)
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
    connection.execute(
        update(customers)
        .where(customers.c.id == customer_id)
        .values(silent_until_ms=now_ms() + for_ms, silent_reason=reason)
    )


def human_wrote(connection: Connection, customer_id: int) -> None:
    """A person of the shop wrote in this chat: whatever is there now, messages and answers, is his affair."""
    connection.execute(update(customers).where(customers.c.id == customer_id).values(human_ms=now_ms()))


def speak_again(connection: Connection, customer_id: int) -> None:
    """Whatever silenced the bot in this chat (a pause, a loop, the chat's own mode) is over."""
    connection.execute(
        update(customers)
        .where(customers.c.id == customer_id)
        .values(mode=None, silent_until_ms=None, silent_reason=None)
    )


# `silent_reason` of a chat that is off because of who is answered at all, not by a word about this one.
LEFT_OUT = "left_out"


def leave_out(connection: Connection, customer_id: int) -> None:
    """This customer is not among those who are answered."""
    connection.execute(
        update(customers).where(customers.c.id == customer_id).values(mode="off", silent_reason=LEFT_OUT)
    )


def leave_out_all(connection: Connection, account: str) -> None:
    """Nobody is answered but those whom the owner names from now on."""
    connection.execute(
        update(customers)
        .where(customers.c.account == account, customers.c.mode.is_(None))
        .values(mode="off", silent_reason=LEFT_OUT)
    )


def let_in_all(connection: Connection, account: str) -> None:
    """Whoever was left out is answered like everybody; who is ignored by the owner's word stays so."""
    connection.execute(
        update(customers)
        .where(customers.c.account == account, customers.c.silent_reason == LEFT_OUT)
        .values(mode=None, silent_reason=None)
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
    newest = select(func.max(his.c.id)).where(his.c.customer_id == customers.c.id).scalar_subquery()
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


def not_introduced(connection: Connection, customer_id: int) -> None:
    """The answer that the privacy notice rode on was not sent after all."""
    connection.execute(update(customers).where(customers.c.id == customer_id).values(introduced_ms=None))


def set_mode(connection: Connection, customer_id: int, mode: str | None) -> None:
    """The gate's mode for this chat alone; None follows the shop's again."""
    # A word about this one counts for more than that he was left out with others.
    reason = case((customers.c.silent_reason == LEFT_OUT, None), else_=customers.c.silent_reason)
    connection.execute(
        update(customers).where(customers.c.id == customer_id).values(mode=mode, silent_reason=reason)
    )


def addresses_of(connection: Connection, customer_id: int) -> list[Address]:
    """Every address of the customer."""
    rows = _ADDRESSES.execute(connection, {"customer": customer_id})
    return [Address(row[0], row[1]) for row in rows]


def forget(connection: Connection, customer_id: int) -> bool:
    """Delete the customer and everything that he said or was told; False when there is no such customer.

    What remains: the shop's daily totals; orders and invoices, without him as far as the law allows; and a
    tombstone with his number in the change log, which makes every memory drop him and which no replay can
    undo.
    """
    chats = {
        row[0]
        for table in (inbox, handoffs)
        for row in connection.execute(select(table.c.chat).where(table.c.customer_id == customer_id)).all()
    } | {
        # Not those to the owner's room, which are about the customer but not in his chat.
        row[0]
        for row in connection.execute(
            select(outbox.c.chat).where(
                outbox.c.customer_id == customer_id, outbox.c.purpose.in_(_TO_CUSTOMERS)
            )
        ).all()
    }
    # What the owner said about him goes too, but the room where he said it is nobody's chat: what else waits
    # there may be an answer to somebody else.
    rooms = connection.execute(
        select(outbox.c.chat).where(outbox.c.chat.in_(chats), outbox.c.purpose.in_(_TO_OWNER))
    ).scalars()
    own_chats = sorted(set(chats).difference(rooms))
    connection.execute(
        delete(notices).where(
            or_(
                notices.c.customer_id == customer_id,
                notices.c.outbox_id.in_(select(outbox.c.id).where(outbox.c.customer_id == customer_id)),
            )
        )
    )
    # Files first: rows of theirs point at the outbox. Those on disk go with their rows (`store.media`).
    his_media = select(media.c.id).where(media.c.customer_id == customer_id)
    his_outbox = select(outbox.c.id).where(outbox.c.customer_id == customer_id)
    connection.execute(
        delete(attachments).where(
            or_(attachments.c.outbox_id.in_(his_outbox), attachments.c.media_id.in_(his_media))
        )
    )
    connection.execute(delete(forwards).where(forwards.c.media_id.in_(his_media)))
    connection.execute(delete(media).where(media.c.customer_id == customer_id))
    connection.execute(delete(chat_timers).where(chat_timers.c.customer_id == customer_id))
    connection.execute(delete(handoffs).where(handoffs.c.customer_id == customer_id))
    connection.execute(delete(outbox).where(outbox.c.customer_id == customer_id))
    connection.execute(delete(inbox).where(inbox.c.customer_id == customer_id))
    # A message that came in meanwhile and has no customer yet is his too when it came in his chat.
    connection.execute(delete(inbox).where(inbox.c.customer_id.is_(None), inbox.c.chat.in_(own_chats)))
    connection.execute(delete(turns).where(turns.c.customer_id == customer_id))
    for table in (usage, undecryptable, past_chats):
        connection.execute(delete(table).where(table.c.customer_id == customer_id))
    order_owners.forget(connection, customer_id)
    connection.execute(delete(aliases).where(aliases.c.customer_id == customer_id))
    deleted = connection.execute(delete(customers).where(customers.c.id == customer_id)).rowcount
    changes.append(
        connection, entity="customer", ref=str(customer_id), customer_id=customer_id, tombstone=True
    )
    return deleted == 1


def _merge(connection: Connection, kept: int, other: int) -> None:
    """Give everything of ``other`` to ``kept``; the memories learn it from the change log."""
    moved = [
        row[0] for row in connection.execute(select(turns.c.id).where(turns.c.customer_id == other)).all()
    ]
    tables = (turns, inbox, outbox, handoffs, notices, aliases, media, chat_timers, undecryptable, past_chats)
    for table in tables:
        connection.execute(
            update(table).where(table.c.customer_id == literal(other)).values(customer_id=kept)
        )
    spent = connection.execute(select(usage).where(usage.c.customer_id == other)).all()
    for row in spent:
        _add_usage(connection, kept, row._asdict())
    connection.execute(delete(usage).where(usage.c.customer_id == other))
    order_owners.merge(connection, kept=kept, other=other)
    _merge_standing(connection, kept, other)
    connection.execute(delete(customers).where(customers.c.id == other))
    changes.append(connection, entity="customer", ref=str(other), customer_id=other, tombstone=True)
    for turn_id in moved:
        changes.append(connection, entity="turn", ref=str(turn_id), customer_id=kept)


def _merge_standing(connection: Connection, kept: int, other: int) -> None:
    """One person keeps the stricter of his two standings: silenced in one chat is silenced in both."""
    columns = (
        customers.c.name,
        customers.c.introduced_ms,
        customers.c.mode,
        customers.c.silent_until_ms,
        customers.c.silent_reason,
        customers.c.human_ms,
    )
    found = {
        row.id: row
        for row in connection.execute(
            select(customers.c.id, *columns).where(customers.c.id.in_([kept, other]))
        )
    }
    ours, theirs = found[kept], found[other]
    quieter = theirs if (theirs.silent_until_ms or 0) > (ours.silent_until_ms or 0) else ours
    introduced_ms = [row.introduced_ms for row in (ours, theirs) if row.introduced_ms is not None]
    modes = {row.mode for row in (ours, theirs) if row.mode is not None}
    connection.execute(
        update(customers)
        .where(customers.c.id == kept)
        .values(
            name=ours.name or theirs.name,
            introduced_ms=min(introduced_ms, default=None),
            mode=next((mode for mode in _STRICTEST_FIRST if mode in modes), None),
            silent_until_ms=quieter.silent_until_ms,
            silent_reason=quieter.silent_reason,
            human_ms=max((row.human_ms for row in (ours, theirs) if row.human_ms is not None), default=None),
        )
    )


def _add_usage(connection: Connection, kept: int, values: dict[str, object]) -> None:
    sums = {
        name: values[name]
        for name in (
            "answers",
            "input_tokens",
            "output_tokens",
            "embedding_tokens",
            "reserved_idr",
            "spent_idr",
        )
    }
    same_day = (
        usage.c.account == values["account"],
        usage.c.day == values["day"],
        usage.c.customer_id == kept,
    )
    found = connection.execute(
        update(usage).where(*same_day).values({name: usage.c[name] + value for name, value in sums.items()})
    ).rowcount
    if not found:
        connection.execute(
            insert(usage).values(account=values["account"], day=values["day"], customer_id=kept, **sums)
        )
