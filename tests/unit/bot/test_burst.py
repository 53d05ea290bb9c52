"""Bursts over a real store: what belongs together is answered once, and nobody waits beyond the window."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Row, update

from bot.burst import AT_ONCE, Bursts, Window
from store import inbox, queue
from store.doors import Store
from store.inbox import RawEvent
from store.queue import inbox_queue
from store.schema import inbox as inbox_rows
from store.schema import now_ms
from store.sqlite import SqliteStore

QUEUE = inbox_queue("utama")
WINDOW = Window(quiet_s=0.25, question_s=0.1, most_s=0.6)


class Chat:
    """One chat whose messages come in as a channel records them."""

    def __init__(self, store: Store, window: Window) -> None:
        self.store = store
        self.bursts = Bursts(store, QUEUE, window, is_question=lambda row: row.raw.endswith(b"?"))

    async def arrives(self, text: str, *, chat: str = "budi", tells: bool = True) -> None:
        event = RawEvent(
            account="utama",
            chat=chat,
            sender=chat,
            message_id=text,
            kind="text",
            codec="t/1",
            raw=text.encode(),
        )
        assert await self.store.write(lambda c: inbox.record(c, event))
        if tells:
            self.bursts.arrived(chat)

    async def claim(self) -> Row[Any]:
        rows = await self.store.write(lambda c: queue.claim(c, QUEUE, owner="uji", most=1))
        return rows[0]

    async def gathered(self, head: Row[Any]) -> tuple[list[str], float]:
        started = time.monotonic()
        rows = await self.bursts.gather(head)
        return [row.raw.decode() for row in rows], time.monotonic() - started


@pytest.fixture
def chat_with(sqlite_store: SqliteStore) -> Callable[[Window], Chat]:
    return lambda window: Chat(sqlite_store, window)


async def test_a_statement_waits_for_the_quiet_time(chat_with: Callable[[Window], Chat]) -> None:
    chat = chat_with(WINDOW)
    # The quiet time runs from the arrival, however long the claim takes on a busy machine.
    arrived = time.monotonic()
    await chat.arrives("halo")
    texts, _ = await chat.gathered(await chat.claim())
    assert texts == ["halo"]
    assert time.monotonic() - arrived >= WINDOW.quiet_s * 0.95


async def test_a_question_mark_shortens_the_wait(chat_with: Callable[[Window], Chat]) -> None:
    chat = chat_with(Window(quiet_s=5.0, question_s=0.05, most_s=10.0))
    await chat.arrives("berapa?")
    texts, took_s = await chat.gathered(await chat.claim())
    assert texts == ["berapa?"]
    assert took_s < 2.0


async def test_a_message_that_arrives_meanwhile_joins_and_starts_the_quiet_time_anew(
    chat_with: Callable[[Window], Chat],
) -> None:
    chat = chat_with(Window(quiet_s=5.0, question_s=0.05, most_s=10.0))
    await chat.arrives("kak mau tanya")
    gathering = asyncio.create_task(chat.gathered(await chat.claim()))
    await asyncio.sleep(0.05)
    await chat.arrives("ongkir ke Solo berapa?")
    texts, took_s = await asyncio.wait_for(gathering, 3)
    assert texts == ["kak mau tanya", "ongkir ke Solo berapa?"]
    assert took_s < 2.0


async def test_a_message_of_another_process_sets_no_event_and_joins_all_the_same(
    chat_with: Callable[[Window], Chat],
) -> None:
    chat = chat_with(WINDOW)
    await chat.arrives("satu")
    gathering = asyncio.create_task(chat.gathered(await chat.claim()))
    await asyncio.sleep(0.05)
    await chat.arrives("dua", tells=False)
    texts, _ = await asyncio.wait_for(gathering, 3)
    assert texts == ["satu", "dua"]


async def test_a_message_of_another_chat_neither_joins_nor_wakes(chat_with: Callable[[Window], Chat]) -> None:
    chat = chat_with(WINDOW)
    await chat.arrives("satu")
    gathering = asyncio.create_task(chat.gathered(await chat.claim()))
    await chat.arrives("lain", chat="siti")
    texts, _ = await gathering
    assert texts == ["satu"]


async def test_somebody_who_never_stops_is_answered_after_the_longest_time(
    chat_with: Callable[[Window], Chat],
) -> None:
    chat = chat_with(WINDOW)
    await chat.arrives("0")
    gathering = asyncio.create_task(chat.gathered(await chat.claim()))
    for n in range(1, 60):
        if gathering.done():
            break
        await asyncio.sleep(WINDOW.quiet_s / 5)
        await chat.arrives(str(n))
    texts, took_s = await gathering
    assert took_s < WINDOW.most_s + 0.4
    assert texts[:3] == ["0", "1", "2"]


async def test_what_waited_already_is_not_kept_waiting_again(
    chat_with: Callable[[Window], Chat], sqlite_store: SqliteStore
) -> None:
    chat = chat_with(Window(quiet_s=5.0, question_s=5.0, most_s=10.0))
    await chat.arrives("dari tadi")
    await _shift_clock(sqlite_store, by_ms=-60_000)
    _, took_s = await chat.gathered(await chat.claim())
    assert took_s < 1.0


async def test_a_clock_that_jumped_back_costs_one_quiet_time_and_no_more(
    chat_with: Callable[[Window], Chat], sqlite_store: SqliteStore
) -> None:
    chat = chat_with(Window(quiet_s=0.1, question_s=0.1, most_s=5.0))
    await chat.arrives("dari masa depan")
    await _shift_clock(sqlite_store, by_ms=3_600_000)
    texts, took_s = await chat.gathered(await chat.claim())
    assert texts == ["dari masa depan"]
    assert took_s < 1.5


async def test_without_a_window_everything_that_waits_is_taken_at_once(
    chat_with: Callable[[Window], Chat],
) -> None:
    chat = chat_with(AT_ONCE)
    await chat.arrives("satu")
    await chat.arrives("dua")
    texts, took_s = await chat.gathered(await chat.claim())
    assert texts == ["satu", "dua"]
    assert took_s < 0.5


async def test_a_cancelled_burst_leaves_nothing_behind(chat_with: Callable[[Window], Chat]) -> None:
    chat = chat_with(Window(quiet_s=60, question_s=60, most_s=60))
    await chat.arrives("satu")
    gathering = asyncio.create_task(chat.gathered(await chat.claim()))
    await asyncio.sleep(0.05)
    gathering.cancel()
    await asyncio.wait([gathering])
    assert gathering.cancelled()
    assert chat.bursts._arrivals == {}


async def _shift_clock(store: Store, *, by_ms: int) -> None:
    """The recorded times as they look after the database's clock jumped the other way."""

    def shift(connection: Connection) -> None:
        connection.execute(update(inbox_rows).values(recorded_ms=now_ms() + by_ms))

    await store.write(shift)
