"""Chats from before the bot was linked, as the shop's phone tells them once: who is known, and who waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, insert, select, update

from store import customers
from store.customers import Address
from store.schema import customers as customer_rows
from store.schema import inbox, now_ms, past_chats

# Nobody hopes for an answer to something older.
WAITING_AT_MOST_MS = 7 * 24 * 60 * 60 * 1000
# The phone tells its chats in several portions; so long after the last of them the list is complete.
QUIET_MS = 20_000
KEPT_MS = 30 * 24 * 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PastChat:
    """One chat as the phone told it. ``last_ms`` is the newest message's time by the network's clock."""

    chat: str
    addresses: tuple[Address, ...]
    last_ms: int
    waiting: bool  # the customer had the last word


@dataclass(frozen=True, kw_only=True, slots=True)
class Unanswered:
    """A customer who waits since before the bot was linked."""

    customer_id: int
    name: str | None
    age_ms: int


def note(connection: Connection, account: str, found: Sequence[PastChat]) -> None:
    """These people know the shop: no introduction for them. A chat told twice counts as its newest."""
    for past in found:
        customer, _ = customers.resolve(connection, account, past.addresses, name=None)
        customers.introduced(connection, customer.id)
        its = (past_chats.c.account == account, past_chats.c.chat == past.chat)
        known = connection.execute(select(past_chats.c.last_ms).where(*its)).scalar()
        if known is None:
            connection.execute(
                insert(past_chats).values(
                    account=account,
                    chat=past.chat,
                    customer_id=customer.id,
                    last_ms=past.last_ms,
                    waiting=past.waiting,
                    told_ms=now_ms(),
                )
            )
        elif past.last_ms > known:
            values = {"last_ms": past.last_ms, "waiting": past.waiting, "told_ms": now_ms()}
            connection.execute(update(past_chats).where(*its).values(values))


def is_complete(connection: Connection, account: str) -> bool:
    """Whether there is something to list and the phone seems to have told all of it; a cheap read."""
    of_account = (past_chats.c.account == account, past_chats.c.listed_ms.is_(None))
    if connection.execute(select(past_chats.c.chat).where(*of_account).limit(1)).first() is None:
        return False
    lately = select(past_chats.c.chat).where(*of_account, past_chats.c.told_ms > now_ms() - QUIET_MS)
    return connection.execute(lately.limit(1)).first() is None


def is_told(connection: Connection, account: str) -> bool:
    """Whether the phone has told of chats, and seems to have told of all of them."""
    of_account = past_chats.c.account == account
    if connection.execute(select(past_chats.c.chat).where(of_account).limit(1)).first() is None:
        return False
    lately = select(past_chats.c.chat).where(of_account, past_chats.c.told_ms > now_ms() - QUIET_MS)
    return connection.execute(lately.limit(1)).first() is None


def take_unanswered(connection: Connection, account: str) -> list[Unanswered]:
    """Who still waits, the newest first; all count as listed from now on. Late portions list nobody anew."""
    of_account = past_chats.c.account == account
    listed = connection.execute(
        select(past_chats.c.chat).where(of_account, past_chats.c.listed_ms.is_not(None)).limit(1)
    ).first()
    wrote = exists().where(inbox.c.customer_id == past_chats.c.customer_id)
    rows = connection.execute(
        select(past_chats.c.customer_id, customer_rows.c.name, now_ms() - past_chats.c.last_ms)
        .join(customer_rows, customer_rows.c.id == past_chats.c.customer_id)
        .where(
            of_account,
            past_chats.c.waiting.is_(True),
            past_chats.c.last_ms > now_ms() - WAITING_AT_MOST_MS,
            # Since then he wrote again, or the shop did: that chat goes its usual way.
            ~wrote,
        )
        .order_by(past_chats.c.last_ms.desc())
    ).all()
    values = {"listed_ms": now_ms()}
    connection.execute(update(past_chats).where(of_account, past_chats.c.listed_ms.is_(None)).values(values))
    if listed is not None:
        return []
    return [Unanswered(customer_id=row[0], name=row[1], age_ms=row[2]) for row in rows]


def forget_old(connection: Connection, account: str) -> int:
    """Remove what was told long ago; how many."""
    old = (past_chats.c.account == account, past_chats.c.told_ms <= now_ms() - KEPT_MS)
    return int(connection.execute(delete(past_chats).where(*old)).rowcount)
