"""What every store must do, whatever database is behind its doors.

``StoreContract`` is subclassed where the fixture ``store`` gives one implementation after the other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, insert, select

from store import meta, schema
from store.doors import Job, Store
from store.errors import StoreError, StoreUnavailable

WAIT_S = 10.0
OpenAnother = Callable[[], Awaitable[Store]]


def put(key: str, value: str = "ada") -> Job[None]:
    """A job that writes one fact."""
    return lambda connection: meta.put(connection, key, value)


def get(key: str) -> Job[str | None]:
    """A job that reads one fact."""
    return lambda connection: meta.get(connection, key)


def all_keys(connection: Connection) -> set[str]:
    """Every fact that is there."""
    return set(connection.execute(select(schema.meta.c.key)).scalars())


class Gate:
    """A job that holds its transaction open until ``open`` is called."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._opened = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self.entered.set()
        assert self._opened.wait(WAIT_S)

    def open(self) -> None:
        self._opened.set()


async def until(event: threading.Event) -> None:
    """Wait for a thread's event without keeping the loop."""
    assert await asyncio.to_thread(event.wait, WAIT_S)


class StoreContract:
    """Subclass it in a test module; every test takes the fixture ``store``."""

    async def test_a_job_gets_its_result_back(self, store: Store) -> None:
        assert await store.write(lambda connection: 7) == 7
        assert await store.read(lambda connection: 8) == 8
        assert await store.read(lambda connection: 9, slow=True) == 9
        assert await asyncio.to_thread(store.record, lambda connection: 10) == 10

    async def test_what_was_written_is_visible_to_the_next_read(self, store: Store) -> None:
        for n in range(20):
            await store.write(put("n", str(n)))
            assert await store.read(get("n")) == str(n)
            assert await store.read(get("n"), slow=True) == str(n)

    async def test_a_job_that_raises_fails_alone_and_leaves_nothing(self, store: Store) -> None:
        def failing(connection: Connection) -> None:
            meta.put(connection, "salah", "ada")
            raise ValueError("keliru")

        results = await asyncio.gather(
            *(store.write(failing if n == 10 else put(f"n{n}")) for n in range(20)), return_exceptions=True
        )

        assert isinstance(results.pop(10), ValueError)
        assert results == [None] * 19
        assert await store.read(all_keys) == {f"n{n}" for n in range(20) if n != 10}

    async def test_a_statement_that_the_database_refuses_fails_alone(self, store: Store) -> None:
        await store.write(put("satu"))

        def again(connection: Connection) -> None:
            meta.put(connection, "dua", "ada")
            connection.execute(insert(schema.meta).values(key="satu", value="lagi"))

        results = await asyncio.gather(
            store.write(put("tiga")), store.write(again), store.write(put("empat")), return_exceptions=True
        )

        assert isinstance(results[1], StoreError)
        # Trying again could not help, and a caller that waits for better times must not be told so.
        assert not isinstance(results[1], StoreUnavailable)
        assert (results[0], results[2]) == (None, None)
        assert await store.read(all_keys) == {"satu", "tiga", "empat"}

    async def test_a_read_that_fails_spoils_no_later_read(self, store: Store) -> None:
        def failing(connection: Connection) -> None:
            meta.get(connection, "n")
            raise ValueError("keliru")

        for slow in (False, True):
            with pytest.raises(ValueError, match="keliru"):
                await store.read(failing, slow=slow)
            await store.write(put("n", str(slow)))
            assert await store.read(get("n"), slow=slow) == str(slow)

    async def test_foreign_threads_record_at_once_and_nothing_is_lost(self, store: Store) -> None:
        def record(n: int) -> None:
            store.record(put(f"n{n}"))

        def feed() -> None:
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(record, range(100)))

        await asyncio.to_thread(feed)

        assert await store.read(all_keys) == {f"n{n}" for n in range(100)}

    async def test_record_raises_what_its_job_raised(self, store: Store) -> None:
        def failing(connection: Connection) -> None:
            raise ValueError("keliru")

        with pytest.raises(ValueError, match="keliru"):
            await asyncio.to_thread(store.record, failing)

    async def test_record_gives_up_in_time_and_then_writes_nothing_later(self, store: Store) -> None:
        gate = Gate()
        first = asyncio.create_task(asyncio.to_thread(store.record, gate))
        await until(gate.entered)

        with pytest.raises(StoreUnavailable, match="did not commit within"):
            await asyncio.to_thread(lambda: store.record(put("terlambat"), timeout_s=0.1))
        gate.open()
        await first

        await store.write(put("sesudah"))
        assert await store.read(all_keys) == {"sesudah"}

    async def test_a_read_sees_one_state_however_long_it_takes(self, store: Store) -> None:
        await store.write(put("n", "lama"))

        def twice(connection: Connection) -> tuple[str | None, str | None]:
            before = meta.get(connection, "n")
            thread = threading.Thread(target=store.record, args=(put("n", "baru"),))
            thread.start()
            thread.join(WAIT_S)
            assert not thread.is_alive()
            return before, meta.get(connection, "n")

        assert await store.read(twice) == ("lama", "lama")
        assert await store.read(get("n")) == "baru"
        await store.write(put("n", "lama"))
        assert await store.read(twice, slow=True) == ("lama", "lama")
        assert await store.read(get("n"), slow=True) == "baru"

    async def test_a_read_cannot_write_and_writes_go_on(self, store: Store) -> None:
        for slow in (False, True):
            with pytest.raises(StoreError):
                await store.read(put("curang"), slow=slow)
        # More often than there are connections: none of them may have been left read-only.
        await asyncio.gather(*(store.write(put(f"n{n}")) for n in range(20)))
        assert await store.read(all_keys) == {f"n{n}" for n in range(20)}

    async def test_closing_finishes_what_was_accepted(self, store: Store, open_another: OpenAnother) -> None:
        gate = Gate()
        writes = [asyncio.create_task(store.write(gate))]
        await until(gate.entered)
        writes += [asyncio.create_task(store.write(put(f"n{n}"))) for n in range(100)]
        await asyncio.sleep(0)

        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        gate.open()
        await closing

        assert await asyncio.gather(*writes) == [None] * 101
        assert await (await open_another()).read(all_keys) == {f"n{n}" for n in range(100)}

    async def test_a_closed_store_refuses_everything_at_once(
        self, store: Store, open_another: OpenAnother
    ) -> None:
        await store.close()

        with pytest.raises(StoreUnavailable, match="closed"):
            await store.write(put("n"))
        for slow in (False, True):
            with pytest.raises(StoreUnavailable, match="closed"):
                await store.read(get("n"), slow=slow)
        with pytest.raises(StoreUnavailable, match="closed"):
            await asyncio.to_thread(store.record, put("n"))
        assert await (await open_another()).read(all_keys) == set()

    async def test_threads_that_record_while_the_store_closes_get_an_answer_each(
        self, store: Store, open_another: OpenAnother
    ) -> None:
        started = threading.Event()
        recorded: set[str] = set()
        refused: list[str] = []

        def feed(thread: int) -> None:
            for n in range(10_000):
                key = f"{thread}-{n}"
                try:
                    store.record(put(key))
                except StoreUnavailable as exc:
                    refused.append(str(exc))
                    return
                recorded.add(key)
                started.set()

        feeding = [asyncio.create_task(asyncio.to_thread(feed, thread)) for thread in range(4)]
        await until(started)
        await store.close()
        await asyncio.gather(*feeding)

        assert refused == ["the store is closed"] * 4
        assert await (await open_another()).read(all_keys) == recorded

    async def test_closing_twice_is_harmless(self, store: Store) -> None:
        await store.close()
        await store.close()

    async def test_a_caller_that_went_away_disturbs_nobody(self, store: Store) -> None:
        gate = Gate()
        running = asyncio.create_task(store.write(gate))
        await until(gate.entered)
        others = [asyncio.create_task(store.write(put(f"n{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        others[3].cancel()
        running.cancel()
        gate.open()

        results = await asyncio.gather(running, *others, return_exceptions=True)

        assert isinstance(results[0], asyncio.CancelledError)
        assert isinstance(results[4], asyncio.CancelledError)
        assert [result for result in results if result is not None] == [results[0], results[4]]
        expected = {f"n{n}" for n in range(20) if n != 3}
        # The job of the one who left may have begun already; everyone else's must be there.
        assert await store.read(all_keys) - {"n3"} == expected
        await store.write(put("sesudah"))
        assert await store.read(get("sesudah")) == "ada"

    async def test_two_stores_on_one_database_see_each_other(
        self, store: Store, open_another: OpenAnother
    ) -> None:
        other = await open_another()
        await store.write(put("n", "satu"))
        assert await other.read(get("n")) == "satu"
        await other.write(put("n", "dua"))
        assert await store.read(get("n")) == "dua"
