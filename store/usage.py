"""What the model costs in whole rupiah a day: reserved at its upper bound before a call, settled after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from store.customers import Customer
from store.prepared import Prepared
from store.schema import now_ms, usage
from store.upsert import ByDialect

# The row of the whole shop; customer ids start at 1.
WHOLE_SHOP = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The most that may be spent in a day, in rupiah."""

    shop_idr: int
    customer_idr: int
    customer_answers: int | None = None  # of the model; None: as many as the money allows


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """Money set aside for one answer; give it back with ``settle``."""

    account: str
    day: str
    customer_id: int
    amount_idr: int

    def of(self, customer: Customer | None) -> Reservation:
        """The same for who he is now: merged with another meanwhile, or deleted (None)."""
        return self if customer is None else replace(self, customer_id=customer.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What one answer really cost."""

    input_tokens: int = 0
    output_tokens: int = 0
    embedding_tokens: int = 0
    cost_idr: int = 0


# Not IN, whose list SQLAlchemy writes anew at every execution.
_SHOP_AND_CUSTOMER = or_(usage.c.customer_id == WHOLE_SHOP, usage.c.customer_id == bindparam("in_customer"))
_SELECT = Prepared(
    select(usage.c.customer_id, usage.c.reserved_idr + usage.c.spent_idr, usage.c.answers).where(
        usage.c.account == bindparam("in_account"),
        usage.c.day == bindparam("in_day"),
        _SHOP_AND_CUSTOMER,
    )
)
_KEY = ["account", "day", "customer_id"]
_ADDED = {"reserved_idr": usage.c.reserved_idr + bindparam("amount")}
_RESERVE = ByDialect(
    lambda insert: Prepared(
        insert(usage)
        .values(reserved_idr=bindparam("amount"))
        .on_conflict_do_update(index_elements=_KEY, set_=_ADDED)
    )
)
_SETTLE = Prepared(
    update(usage)
    .where(
        usage.c.account == bindparam("in_account"),
        usage.c.day == bindparam("in_day"),
        _SHOP_AND_CUSTOMER,
    )
    .values(
        answers=usage.c.answers + 1,
        reserved_idr=usage.c.reserved_idr - bindparam("amount"),
        spent_idr=usage.c.spent_idr + bindparam("cost"),
        input_tokens=usage.c.input_tokens + bindparam("input"),
        output_tokens=usage.c.output_tokens + bindparam("output"),
        embedding_tokens=usage.c.embedding_tokens + bindparam("embedding"),
    )
)


class Limit(Enum):
    """What is used up for the day."""

    SHOP = "shop"  # the shop's money
    CUSTOMER = "customer"  # the customer's share of it
    ANSWERS = "answers"  # the customer's number of answers


def exceeded(connection: Connection, wanted: Reservation, budget: Budget) -> Limit | None:
    """What forbids this answer; None when nothing does."""
    key = {"in_account": wanted.account, "in_day": wanted.day, "in_customer": wanted.customer_id}
    used = {row[0]: (int(row[1]), int(row[2])) for row in _SELECT.execute(connection, key)}
    if used.get(WHOLE_SHOP, (0, 0))[0] + wanted.amount_idr > budget.shop_idr:
        return Limit.SHOP
    spent_idr, answers = used.get(wanted.customer_id, (0, 0))
    if spent_idr + wanted.amount_idr > budget.customer_idr:
        return Limit.CUSTOMER
    if budget.customer_answers is not None and answers >= budget.customer_answers:
        return Limit.ANSWERS
    return None


def is_news(connection: Connection, reserved: Reservation, limit: Limit) -> bool:
    """Whether the owner has not been told of this limit today; from now on he has."""
    customer_id = WHOLE_SHOP if limit is Limit.SHOP else reserved.customer_id
    key = {"account": reserved.account, "day": reserved.day, "customer_id": customer_id}
    here = [usage.c[name] == value for name, value in key.items()]
    told = connection.execute(select(usage.c.told_ms).where(*here)).first()
    if told is not None and told[0] is not None:
        return False
    if told is None:
        connection.execute(insert(usage).values(key))
    connection.execute(update(usage).where(*here).values(told_ms=now_ms()))
    return True


def reserve(connection: Connection, wanted: Reservation, budget: Budget) -> bool:
    """Set the amount aside for shop and customer; False, and nothing set aside, when a budget forbids it."""
    if exceeded(connection, wanted, budget) is not None:
        return False
    values = {"account": wanted.account, "day": wanted.day, "amount": wanted.amount_idr}
    _RESERVE[connection.dialect.name].execute_many(
        connection,
        [values | {"customer_id": WHOLE_SHOP}, values | {"customer_id": wanted.customer_id}],
    )
    return True


def settle(connection: Connection, reserved: Reservation, spent: Spent) -> None:
    """Replace the reservation by what the answer really cost."""
    _SETTLE.execute(
        connection,
        {
            "in_account": reserved.account,
            "in_day": reserved.day,
            "in_customer": reserved.customer_id,
            "amount": reserved.amount_idr,
            "cost": spent.cost_idr,
            "input": spent.input_tokens,
            "output": spent.output_tokens,
            "embedding": spent.embedding_tokens,
        },
    )


def spend_orphans(connection: Connection, account: str) -> None:
    """Count what a crashed process had reserved as spent: the calls may have been made."""
    connection.execute(
        update(usage)
        .where(usage.c.account == account, usage.c.reserved_idr != 0)
        .values(spent_idr=usage.c.spent_idr + usage.c.reserved_idr, reserved_idr=0)
    )


def spent_on(connection: Connection, account: str, day: str) -> Spent:
    """What the whole shop spent on that day."""
    row = connection.execute(
        select(
            usage.c.input_tokens, usage.c.output_tokens, usage.c.embedding_tokens, usage.c.spent_idr
        ).where(usage.c.account == account, usage.c.day == day, usage.c.customer_id == WHOLE_SHOP)
    ).first()
    if row is None:
        return Spent()
    return Spent(input_tokens=row[0], output_tokens=row[1], embedding_tokens=row[2], cost_idr=row[3])
