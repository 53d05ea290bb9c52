"""What every queue promises, on both databases: order within a key, one owner a row, retries, giving up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Row, delete, select, text, update

from store import owners
from store import queue as queues
from store.doors import Store
from store.errors import ClaimLost, StoreUnavailable
from store.outbox import NewMessage, Purpose, add, add_claimed
from store.postgres import PostgresStore
from store.queue import OWNER_TIMEOUT_MS, Backoff, outbox_queue
from store.schema import QueueState, now_ms, outbox
from store.schema import owners as owners_table
from store.sqlite import SqliteStore
from store.worker import CRASHES_ALONE, CRASHES_FORGIVEN, Discard, Retry, Worker
from tests.contract.store import Gate, until

QUEUE = outbox_queue("utama", "whatsapp")
WAIT_S = 10.0
# Of one row, in the workers of these tests.
ATTEMPTS = 3


def message(chat: str = "a", **changes: Any) -> NewMessage:
    """A message for the chat; its queue and key go by account, transport and chat."""
    values: dict[str, Any] = {
        "account": "utama",
        "transport": "whatsapp",
        "chat": chat,
        "body": "halo",
        "purpose": Purpose.ANSWER,
    }
    return NewMessage(**values | changes)


async def add_all(store: Store, *messages: NewMessage) -> list[int]:
    return await store.write(lambda connection: [add(connection, one) for one in messages])


async def claim(store: Store, owner: str = "satu", most: int = 10, queue: queues.Queue = QUEUE) -> list[int]:
    rows = await store.write(lambda c: queues.claim(c, queue, owner=owner, most=most))
    return [row.id for row in rows]


async def finish(store: Store, *ids: int, owner: str = "satu", **changes: Any) -> None:
    await store.write(lambda c: queues.finish(c, QUEUE, ids, owner=owner, **changes))


async def row_of(store: Store, row_id: int) -> Row[Any]:
    return await store.read(lambda c: c.execute(select(outbox).where(outbox.c.id == row_id)).one())


class TestClaiming:
    async def test_only_the_head_of_a_key_is_claimed_oldest_first(self, store: Store) -> None:
        a1, b1, _a2, _b2, c1 = await add_all(store, *map(message, "abab" + "c"))
        assert await claim(store) == [a1, b1, c1]
        assert await claim(store) == []

    async def test_the_next_of_a_key_follows_when_the_head_is_finished(self, store: Store) -> None:
        ids = await add_all(store, *map(message, "aaa"))
        for row_id in ids:
            assert await claim(store) == [row_id]
            await finish(store, row_id)
        assert await claim(store) == []

    async def test_no_more_is_claimed_than_was_asked_for(self, store: Store) -> None:
        ids = await add_all(store, *(message(f"chat-{n}") for n in range(200)))
        assert await claim(store, most=5) == ids[:5]
        assert await claim(store, most=3) == ids[5:8]

    async def test_no_plan_of_postgresql_claims_more_than_was_asked_for(
        self, postgres_store: PostgresStore
    ) -> None:
        ids = await add_all(postgres_store, *(message(f"chat-{n}") for n in range(300)))

        def claim_by_an_unlucky_plan(connection: Connection) -> list[int]:
            for setting in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
                connection.execute(text(f"SET LOCAL enable_{setting} = off"))
            return [row.id for row in queues.claim(connection, QUEUE, owner="satu", most=5)]

        assert await postgres_store.write(claim_by_an_unlucky_plan) == ids[:5]

    async def test_a_row_that_is_not_due_keeps_the_later_ones_of_its_key_waiting(self, store: Store) -> None:
        _later, _behind, other = await add_all(
            store, message("a", delay_ms=60_000), message("a"), message("b")
        )
        assert await claim(store) == [other]

    async def test_a_held_row_lets_others_pass_and_is_never_claimed(self, store: Store) -> None:
        held, passing = await add_all(store, message("a", held=True), message("a"))
        assert await claim(store) == [passing]
        await finish(store, passing)
        assert await claim(store) == []
        assert (await row_of(store, held)).state == QueueState.HELD

    async def test_queues_do_not_see_each_other(self, store: Store) -> None:
        other_account, other_transport, ours = await add_all(
            store, message("a", account="lain"), message("a", transport="starsender"), message("a")
        )
        assert await claim(store) == [ours]
        assert await claim(store, queue=outbox_queue("lain", "whatsapp")) == [other_account]
        assert await claim(store, queue=outbox_queue("utama", "starsender")) == [other_transport]

    async def test_a_look_tells_whether_a_claim_would_find_something(self, store: Store) -> None:
        async def look() -> bool:
            return await store.read(lambda c: queues.has_claimable(c, QUEUE))

        assert not await look()
        first, _second = await add_all(store, message("a"), message("a"))
        assert await look()
        await claim(store)
        assert not await look()
        await finish(store, first)
        assert await look()

    async def test_two_owners_at_once_never_get_the_same_row(self, store: Store) -> None:
        ids = await add_all(store, *(message(f"chat-{n % 40}") for n in range(80)))
        taken: list[tuple[int, str]] = []

        async def work(owner: str) -> None:
            while True:
                found = await claim(store, owner, most=3)
                taken.extend((row_id, owner) for row_id in found)
                for row_id in found:
                    await finish(store, row_id, owner=owner)
                if not found and len(taken) == len(ids):
                    return
                await asyncio.sleep(0)

        await asyncio.wait_for(asyncio.gather(*(work(f"pemilik-{n}") for n in range(4))), 60)

        assert sorted(row_id for row_id, _ in taken) == ids

    async def test_a_claim_is_an_attempt_and_names_its_owner(self, store: Store) -> None:
        (row_id,) = await add_all(store, message())
        await claim(store, "satu")
        row = await row_of(store, row_id)
        assert (row.state, row.owner, row.attempts) == (QueueState.CLAIMED, "satu", 1)
        assert row.claimed_ms is not None

    async def test_what_joined_a_burst_is_finished_with_its_head(self, store: Store) -> None:
        a1, b1, a2, a3 = await add_all(store, *map(message, "abaa"))
        await claim(store, most=1)
        joined = await store.read(lambda c: queues.following(c, QUEUE, key="a", after=a1))
        assert [row.id for row in joined] == [a2, a3]
        await finish(store, a1, a2, a3)
        assert await claim(store) == [b1]


class TestGivingBack:
    async def test_a_retry_waits_its_pause_with_the_later_ones_behind_it(self, store: Store) -> None:
        head, _behind = await add_all(store, message("a"), message("a"))
        await claim(store)
        await store.write(
            lambda c: queues.retry(c, QUEUE, head, owner="satu", pause_s=60, error="Sibuk: nanti")
        )
        assert await claim(store) == []
        row = await row_of(store, head)
        assert (row.state, row.owner, row.error) == (QueueState.NEW, None, "Sibuk: nanti")

        await store.write(
            lambda c: c.execute(update(outbox).where(outbox.c.id == head).values(due_ms=now_ms())).close()
        )
        assert await claim(store) == [head]
        assert (await row_of(store, head)).attempts == 2

    async def test_who_lost_his_claim_can_neither_finish_nor_retry(self, store: Store) -> None:
        (row_id,) = await add_all(store, message())
        await claim(store, "satu")
        assert await store.write(lambda c: queues.take_back_all(c, QUEUE)) == 1
        assert await claim(store, "dua") == [row_id]

        def finish_and_write(connection: Connection) -> None:
            add(connection, message("b"))
            queues.finish(connection, QUEUE, [row_id], owner="satu")

        with pytest.raises(ClaimLost):
            await store.write(finish_and_write)
        with pytest.raises(ClaimLost):
            await store.write(lambda c: queues.retry(c, QUEUE, row_id, owner="satu", pause_s=0, error=""))
        # What was prepared together with the finish is not there either.
        assert await claim(store, "dua") == []
        await finish(store, row_id, owner="dua")
        assert (await row_of(store, row_id)).state == QueueState.DONE

    async def test_nothing_is_finished_twice(self, store: Store) -> None:
        (row_id,) = await add_all(store, message())
        await claim(store)
        await finish(store, row_id)
        with pytest.raises(ClaimLost):
            await finish(store, row_id)

    async def test_a_row_that_was_deleted_is_a_lost_claim(self, store: Store) -> None:
        (row_id,) = await add_all(store, message())
        await claim(store)
        await store.write(lambda c: c.execute(delete(outbox)).close())
        with pytest.raises(ClaimLost):
            await finish(store, row_id)

    async def test_a_start_takes_back_what_its_account_had_claimed(self, store: Store) -> None:
        ours, others = await add_all(store, message("a"), message("a", account="lain"))
        await claim(store)
        await claim(store, queue=outbox_queue("lain", "whatsapp"))
        assert await store.write(lambda c: queues.take_back_all(c, QUEUE)) == 1
        assert await claim(store, "dua") == [ours]
        assert (await row_of(store, others)).owner == "satu"

    async def test_only_silent_owners_lose_their_rows(self, store: Store) -> None:
        alive, silent, unknown = await add_all(store, *map(message, "abc"))
        for owner in ("hidup", "diam"):
            await store.write(lambda c, owner=owner: owners.register(c, owner, "utama"))
        for owner in ("hidup", "diam", "tak dikenal"):
            await claim(store, owner, most=1)
        await store.write(
            lambda c: c.execute(
                update(owners_table)
                .where(owners_table.c.instance == "diam")
                .values(heartbeat_ms=now_ms() - OWNER_TIMEOUT_MS - 1_000)
            ).close()
        )

        assert await store.write(lambda c: queues.take_back_dead(c, QUEUE)) == 2

        assert await claim(store, "baru") == [silent, unknown]
        assert (await row_of(store, alive)).owner == "hidup"

    async def test_a_heartbeat_keeps_an_owner_alive(self, store: Store) -> None:
        await add_all(store, message())
        await store.write(lambda c: owners.register(c, "satu", "utama"))
        await claim(store, "satu")
        await store.write(
            lambda c: c.execute(update(owners_table).values(heartbeat_ms=now_ms() - 60_000)).close()
        )
        await store.write(lambda c: owners.beat(c, "satu"))
        assert await store.write(lambda c: queues.take_back_dead(c, QUEUE)) == 0
        await store.write(lambda c: owners.unregister(c, "satu"))
        assert await store.write(lambda c: queues.take_back_dead(c, QUEUE)) == 1

    async def test_a_row_given_back_unworked_has_not_lost_an_attempt(self, store: Store) -> None:
        (row_id,) = await add_all(store, message())
        await claim(store)
        assert await store.write(lambda c: queues.release(c, QUEUE, [row_id], owner="dua")) == 0
        assert await store.write(lambda c: queues.release(c, QUEUE, [row_id], owner="satu")) == 1
        row = await row_of(store, row_id)
        assert (row.state, row.attempts, row.owner) == (QueueState.NEW, 0, None)

    async def test_a_row_can_be_written_as_claimed_when_nothing_of_its_key_is_before_it(
        self, store: Store
    ) -> None:
        def write(connection: Connection, **changes: Any) -> Row[Any] | None:
            return add_claimed(connection, message(**changes), owner="satu")

        first = await store.write(write)
        assert first is not None
        assert (first.state, first.owner, first.attempts) == (QueueState.CLAIMED, "satu", 1)
        assert await store.write(write) is None
        assert await store.write(lambda c: write(c, chat="b", delay_ms=60_000)) is None
        assert await store.write(lambda c: write(c, chat="c", held=True)) is None
        # What is held lets others pass.
        assert await store.write(lambda c: write(c, chat="c")) is not None
        assert await claim(store, "dua") == []
        await finish(store, first.id)
        assert await claim(store, "dua") == [first.id + 1]

    async def test_only_old_claims_that_their_owner_does_not_know_of_are_given_back(
        self, store: Store
    ) -> None:
        known, forgotten, young, other = await add_all(store, *(message(chat) for chat in "abcd"))
        await claim(store, "satu", most=3)
        await claim(store, "dua", most=1)
        aged = update(outbox).where(outbox.c.id != young).values(claimed_ms=now_ms() - 61_000)
        await store.write(lambda c: c.execute(aged).close())
        released = await store.write(
            lambda c: queues.release_forgotten(
                c, QUEUE, owner="satu", known=[known], claimed_before_ms=60_000
            )
        )
        assert released == 1
        states = [(await row_of(store, row_id)).state for row_id in (known, forgotten, young, other)]
        assert states == ["claimed", "new", "claimed", "claimed"]
        assert (await row_of(store, forgotten)).attempts == 0


def test_pauses_double_up_to_the_longest_and_are_never_shorter_than_half() -> None:
    backoff = Backoff(attempts=10, first_s=1, most_s=10)
    for attempts, longest in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (1_000, 10)):
        pauses = [backoff.pause_s(attempts) for _ in range(50)]
        assert longest / 2 <= min(pauses) <= max(pauses) <= longest
        assert len(set(pauses)) > 1


Handle = Callable[[Row[Any]], Awaitable[None]]
RunWorker = Callable[..., AbstractAsyncContextManager[Worker]]


@pytest.fixture
def run_worker(store: Store) -> RunWorker:
    """``async with run_worker(handler) as worker``: stopped at the end, whatever happened."""

    @asynccontextmanager
    async def running(handler: Handle, **changes: Any):
        options: dict[str, Any] = {
            "owner": "satu",
            "backoff": Backoff(attempts=ATTEMPTS, first_s=0.01, most_s=0.02),
            "concurrency": 4,
            "poll_s": 0.02,
        }
        worker = Worker(store=store, queue=QUEUE, handler=handler, **options | changes)
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            await worker.stop(drain_s=1)
            await asyncio.wait_for(running, WAIT_S)

    return running


async def until_finished(store: Store, count: int) -> list[Row[Any]]:
    """Every row of the outbox, once so many are finished."""
    finished = select(outbox).where(outbox.c.finished_ms.is_not(None)).order_by(outbox.c.id)
    async with asyncio.timeout(WAIT_S):
        while True:
            rows = await store.read(lambda c: list(c.execute(finished).all()))
            if len(rows) >= count:
                return rows
            await asyncio.sleep(0.01)


class TestWorker:
    async def test_every_row_is_worked_once_and_in_order_within_its_key(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        ids = await add_all(store, *(message(f"chat-{n % 7}") for n in range(42)))
        seen: list[tuple[str, int]] = []
        at_once: list[int] = []

        async def handle(row: Row[Any]) -> None:
            seen.append((row.chat, row.id))
            at_once.append(worker.in_flight)
            await asyncio.sleep(0.001)
            await finish(store, row.id)

        async with run_worker(handle) as worker:
            await until_finished(store, len(ids))

        assert sorted(row_id for _, row_id in seen) == ids
        for chat in {chat for chat, _ in seen}:
            rows = [row_id for its_chat, row_id in seen if its_chat == chat]
            assert rows == sorted(rows)
        assert 1 < max(at_once) <= 4

    async def test_a_row_that_fails_is_tried_again_and_later_ones_wait(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        first, second = await add_all(store, message("a"), message("a"))
        seen: list[int] = []

        async def handle(row: Row[Any]) -> None:
            seen.append(row.id)
            if len(seen) < 3:
                raise RuntimeError("sibuk")
            await finish(store, row.id)

        async with run_worker(handle):
            await until_finished(store, 2)

        assert seen == [first, first, first, second]

    async def test_deaths_of_the_process_use_up_no_attempt(self, store: Store, run_worker: RunWorker) -> None:
        (row_id,) = await add_all(store, message("a"))
        for _ in range(CRASHES_FORGIVEN - 1):
            await claim(store)
            await store.write(lambda c: queues.take_back_all(c, QUEUE))
        deaths: list[int] = []

        async def handle(row: Row[Any]) -> None:
            deaths.append(queues.deaths(row))
            if len(deaths) < ATTEMPTS:
                raise RuntimeError("sibuk")
            await finish(store, row.id)

        async with run_worker(handle):
            (done,) = await until_finished(store, 1)

        assert (done.id, done.state, done.failures) == (row_id, QueueState.DONE, ATTEMPTS - 1)
        assert deaths == [CRASHES_FORGIVEN - 1] * ATTEMPTS

    async def test_after_the_last_attempt_a_row_is_a_dead_letter_and_somebody_is_told_once(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        first, second = await add_all(store, message("a"), message("a"))
        tries: list[int] = []

        async def handle(row: Row[Any]) -> None:
            tries.append(row.id)
            if row.id == first:
                raise RuntimeError("rusak")
            await finish(store, row.id)

        def on_dead(connection: Connection, row: Row[Any], reason: str) -> None:
            add(connection, message("pemilik", body=f"{row.id} {reason}", held=True))

        async with run_worker(handle, on_dead=on_dead):
            dead, done = await until_finished(store, 2)

        assert tries == [first, first, first, second]
        assert (dead.state, dead.error) == (QueueState.DEAD, "RuntimeError: rusak")
        assert done.state == QueueState.DONE
        told = select(outbox.c.body).where(outbox.c.chat == "pemilik")
        assert await store.read(lambda c: list(c.execute(told).scalars())) == [f"{first} RuntimeError: rusak"]

    async def test_a_row_whose_every_claim_ended_in_a_crash_is_given_up_at_last(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        (row_id,) = await add_all(store, message())
        # As many processes as it takes claimed it and were gone before they said how it ended.
        for _ in range(CRASHES_FORGIVEN + CRASHES_ALONE):
            await claim(store)
            await store.write(lambda c: queues.take_back_all(c, QUEUE))
        tries: list[int] = []

        async def handle(row: Row[Any]) -> None:
            tries.append(row.id)

        async with run_worker(handle):
            (dead,) = await until_finished(store, 1)

        assert tries == []
        assert (dead.id, dead.state) == (row_id, QueueState.DEAD)

    async def test_rows_that_were_in_hand_at_many_crashes_are_worked_one_at_a_time_and_all_are_done(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        unlucky = await add_all(store, *(message(chat) for chat in "abcd"))
        for _ in range(CRASHES_FORGIVEN + 3):
            await claim(store)
            await store.write(lambda c: queues.take_back_all(c, QUEUE))
        fresh = await add_all(store, *(message(chat) for chat in "efgh"))
        at_work: set[int] = set()
        beside: dict[int, set[int]] = {}

        async def handle(row: Row[Any]) -> None:
            at_work.add(row.id)
            await asyncio.sleep(0.03)
            beside[row.id] = at_work - {row.id}
            at_work.discard(row.id)
            await finish(store, row.id)

        async with run_worker(handle):
            done = await until_finished(store, 8)

        assert {row.state for row in done} == {QueueState.DONE}
        assert [beside[row_id] for row_id in unlucky] == [set()] * 4
        # Nobody else has to wait longer than that.
        assert any(beside[row_id] for row_id in fresh)

    async def test_a_suspect_that_was_not_begun_is_given_back_at_the_stop(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        (busy,) = await add_all(store, message("a"))
        begun = asyncio.Event()

        async def handle(_row: Row[Any]) -> None:
            begun.set()
            await asyncio.sleep(WAIT_S)

        async with run_worker(handle) as worker:
            await begun.wait()
            (suspect,) = await add_all(store, message("b"))
            crashes = {"attempts": CRASHES_FORGIVEN + 3}
            await store.write(
                lambda c: c.execute(update(outbox).where(outbox.c.id == suspect).values(**crashes))
            )
            worker.wake()
            async with asyncio.timeout(WAIT_S):
                while (await row_of(store, suspect)).state != QueueState.CLAIMED:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.01)
            await worker.stop(drain_s=0)

        found = await row_of(store, suspect)
        assert (found.state, found.attempts) == (QueueState.NEW, CRASHES_FORGIVEN + 3)
        assert (await row_of(store, busy)).state == QueueState.NEW

    async def test_what_cannot_be_helped_is_given_up_at_once(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        await add_all(store, message())
        tries: list[int] = []

        async def handle(row: Row[Any]) -> None:
            tries.append(row.id)
            raise Discard("nomor tidak terdaftar")

        async with run_worker(handle):
            (dead,) = await until_finished(store, 1)

        assert len(tries) == 1
        assert (dead.state, dead.error) == (QueueState.DEAD, "nomor tidak terdaftar")

    async def test_a_handler_may_say_when_to_try_again(self, store: Store, run_worker: RunWorker) -> None:
        (row_id,) = await add_all(store, message())
        tried = asyncio.Event()

        async def handle(row: Row[Any]) -> None:
            tried.set()
            raise Retry("terputus", after_s=60)

        async with run_worker(handle):
            await asyncio.wait_for(tried.wait(), WAIT_S)
        row = await row_of(store, row_id)
        assert row.state == QueueState.NEW
        assert await store.read(lambda c: c.execute(select(outbox.c.due_ms - now_ms())).scalar_one()) > 30_000

    async def test_a_stop_lets_work_in_flight_end(self, store: Store, run_worker: RunWorker) -> None:
        await add_all(store, message())
        begun = asyncio.Event()

        async def handle(row: Row[Any]) -> None:
            begun.set()
            await asyncio.sleep(0.05)
            await finish(store, row.id)

        async with run_worker(handle):
            await asyncio.wait_for(begun.wait(), WAIT_S)
        (row,) = await until_finished(store, 1)
        assert row.state == QueueState.DONE

    async def test_a_stop_gives_back_what_does_not_end_in_time(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        (row_id,) = await add_all(store, message())
        begun = asyncio.Event()

        async def handle(row: Row[Any]) -> None:
            begun.set()
            await asyncio.sleep(WAIT_S)

        async with run_worker(handle) as worker:
            await asyncio.wait_for(begun.wait(), WAIT_S)
            await worker.stop(drain_s=0.02)
        row = await row_of(store, row_id)
        assert (row.state, row.attempts, row.owner) == (QueueState.NEW, 0, None)

    async def test_rows_that_were_claimed_for_it_are_worked_as_lanes_become_free(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        at_once: list[int] = []

        async def handle(row: Row[Any]) -> None:
            at_once.append(worker.in_flight)
            await finish(store, row.id)

        async with run_worker(handle, concurrency=2) as worker:
            for number in range(9):
                one = message(f"chat-{number}")
                row = await store.write(lambda c, one=one: add_claimed(c, one, owner="satu"))
                assert row is not None
                worker.take(row)
            done = await until_finished(store, 9)
        assert {row.attempts for row in done} == {1}
        assert len(at_once) == 9
        assert max(at_once) <= 2

    async def test_a_stop_gives_back_what_was_taken_and_not_begun(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        async def handle(row: Row[Any]) -> None:
            raise AssertionError("nothing is begun after the stop")

        async with run_worker(handle) as worker:
            await worker.stop(drain_s=0)
            row = await store.write(lambda c: add_claimed(c, message(), owner="satu"))
            assert row is not None
            worker.take(row)
        given_back = await row_of(store, row.id)
        assert (given_back.state, given_back.attempts) == (QueueState.NEW, 0)

    async def test_a_claim_that_landed_without_its_worker_knowing_is_worked_after_a_while(
        self, store: Store, run_worker: RunWorker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("store.worker.FORGOTTEN_AFTER_S", 0.05)
        row = await store.write(lambda c: add_claimed(c, message(), owner="satu"))
        assert row is not None

        async def handle(row: Row[Any]) -> None:
            await finish(store, row.id)

        async with run_worker(handle) as worker:
            worker.doubt()
            (done,) = await until_finished(store, 1)
        assert (done.id, done.state, done.attempts) == (row.id, QueueState.DONE, 1)

    async def test_a_stop_during_a_claim_begins_no_new_work(self, sqlite_store: SqliteStore) -> None:
        (row_id,) = await add_all(sqlite_store, message())
        begun: list[int] = []

        async def handle(row: Row[Any]) -> None:
            begun.append(row.id)

        gate = Gate()
        holding = asyncio.create_task(sqlite_store.write(gate))
        await until(gate.entered)
        worker = Worker(
            store=sqlite_store,
            queue=QUEUE,
            handler=handle,
            owner="satu",
            backoff=Backoff(attempts=3),
            concurrency=2,
        )
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(0.05)
        await worker.stop(drain_s=0.1)
        gate.open()
        await asyncio.wait_for(asyncio.gather(holding, running), WAIT_S)

        assert begun == []
        row = await row_of(sqlite_store, row_id)
        assert (row.state, row.attempts, row.owner) == (QueueState.NEW, 0, None)

    async def test_an_outage_of_the_store_costs_a_row_no_attempt(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        await add_all(store, message())
        tries: list[int] = []

        async def handle(row: Row[Any]) -> None:
            tries.append(row.attempts)
            if len(tries) < 5:
                raise StoreUnavailable("the disk is full")
            await finish(store, row.id)

        async with run_worker(handle):
            (row,) = await until_finished(store, 1)
        assert (row.state, tries) == (QueueState.DONE, [1] * 5)

    async def test_what_breaks_the_end_of_a_row_ends_the_worker(self, sqlite_store: SqliteStore) -> None:
        await add_all(sqlite_store, message())

        async def handle(row: Row[Any]) -> None:
            raise Discard("nomor tidak terdaftar")

        def on_dead(connection: Connection, row: Row[Any], reason: str) -> None:
            raise ValueError("salah tulis")

        worker = Worker(
            store=sqlite_store,
            queue=QUEUE,
            handler=handle,
            owner="satu",
            backoff=Backoff(attempts=3),
            concurrency=2,
            poll_s=0.02,
            on_dead=on_dead,
        )
        with pytest.raises(ValueError, match="salah tulis"):
            await asyncio.wait_for(worker.run(), WAIT_S)

    async def test_a_woken_worker_does_not_wait_for_its_next_look(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        async def handle(row: Row[Any]) -> None:
            await finish(store, row.id)

        async with run_worker(handle, poll_s=60) as worker:
            await asyncio.sleep(0.05)
            await add_all(store, *map(message, "aaa"))
            worker.wake()
            assert len(await until_finished(store, 3)) == 3

    async def test_rows_of_another_process_are_seen_within_the_interval(
        self, store: Store, run_worker: RunWorker
    ) -> None:
        async def handle(row: Row[Any]) -> None:
            await finish(store, row.id)

        async with run_worker(handle, poll_s=0.05):
            await asyncio.sleep(0.1)
            await add_all(store, message())
            assert len(await until_finished(store, 1)) == 1


class QueueMachine(RuleBasedStateMachine):
    """Random adds, claims, ends and crashes against a plain list that says what must hold."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        # id: [key, state, owner], in the order of ids.
        self.rows: dict[int, list[Any]] = {}
        store.record(lambda c: c.execute(delete(outbox)).close())

    def claimable(self) -> list[int]:
        heads: dict[str, int] = {}
        for row_id, (key, state, _owner) in self.rows.items():
            if state in {QueueState.NEW, QueueState.CLAIMED}:
                heads.setdefault(key, row_id)
        return sorted(row_id for row_id in heads.values() if self.rows[row_id][1] == QueueState.NEW)

    def claimed(self) -> list[int]:
        return [row_id for row_id, row in self.rows.items() if row[1] == QueueState.CLAIMED]

    @rule(key=st.sampled_from("abc"), held=st.booleans())
    def add(self, key: str, held: bool) -> None:
        row_id = self.store.record(lambda c: add(c, message(key, held=held)))
        assert row_id > max(self.rows, default=0)
        self.rows[row_id] = [key, QueueState.HELD if held else QueueState.NEW, None]

    @rule(owner=st.sampled_from(["satu", "dua"]), most=st.integers(1, 3))
    def claim(self, owner: str, most: int) -> None:
        found = self.store.record(lambda c: queues.claim(c, QUEUE, owner=owner, most=most))
        assert [row.id for row in found] == self.claimable()[:most]
        for row in found:
            self.rows[row.id][1:] = [QueueState.CLAIMED, owner]

    @precondition(lambda self: self.claimed())
    @rule(
        data=st.data(),
        owner=st.sampled_from(["satu", "dua"]),
        state=st.sampled_from([QueueState.DONE, QueueState.DEAD]),
    )
    def finish(self, data: st.DataObject, owner: str, state: QueueState) -> None:
        row_id = data.draw(st.sampled_from(self.claimed()))
        try:
            self.store.record(lambda c: queues.finish(c, QUEUE, [row_id], owner=owner, state=state))
        except ClaimLost:
            assert self.rows[row_id][2] != owner
        else:
            assert self.rows[row_id][2] == owner
            self.rows[row_id][1:] = [state, None]

    @precondition(lambda self: self.claimed())
    @rule(data=st.data(), owner=st.sampled_from(["satu", "dua"]))
    def retry(self, data: st.DataObject, owner: str) -> None:
        row_id = data.draw(st.sampled_from(self.claimed()))
        try:
            self.store.record(lambda c: queues.retry(c, QUEUE, row_id, owner=owner, pause_s=0, error="x"))
        except ClaimLost:
            assert self.rows[row_id][2] != owner
        else:
            assert self.rows[row_id][2] == owner
            self.rows[row_id][1:] = [QueueState.NEW, None]

    @rule()
    def crash_and_start_again(self) -> None:
        taken_back = self.store.record(lambda c: queues.take_back_all(c, QUEUE))
        assert taken_back == len(self.claimed())
        for row_id in self.claimed():
            self.rows[row_id][1:] = [QueueState.NEW, None]

    @invariant()
    def a_look_agrees(self) -> None:
        found = asyncio.run(self.store.read(lambda c: queues.has_claimable(c, QUEUE)))
        assert found == bool(self.claimable())


def test_no_sequence_of_events_breaks_the_order_or_gives_a_row_to_two(store: Store) -> None:
    run_state_machine_as_test(
        lambda: QueueMachine(store),
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
