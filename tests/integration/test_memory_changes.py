"""The change log and the tables that follow it, over every store."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from store import changes, customers, embedding_space, knowledge, meta
from store.doors import Store
from store.errors import StoreMisconfigured
from store.knowledge import GenerationReport, StoredChunk
from store.memory.embedded import EmbeddedMemory
from store.postgres import postgres_engine
from store.sqlite import SqliteStore
from store.vectors import to_bytes
from tests.contract.memory import SPACE, chunk, direction, ids, new_customer, replay, said, unsaid, words

# The log


async def test_entries_come_back_in_the_order_in_which_they_were_written(store: Store) -> None:
    def write(connection: Connection) -> None:
        changes.append(connection, entity="turn", ref="1", customer_id=7)
        changes.append(connection, entity="knowledge", ref="faq:x", tombstone=True)

    assert await store.read(changes.last_seq) == 0
    await store.write(write)
    first, second = await store.read(lambda connection: changes.after(connection, 0, limit=10))
    assert (first.entity, first.ref, first.customer_id, first.tombstone) == ("turn", "1", 7, False)
    assert (second.entity, second.ref, second.customer_id, second.tombstone) == (
        "knowledge",
        "faq:x",
        None,
        True,
    )
    assert first.seq < second.seq == await store.read(changes.last_seq)


async def test_reading_goes_on_behind_the_cursor_and_stops_at_the_limit(store: Store) -> None:
    entries = [changes.entry(entity="turn", ref=str(number)) for number in range(5)]
    await store.write(lambda connection: changes.append_many(connection, entries))
    start = await store.read(lambda connection: changes.after(connection, 0, limit=2))
    rest = await store.read(lambda connection: changes.after(connection, start[-1].seq, limit=10))
    assert [change.ref for change in (*start, *rest)] == ["0", "1", "2", "3", "4"]


def test_on_postgresql_a_number_is_never_visible_before_a_smaller_one(postgres_url: str) -> None:
    engine = postgres_engine(postgres_url)
    second_is_through = threading.Event()

    def append_second() -> None:
        with engine.begin() as connection:
            changes.append(connection, entity="turn", ref="second")
        second_is_through.set()

    with engine.connect() as slow, engine.connect() as reading:
        transaction = slow.begin()
        changes.append(slow, entity="turn", ref="first")
        other = threading.Thread(target=append_second)
        other.start()
        overtaken = second_is_through.wait(0.5)
        with reading.begin():
            seen_early = changes.after(reading, 0, limit=10)
        transaction.commit()
        other.join()
        with reading.begin():
            seen = [change.ref for change in changes.after(reading, 0, limit=10)]
    engine.dispose()
    assert not overtaken
    assert seen_early == []
    assert seen == ["first", "second"]


# Whatever happens in whatever order, the memory ends with what SQL holds, and nothing else.

_STEP = st.tuples(
    st.sampled_from(["say", "say", "unsay", "forget", "replay", "bury", "catch up", "recall", "reopen"]),
    st.integers(0, 2),
    st.integers(0, 5),
)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(_STEP, max_size=25))
def test_no_order_of_events_brings_back_what_was_deleted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "tombstones"
    asyncio.run(_live_through(folder, steps))


async def _live_through(folder: Path, steps: list[tuple[str, int, int]]) -> None:
    store = await SqliteStore.open(folder / "balas.db")
    memory = EmbeddedMemory(store)
    await memory.open()
    people = [await new_customer(store) for _ in range(3)]
    alive: dict[int, list[int]] = {person: [] for person in people}
    everything: dict[int, list[int]] = {person: [] for person in people}
    gone: set[int] = set()

    async def recalled(person: int) -> list[int]:
        found = await memory.recall(customer_id=person, query=words("resi"), before_turn=None, limit=100)
        return sorted(ids(found))

    for what, who, which in steps:
        person = people[who]
        ever = everything[person]
        if what == "say" and person not in gone:
            [turn_id] = await said(store, person, f"resi {which}")
            alive[person].append(turn_id)
            ever.append(turn_id)
        elif what == "unsay" and alive[person]:
            turn_id = alive[person].pop(which % len(alive[person]))
            await unsaid(store, person, turn_id)
        elif what == "forget":
            await store.write(lambda connection, person=person: customers.forget(connection, person))
            alive[person] = []
            gone.add(person)
        elif what == "replay" and ever:
            await replay(store, person, ever[which % len(ever)])
        elif what == "bury" and ever and ever[which % len(ever)] not in alive[person]:
            await replay(store, person, ever[which % len(ever)], tombstone=True)
        elif what == "catch up":
            await memory.catch_up()
        elif what == "recall":
            assert await recalled(person) == alive[person]
        elif what == "reopen":
            await memory.close()
            memory = EmbeddedMemory(store)
            await memory.open()
    await memory.catch_up()
    for person in people:
        assert await recalled(person) == alive[person]
    await store.close()


# Knowledge


async def commit(store: Store, *chunks: StoredChunk) -> GenerationReport:
    return await store.write(lambda connection: knowledge.commit_generation(connection, chunks))


async def test_a_generation_counts_what_differs_and_logs_exactly_that(store: Store) -> None:
    await commit(store, chunk("a", "satu"), chunk("b", "dua"), chunk("c", "tiga"))
    before = await store.read(changes.last_seq)
    report = await commit(store, chunk("a", "satu"), chunk("b", "dua baru"), chunk("d", "empat"))
    assert report == GenerationReport(generation=2, added=1, changed=1, removed=1, unchanged=1)
    logged = await store.read(lambda connection: changes.after(connection, before, limit=10))
    assert {(change.ref, change.tombstone) for change in logged} == {
        ("c", True),
        ("b", False),
        ("d", False),
    }
    assert [one.text for one in await store.read(knowledge.load_all)] == ["satu", "dua baru", "empat"]


async def test_the_same_knowledge_again_is_no_new_generation(store: Store) -> None:
    chunks = [chunk("a", "satu", metadata={"k": "v"}, answer="Satu."), chunk("b", "dua", vector=direction(1))]
    await commit(store, *chunks)
    before = await store.read(changes.last_seq)
    assert (await commit(store, *chunks)).generation == 1
    assert await store.read(knowledge.current_generation) == 1
    assert await store.read(changes.last_seq) == before
    assert await store.read(knowledge.load_all) == chunks


async def test_a_chunk_keeps_its_vector_only_while_its_content_is_the_same(store: Store) -> None:
    await commit(store, chunk("a", "satu", vector=direction(1)), chunk("b", "dua", vector=direction(2)))
    await commit(store, chunk("a", "satu"), chunk("b", "dua baru"))
    kept, changed = await store.read(knowledge.load_all)
    assert kept.vector == to_bytes(direction(1))
    assert kept.model == SPACE.model
    assert changed.vector is None
    assert changed.model is None


async def test_a_failed_commit_leaves_the_old_generation_whole(store: Store) -> None:
    await commit(store, chunk("a", "satu"))

    def fail(connection: Connection) -> None:
        knowledge.commit_generation(connection, [chunk("b", "dua")])
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        await store.write(fail)
    assert [one.id for one in await store.read(knowledge.load_all)] == ["a"]
    assert await store.read(knowledge.current_generation) == 1


async def test_two_chunks_with_one_id_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="same id"):
        await commit(store, chunk("a", "satu"), chunk("a", "dua"))
    assert await store.read(knowledge.load_all) == []


# The embedding space


async def test_another_model_or_size_is_refused_and_the_way_out_is_named(store: Store) -> None:
    await store.write(lambda connection: embedding_space.settle(connection, "small", 512))
    for model, dimensions in (("large", 512), ("small", 256)):
        with pytest.raises(StoreMisconfigured, match=r"python -m rag\.ingest DATA_DIR --reembed"):
            await store.read(
                lambda connection, model=model, size=dimensions: embedding_space.check(
                    connection, model, size
                )
            )
        with pytest.raises(StoreMisconfigured):
            await store.write(
                lambda connection, model=model, size=dimensions: embedding_space.settle(
                    connection, model, size
                )
            )
    stored = await store.read(embedding_space.stored)
    assert stored == embedding_space.Space(model="small", dimensions=512)


async def test_the_same_model_and_words_alone_are_always_allowed(store: Store) -> None:
    await store.read(lambda connection: embedding_space.check(connection, "any", 8))
    await store.write(lambda connection: embedding_space.settle(connection, "small", 512))
    await store.read(lambda connection: embedding_space.check(connection, "small", 512))
    await store.read(lambda connection: embedding_space.check(connection, None, None))
    await store.write(lambda connection: embedding_space.settle(connection, None, None))
    assert await store.read(lambda connection: meta.get(connection, embedding_space.META_KEY)) == "512 small"


async def test_a_fact_is_written_over_the_one_before(store: Store) -> None:
    for value in ("satu", "satu", "dua"):
        await store.write(lambda connection, value=value: meta.put(connection, "kunci", value))
    assert await store.read(lambda connection: meta.get(connection, "kunci")) == "dua"
    assert await store.read(lambda connection: meta.get(connection, "lain")) is None
