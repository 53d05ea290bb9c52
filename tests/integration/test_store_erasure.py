"""What was deleted is gone from the database's files, and nothing else is."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import Connection, func, select, text

from config.settings import Settings
from store import customers, inbox, outbox, turns
from store.customers import Address
from store.doors import Store
from store.erasure import erase_deleted, rows_left
from store.errors import StoreBusy
from store.inbox import RawEvent
from store.outbox import NewMessage, Purpose
from store.postgres import PostgresStore, postgres_engine
from store.schema import inbox as inbox_table
from store.sqlite import SqliteStore
from store.turns import Author, NewTurn

PEOPLE = 40


def marker(number: int) -> str:
    return f"PENANDA-{number:03d}-X"


async def introduce(store: Store, number: int) -> int:
    customer, _ = await store.write(
        lambda c: customers.resolve(c, "utama", [Address("t", marker(number))], name=marker(number))
    )
    return customer.id


def say_much(connection: Connection, customer_id: int, number: int, dice: random.Random) -> None:
    """Rows of all sizes, so that pages split and are merged again."""
    said = marker(number) + " "
    turns.append(
        connection,
        NewTurn(
            customer_id=customer_id,
            asked=said * dice.randrange(1, 60),
            replied=said * dice.randrange(1, 60),
            author=Author.BOT,
            search_text=said * dice.randrange(1, 300),
        ),
    )
    outbox.add(
        connection,
        NewMessage(
            account="utama",
            transport="t",
            chat=marker(number),
            body=said * dice.randrange(1, 200),
            purpose=Purpose.ANSWER,
            customer_id=customer_id,
        ),
    )


def files_with(folder: Path, wanted: str) -> list[str]:
    return [path.name for path in folder.iterdir() if wanted.encode() in path.read_bytes()]


async def test_no_byte_of_a_deleted_customer_stays_in_sqlites_files(
    sqlite_store: SqliteStore, sqlite_path: Path, make_settings: Callable[..., Settings]
) -> None:
    dice = random.Random(20261123)
    ids = [await introduce(sqlite_store, number) for number in range(PEOPLE)]

    def fill(connection: Connection) -> None:
        for _ in range(1500):
            number = dice.randrange(PEOPLE)
            say_much(connection, ids[number], number, dice)

    await sqlite_store.write(fill)
    for number in (0, 7, 25, 26, 32):
        assert files_with(sqlite_path.parent, marker(number))
        await sqlite_store.write(lambda c, number=number: customers.forget(c, ids[number]))  # type: ignore[misc] # mypy infers no default
        erase_deleted(make_settings())
        assert files_with(sqlite_path.parent, marker(number)) == []
    assert files_with(sqlite_path.parent, marker(1)), "the others are still there"


async def test_a_reader_in_the_way_is_waited_for_and_then_named(
    sqlite_store: SqliteStore, sqlite_path: Path, make_settings: Callable[..., Settings]
) -> None:
    await introduce(sqlite_store, 1)
    reader = pysqlite3.connect(sqlite_path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM customers").fetchone()
    await introduce(sqlite_store, 2)
    with pytest.raises(StoreBusy, match="try again"):
        erase_deleted(make_settings(), timeout_s=0.2)
    reader.execute("COMMIT")
    erase_deleted(make_settings(), timeout_s=5)
    reader.close()
    assert (sqlite_path.parent / "balas.db-wal").stat().st_size == 0


async def test_postgresql_vacuums_every_table_with_personal_data(
    postgres_store: PostgresStore, postgres_url: str, make_settings: Callable[..., Settings]
) -> None:
    customer_id = await introduce(postgres_store, 1)
    await postgres_store.write(lambda c: customers.forget(c, customer_id))
    erase_deleted(make_settings(DATABASE_URL=postgres_url))
    wanted = {"customers", "aliases", "inbox", "outbox", "turns", "handoffs", "notices", "usage"}
    wanted |= {"undecryptable", "past_chats", "past_questions"}
    wanted |= {"orders", "proposals", "invoices", "payment_events"}
    wanted |= {"media", "chat_timers", "attachments", "forwards"}
    engine = postgres_engine(postgres_url)
    deadline = time.monotonic() + 10
    vacuumed: set[str] = set()
    # The server's statistics follow a moment later.
    while not wanted <= vacuumed and time.monotonic() < deadline:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT relname FROM pg_stat_user_tables WHERE vacuum_count > 0"))
            vacuumed = {row[0] for row in rows}
        await asyncio.sleep(0.05)
    engine.dispose()
    assert vacuumed == wanted


async def test_what_is_left_of_a_customer_is_counted_table_by_table(store: Store) -> None:
    customer_id = await introduce(store, 1)
    dice = random.Random(1)
    await store.write(lambda c: say_much(c, customer_id, 1, dice))
    left = await store.read(lambda c: rows_left(c, customer_id))
    assert left == {"customers": 1, "aliases": 1, "turns": 1, "outbox": 1}
    await store.write(lambda c: customers.forget(c, customer_id))
    assert await store.read(lambda c: rows_left(c, customer_id)) == {}


async def test_deleting_a_customer_leaves_the_owners_other_messages_alone(store: Store) -> None:
    """The owner's reply about a customer is his, the room that it was written in is not."""
    customer_id = await introduce(store, 1)

    def write_in_the_room(connection: Connection) -> None:
        outbox.add(
            connection,
            NewMessage(
                account="utama",
                transport="t",
                chat="ruang",
                body="🔔",
                purpose=Purpose.NOTICE,
                customer_id=customer_id,
            ),
        )
        for message_id in ("about him", "not read yet, about another"):
            event = RawEvent(
                account="utama",
                chat="ruang",
                sender="pemilik",
                message_id=message_id,
                kind="text",
                codec="t/1",
                raw=b"{}",
            )
            inbox.record(connection, event)
        about_him = inbox_table.c.message_id == "about him"
        connection.execute(inbox_table.update().where(about_him).values(customer_id=customer_id))

    await store.write(write_in_the_room)
    await store.write(lambda c: customers.forget(c, customer_id))
    left = await store.read(lambda c: c.execute(select(inbox_table.c.message_id)).scalars().all())
    assert left == ["not read yet, about another"]
    assert await store.read(lambda c: c.execute(select(func.count()).select_from(inbox_table)).scalar()) == 1
