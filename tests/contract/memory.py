"""What every memory must do, whatever it is built on: inherit ``MemoryContract`` and give ``make_memory``.

The rows are written to SQL as the product writes them; the memory under test only ever learns of them by
its change-log cursor. ``settle`` may be overridden by a memory whose writes become visible with delay.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, delete, insert

from store import changes, customers, embedding_space, knowledge, turns
from store.doors import Store
from store.embedding_space import Space
from store.knowledge import StoredChunk
from store.memory.index import MemoryIndex, Query, Recalled
from store.schema import customers as customer_rows
from store.schema import now_ms
from store.schema import turns as turn_rows
from store.turn_vectors import NewVector
from store.turn_vectors import replace as replace_vectors
from store.turns import Author, NewTurn
from store.vectors import Vector, to_bytes, unit

MakeMemory = Callable[[], MemoryIndex]
SPACE = Space(model="contract-embedding", dimensions=16)


def words(*texts: str) -> Query:
    """A search by words alone."""
    return Query(texts=texts)


def direction(number: int) -> Vector:
    """A unit vector of its own for every number, nearly at right angles to those of the others."""
    return unit(np.random.default_rng(number).standard_normal(SPACE.dimensions))


def chunk(id: str, text: str, *, vector: Vector | None = None, **fields: object) -> StoredChunk:
    """A passage that says ``text``."""
    values: dict[str, object] = {
        "id": id,
        "source": "faq.json",
        "kind": "faq",
        "title": id,
        "text": text,
        "embed_text": text,
        "search_text": text,
        "answer": None,
        "content_hash": text,
        "vector": None if vector is None else to_bytes(vector),
        "model": None if vector is None else SPACE.model,
        "dimensions": None if vector is None else SPACE.dimensions,
    }
    return StoredChunk(**(values | fields))  # type: ignore[arg-type] # the keys are the fields.


async def new_customer(store: Store) -> int:
    def add(connection: Connection) -> int:
        key = connection.execute(
            insert(customer_rows).values(account="utama", created_ms=now_ms())
        ).inserted_primary_key
        assert key is not None
        return int(key[0])

    return await store.write(add)


async def said(store: Store, customer_id: int, *asked: str, vector: Vector | None = None) -> list[int]:
    """Turns of the customer, in this order; their ids."""

    def add(connection: Connection) -> list[int]:
        return [
            turns.append(
                connection,
                NewTurn(
                    customer_id=customer_id,
                    asked=text,
                    replied=f"jawaban atas {text}",
                    author=Author.BOT,
                    search_text=text,
                    vector=None if vector is None else to_bytes(vector),
                    model=None if vector is None else SPACE.model,
                    dimensions=None if vector is None else SPACE.dimensions,
                ),
            )
            for text in asked
        ]

    return await store.write(add)


async def unsaid(store: Store, customer_id: int, turn_id: int) -> None:
    """Delete one turn for good."""

    def remove(connection: Connection) -> None:
        connection.execute(delete(turn_rows).where(turn_rows.c.id == turn_id))
        changes.append(connection, entity="turn", ref=str(turn_id), customer_id=customer_id, tombstone=True)

    await store.write(remove)


async def replay(store: Store, customer_id: int, turn_id: int, *, tombstone: bool = False) -> None:
    """A log entry about a turn once more, as a slow writer or a restored backup would leave it."""
    await store.write(
        lambda connection: changes.append(
            connection, entity="turn", ref=str(turn_id), customer_id=customer_id, tombstone=tombstone
        )
    )


async def publish(store: Store, *chunks: StoredChunk) -> int:
    """Make these the shop's whole knowledge; the generation's number."""
    report = await store.write(lambda connection: knowledge.commit_generation(connection, chunks))
    return report.generation


def ids(found: list[Recalled]) -> list[int]:
    return [turn.turn_id for turn in found]


class MemoryContract:
    """Inherit, and give a fixture ``make_memory`` that returns memories over the fixture ``store``."""

    @pytest.fixture
    def make_memory(self, store: Store) -> MakeMemory:
        raise NotImplementedError("the inheriting class says which memory is tested")

    @pytest.fixture
    async def memory(self, store: Store, make_memory: MakeMemory):  # type: ignore[no-untyped-def] # a generator fixture
        await store.write(
            lambda connection: embedding_space.settle(connection, SPACE.model, SPACE.dimensions)
        )
        memory = make_memory()
        await memory.open()
        yield memory
        await memory.close()

    # Recall

    async def test_recall_finds_the_older_turn_that_fits_best(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        customer = await new_customer(store)
        _, wanted, _ = await said(
            store, customer, "jam buka toko", "garansi router rusak", "alamat kantor klaten"
        )
        await memory.catch_up()
        found = await memory.recall(
            customer_id=customer, query=words("router rusak"), before_turn=None, limit=3
        )
        assert ids(found) == [wanted]
        assert found[0].asked == "garansi router rusak"
        assert found[0].replied == "jawaban atas garansi router rusak"
        assert found[0].author == "bot"
        assert found[0].created_ms > 0
        assert found[0].score > 0

    async def test_recall_never_crosses_customers(self, store: Store, memory: MemoryIndex) -> None:
        people = [await new_customer(store) for _ in range(8)]
        own = {
            person: set(await said(store, person, *["alamat saya jalan mawar"] * 3, vector=direction(1)))
            for person in people
        }
        await memory.catch_up()
        query = Query(texts=("alamat jalan mawar",), vectors=(direction(1),))
        for person in people * 2:
            found = await memory.recall(customer_id=person, query=query, before_turn=None, limit=50)
            assert set(ids(found)) == own[person]

    async def test_recall_of_somebody_unknown_finds_nothing(self, store: Store, memory: MemoryIndex) -> None:
        await said(store, await new_customer(store), "harga paket")
        await memory.catch_up()
        assert (
            await memory.recall(customer_id=10**9, query=words("harga paket"), before_turn=None, limit=5)
            == []
        )

    async def test_recall_stays_before_the_given_turn(self, store: Store, memory: MemoryIndex) -> None:
        customer = await new_customer(store)
        turn_ids = await said(store, customer, *["harga paket rumah"] * 6)
        await memory.catch_up()
        query = words("paket rumah")
        found = await memory.recall(customer_id=customer, query=query, before_turn=turn_ids[3], limit=10)
        assert sorted(ids(found)) == turn_ids[:3]
        found = await memory.recall(customer_id=customer, query=query, before_turn=turn_ids[0], limit=10)
        assert found == []

    async def test_of_turns_that_fit_equally_the_newest_come_first(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        customer = await new_customer(store)
        turn_ids = await said(store, customer, *["alamat saya"] * 5)
        await memory.catch_up()
        found = await memory.recall(customer_id=customer, query=words("alamat"), before_turn=None, limit=2)
        assert ids(found) == [turn_ids[4], turn_ids[3]]

    async def test_recall_gives_no_more_than_the_limit(self, store: Store, memory: MemoryIndex) -> None:
        customer = await new_customer(store)
        await said(store, customer, *["harga paket rumah"] * 6)
        await memory.catch_up()
        for limit in (0, 1, 4):
            found = await memory.recall(
                customer_id=customer, query=words("paket"), before_turn=None, limit=limit
            )
            assert len(found) == limit

    async def test_recall_leaves_out_turns_that_have_nothing_in_common(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        customer = await new_customer(store)
        await said(store, customer, "harga paket rumah", "jadwal teknisi")
        await memory.catch_up()
        assert (
            await memory.recall(customer_id=customer, query=words("garansi"), before_turn=None, limit=5) == []
        )

    async def test_recall_finds_by_meaning_what_the_words_do_not_say(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        customer = await new_customer(store)
        for number in range(20):
            await said(store, customer, f"basa basi {number}", vector=direction(number))
        [wanted] = await said(store, customer, "rumahku pindah ke wedi", vector=direction(100))
        await memory.catch_up()
        query = Query(texts=("alamat terbaru",), vectors=(direction(100),))
        found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=1)
        assert ids(found) == [wanted]

    async def test_vectors_of_another_model_take_no_part(self, store: Store, memory: MemoryIndex) -> None:
        customer = await new_customer(store)
        [other] = await said(store, customer, "satu dua", vector=direction(7))
        [wanted] = await said(store, customer, "tiga empat", vector=direction(7))
        await store.write(
            lambda connection: replace_vectors(
                connection,
                [NewVector(turn_id=other, customer_id=customer, vector=to_bytes(direction(7)))],
                Space(model="another-embedding", dimensions=SPACE.dimensions),
            )
        )
        await memory.catch_up()
        query = Query(texts=("lima",), vectors=(direction(7),))
        found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)
        assert ids(found) == [wanted]

    async def test_a_needle_among_many_turns_is_found(self, store: Store, memory: MemoryIndex) -> None:
        customer = await new_customer(store)
        chatter = [f"harga paket internet bulan {number} berapa kak" for number in range(400)]
        [needle] = await said(store, customer, "patokan rumah saya sebelah masjid al ikhlas")
        await said(store, customer, *chatter)
        await memory.catch_up()
        query = words("patokan rumah dekat masjid mana kak")
        for _ in range(2):
            found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=3)
            assert ids(found)[0] == needle

    async def test_a_turn_that_came_after_a_recall_is_found_by_the_next(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        customer = await new_customer(store)
        for count in range(1, 6):
            await said(store, customer, "nomor resi saya", vector=direction(count))
            await memory.catch_up()
            found = await memory.recall(customer_id=customer, query=words("resi"), before_turn=None, limit=10)
            assert len(found) == count

    # The change log

    @pytest.mark.parametrize("order", list(itertools.permutations(("upsert", "tombstone", "delete"))))
    async def test_a_tombstone_wins_over_replayed_upserts_in_any_order(
        self, store: Store, memory: MemoryIndex, order: tuple[str, ...]
    ) -> None:
        customer = await new_customer(store)
        gone, kept = await said(store, customer, "nomor ktp saya rahasia", "harga paket rahasia")
        await memory.catch_up()
        query = words("rahasia")
        await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)
        for step in order:
            if step == "delete":
                await unsaid(store, customer, gone)
            else:
                await replay(store, customer, gone, tombstone=step == "tombstone")
            await memory.catch_up()
        found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)
        assert ids(found) == [kept]

    async def test_deleting_a_customer_leaves_nothing_even_when_his_turns_are_replayed(
        self, store: Store, memory: MemoryIndex, make_memory: MakeMemory
    ) -> None:
        customer, other = await new_customer(store), await new_customer(store)
        turn_ids = await said(store, customer, *["alamat saya jalan mawar"] * 4, vector=direction(1))
        await said(store, other, "alamat saya jalan melati", vector=direction(1))
        await memory.catch_up()
        query = Query(texts=("alamat jalan",), vectors=(direction(1),))
        assert await memory.recall(customer_id=customer, query=query, before_turn=None, limit=9)
        assert await store.write(lambda connection: customers.forget(connection, customer))
        for turn_id in turn_ids:
            await replay(store, customer, turn_id)
        await memory.catch_up()
        rebuilt = make_memory()
        await rebuilt.open()
        for one in (memory, rebuilt):
            assert await one.recall(customer_id=customer, query=query, before_turn=None, limit=9) == []
            assert len(await one.recall(customer_id=other, query=query, before_turn=None, limit=9)) == 1
        await rebuilt.close()

    async def test_a_turn_that_moved_to_another_customer_is_found_there_alone(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        first, second = await new_customer(store), await new_customer(store)
        [moving] = await said(store, first, "garansi router")
        await said(store, second, "garansi modem")
        await memory.catch_up()
        query = words("garansi")
        for person in (first, second):
            await memory.recall(customer_id=person, query=query, before_turn=None, limit=5)

        def move(connection: Connection) -> None:
            connection.execute(turn_rows.update().where(turn_rows.c.id == moving).values(customer_id=second))
            changes.append(connection, entity="turn", ref=str(moving), customer_id=first, tombstone=True)
            changes.append(connection, entity="turn", ref=str(moving), customer_id=second)

        await store.write(move)
        await memory.catch_up()
        assert await memory.recall(customer_id=first, query=query, before_turn=None, limit=5) == []
        found = await memory.recall(customer_id=second, query=query, before_turn=None, limit=5)
        assert moving in ids(found)
        assert len(found) == 2

    async def test_what_happened_while_it_was_closed_is_there_after_opening(
        self, store: Store, make_memory: MakeMemory
    ) -> None:
        customer = await new_customer(store)
        gone, _ = await said(store, customer, "resi satu", "resi dua")
        await publish(store, chunk("a", "ongkir lama"))
        before = make_memory()
        await before.open()
        await before.close()
        await unsaid(store, customer, gone)
        [late] = await said(store, customer, "resi tiga")
        await publish(store, chunk("b", "ongkir baru"))
        after = make_memory()
        await after.open()
        await after.catch_up()
        found = await after.recall(customer_id=customer, query=words("resi"), before_turn=None, limit=5)
        assert late in ids(found)
        assert gone not in ids(found)
        assert [passage.id for passage in await after.search(words("ongkir"), limit=5)] == ["b"]
        await after.close()

    async def test_catching_up_tells_how_much_it_applied_and_then_rests(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        await memory.catch_up()
        customer = await new_customer(store)
        await said(store, customer, "satu", "dua", "tiga")
        assert await memory.catch_up() == 3
        assert await memory.catch_up() == 0

    async def test_a_rebuilt_memory_gives_the_same_results(
        self, store: Store, memory: MemoryIndex, make_memory: MakeMemory
    ) -> None:
        customer = await new_customer(store)
        topics = ["harga paket", "garansi router", "alamat kantor", "jadwal teknisi", "ongkir ambon"]
        passages = [chunk(f"k{n}", f"{topics[n % 5]} nomor {n}", vector=direction(n)) for n in range(20)]
        for number, topic in enumerate(topics * 4):
            turn_ids = await said(store, customer, f"{topic} {number}", vector=direction(number))
            await memory.catch_up()
            await memory.recall(customer_id=customer, query=words(topic), before_turn=None, limit=2)
            if number % 5 == 4:
                await unsaid(store, customer, turn_ids[0])
            await publish(store, *passages[: number + 1])
        await memory.catch_up()
        rebuilt = make_memory()
        await rebuilt.open()
        assert rebuilt.generation == memory.generation
        for number, topic in enumerate(topics):
            query = Query(texts=(topic,), vectors=(direction(number),))
            assert await rebuilt.search(query, limit=5) == await memory.search(query, limit=5)
            assert await rebuilt.recall(
                customer_id=customer, query=query, before_turn=None, limit=5
            ) == await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)
        await rebuilt.close()

    # Knowledge

    async def test_search_finds_the_passage_by_its_words(self, store: Store, memory: MemoryIndex) -> None:
        await publish(
            store,
            chunk(
                "faq:garansi",
                "garansi router satu tahun",
                answer="Garansinya satu tahun, Kak.",
                metadata={"berkas": "garansi.md"},
                title="Garansi router?",
            ),
            chunk("faq:ongkir", "ongkir ke ambon"),
            chunk("faq:jam", "jam buka toko"),
        )
        await memory.catch_up()
        [first, *_] = await memory.search(words("garansi router berapa lama"), limit=5)
        assert (first.id, first.kind, first.title) == ("faq:garansi", "faq", "Garansi router?")
        assert first.text == "garansi router satu tahun"
        assert first.answer == "Garansinya satu tahun, Kak."
        assert dict(first.metadata) == {"berkas": "garansi.md"}
        assert first.similarity is None
        assert first.score > 0

    async def test_coverage_says_how_much_of_the_question_a_passage_contains(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        await publish(
            store, chunk("garansi", "garansi router satu tahun"), chunk("ongkir", "ongkir kirim ke ambon")
        )
        await memory.catch_up()
        [whole, *_] = await memory.search(words("garansi router"), limit=5)
        [part, *_] = await memory.search(words("garansi kulkas dua pintu"), limit=5)
        assert whole.coverage == pytest.approx(1.0, abs=0.01)
        assert 0 < part.coverage < 0.5

    async def test_search_finds_by_meaning_what_the_words_do_not_say(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        await publish(
            store, *(chunk(f"k{number}", f"kata{number}", vector=direction(number)) for number in range(30))
        )
        await memory.catch_up()
        [first, *_] = await memory.search(Query(texts=("lain",), vectors=(direction(17),)), limit=3)
        assert first.id == "k17"
        assert first.similarity == pytest.approx(1.0, abs=0.01)

    async def test_search_joins_what_words_and_meaning_find(self, store: Store, memory: MemoryIndex) -> None:
        await publish(
            store,
            chunk("kata", "garansi router", vector=direction(1)),
            chunk("makna", "perlindungan alat", vector=direction(2)),
            chunk("keduanya", "garansi alat", vector=direction(2)),
            *(chunk(f"k{number}", f"isi {number}", vector=direction(number)) for number in range(10, 30)),
        )
        await memory.catch_up()
        found = await memory.search(Query(texts=("garansi",), vectors=(direction(2),)), limit=3)
        assert found[0].id == "keduanya"
        assert {passage.id for passage in found} == {"kata", "makna", "keduanya"}

    async def test_every_phrasing_of_the_question_is_searched(
        self, store: Store, memory: MemoryIndex
    ) -> None:
        await publish(
            store, chunk("a", "garansi router"), chunk("b", "ongkir ambon"), chunk("c", "jam buka toko")
        )
        await memory.catch_up()
        found = await memory.search(words("ongkir", "ongkir garansi"), limit=5)
        assert {passage.id for passage in found} == {"a", "b"}

    async def test_search_gives_no_more_than_the_limit(self, store: Store, memory: MemoryIndex) -> None:
        await publish(store, *(chunk(f"k{number}", f"paket {number}") for number in range(20)))
        await memory.catch_up()
        for limit in (0, 1, 5):
            assert len(await memory.search(words("paket"), limit=limit)) == limit

    async def test_an_empty_memory_finds_nothing(self, memory: MemoryIndex) -> None:
        assert memory.generation == 0
        assert await memory.search(words("apa saja"), limit=5) == []
        assert await memory.search(Query(texts=("apa",), vectors=(direction(1),)), limit=5) == []
        assert await memory.search(Query(texts=()), limit=5) == []

    async def test_a_new_generation_replaces_the_old_one(self, store: Store, memory: MemoryIndex) -> None:
        first = await publish(store, chunk("a", "ongkir lama"), chunk("b", "ongkir tetap"))
        await memory.catch_up()
        assert memory.generation == first
        second = await publish(store, chunk("b", "ongkir tetap"), chunk("c", "ongkir baru"))
        await memory.catch_up()
        assert memory.generation == second > first
        found = await memory.search(words("ongkir"), limit=5)
        assert {passage.id for passage in found} == {"b", "c"}

    async def test_no_search_ever_sees_half_of_a_generation(self, store: Store, memory: MemoryIndex) -> None:
        size = 40
        generations = 12
        await publish(store, *(chunk(f"k{n}", f"paket nomor {n}", title="1") for n in range(size)))
        await memory.catch_up()
        done = asyncio.Event()
        seen: set[str] = set()

        async def keep_searching() -> None:
            while not done.is_set():
                before = memory.generation
                found = await memory.search(words("paket"), limit=size)
                titles = {passage.title for passage in found}
                assert len(found) == size
                assert len(titles) == 1, "passages of two generations in one result"
                assert titles <= {str(number) for number in range(before, memory.generation + 1)}
                seen.update(titles)
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(keep_searching())
            for number in range(2, generations + 1):
                await publish(
                    store, *(chunk(f"k{n}", f"paket nomor {n}", title=str(number)) for n in range(size))
                )
                await memory.catch_up()
                await asyncio.sleep(0.002)
            done.set()
        assert str(generations) in seen
        assert memory.generation == generations
