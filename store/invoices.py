"""Invoices: numbered without a gap in the transaction that makes their order paid, and never changed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from store.schema import invoice_counters, invoices, now_ms
from store.upsert import ByDialect


@dataclass(frozen=True, kw_only=True, slots=True)
class Invoice:
    """One invoice; ``body`` holds all that its document shows."""

    account: str
    number: str
    order_id: str
    period: str
    sequence: int
    issued_ms: int
    body: Mapping[str, Any]
    token: str
    token_expires_ms: int
    delivered_ms: int | None
    delivered_by: str | None


def number_of(period: str, sequence: int) -> str:
    """ "INV/2026/10/0001" for the first invoice of the period "2026-10"."""
    return f"INV/{period.replace('-', '/')}/{sequence:04d}"


_COUNT = ByDialect(
    lambda insert: (
        insert(invoice_counters)
        .values(account=bindparam("in_account"), period=bindparam("in_period"), last=1)
        .on_conflict_do_update(
            index_elements=("account", "period"), set_={"last": invoice_counters.c.last + 1}
        )
        .returning(invoice_counters.c.last)
    )
)


def next_number(connection: Connection, account: str, *, period: str) -> tuple[str, int]:
    """The period's next number and its sequence; taken only if this transaction commits."""
    values = {"in_account": account, "in_period": period}
    sequence = int(connection.execute(_COUNT[connection.dialect.name], values).scalar_one())
    return number_of(period, sequence), sequence


def issue(
    connection: Connection,
    account: str,
    *,
    order_id: str,
    period: str,
    sequence: int,
    body: Mapping[str, Any],
    link_valid_ms: int,
) -> Invoice:
    """Write the invoice down under the number that ``next_number`` gave.

    The database refuses a second invoice of an order, and a number that is taken.
    """
    number = number_of(period, sequence)
    connection.execute(
        insert(invoices).values(
            account=account,
            number=number,
            order_id=order_id,
            period=period,
            sequence=sequence,
            issued_ms=now_ms(),
            body=json.dumps(body, ensure_ascii=False),
            token=new_token(),
            token_expires_ms=now_ms() + link_valid_ms,
        )
    )
    issued = get(connection, account, number)
    assert issued is not None
    return issued


def new_token() -> str:
    """What makes an invoice's address one that nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


_GET = select(invoices).where(
    invoices.c.account == bindparam("in_account"), invoices.c.number == bindparam("in_number")
)
_OF_ORDER = select(invoices).where(invoices.c.order_id == bindparam("in_order"))
_BY_TOKEN = select(invoices).where(
    invoices.c.account == bindparam("in_account"),
    invoices.c.token == bindparam("in_token"),
    invoices.c.token_expires_ms > now_ms(),
)


def get(connection: Connection, account: str, number: str) -> Invoice | None:
    """The account's invoice with this number."""
    return _first(connection, _GET, {"in_account": account, "in_number": number})


def of_order(connection: Connection, order_id: str) -> Invoice | None:
    """The order's one invoice; None when it is not paid."""
    return _first(connection, _OF_ORDER, {"in_order": order_id})


def by_token(connection: Connection, account: str, token: str) -> Invoice | None:
    """The invoice at this address; None when there is none, or its time is over."""
    return _first(connection, _BY_TOKEN, {"in_account": account, "in_token": token})


def delivered(connection: Connection, account: str, number: str, *, by: str) -> None:
    """The customer has it; the first way that it came by is kept."""
    connection.execute(
        update(invoices)
        .where(invoices.c.account == account, invoices.c.number == number, invoices.c.delivered_ms.is_(None))
        .values(delivered_ms=now_ms(), delivered_by=by)
    )


def _first(connection: Connection, statement: Any, values: dict[str, Any]) -> Invoice | None:
    row = connection.execute(statement, values).first()
    return None if row is None else _invoice(row)


def _invoice(row: Row[Any]) -> Invoice:
    return Invoice(**{**row._mapping, "body": json.loads(row.body)})
