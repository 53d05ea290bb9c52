"""Chats whose messages disappear after a while: what the bot writes there must disappear as well."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from store.schema import chat_timers
from store.upsert import ByDialect

_PUT = ByDialect(
    lambda insert: insert(chat_timers).on_conflict_do_update(
        index_elements=("account", "chat"),
        set_={"timer_s": insert(chat_timers).excluded.timer_s},
    )
)


def put(connection: Connection, account: str, *, chat: str, timer_s: int, customer_id: int) -> None:
    """From now on messages of the chat disappear after so many seconds; 0: never."""
    if timer_s <= 0:
        connection.execute(
            delete(chat_timers).where(chat_timers.c.account == account, chat_timers.c.chat == chat)
        )
        return
    values = {"account": account, "chat": chat, "timer_s": timer_s, "customer_id": customer_id}
    connection.execute(_PUT[connection.dialect.name], values)


def all_of(connection: Connection, account: str) -> dict[str, int]:
    """The timers of all chats that have one, in seconds."""
    rows = connection.execute(
        select(chat_timers.c.chat, chat_timers.c.timer_s).where(chat_timers.c.account == account)
    )
    return {row[0]: row[1] for row in rows}
