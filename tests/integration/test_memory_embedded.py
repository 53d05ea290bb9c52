"""The embedded memory over every store, and what only it promises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete

from store.doors import Store
from store.memory.embedded import INLINE_TURNS, EmbeddedMemory
from store.memory.index import Query
from store.memory.recall import MOST_TURNS
from store.schema import turns as turn_rows
from tests.contract.memory import (
    MakeMemory,
    MemoryContract,
    chunk,
    direction,
    ids,
    new_customer,
    publish,
    said,
    words,
)


class TestEmbeddedMemory(MemoryContract):
    @pytest.fixture
    def make_memory(self, store: Store) -> MakeMemory:
        return lambda: EmbeddedMemory(store)

    async def test_only_the_newest_turns_are_recalled(self, store: Store, memory: EmbeddedMemory) -> None:
        customer = await new_customer(store)
        [too_old] = await said(store, customer, "patokan masjid lama")
        [in_reach] = await said(store, customer, "patokan masjid baru")
        await said(store, customer, *["basa basi"] * (MOST_TURNS - 1))
        for _ in range(2):
            found = await memory.recall(
                customer_id=customer, query=words("patokan masjid"), before_turn=None, limit=5
            )
            assert ids(found) == [in_reach]
            assert too_old not in ids(found)

    async def test_a_growing_history_is_cut_to_its_newest_turns(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        customer = await new_customer(store)
        await said(store, customer, "patokan masjid", *["basa basi"] * (MOST_TURNS - 1))
        query = words("patokan masjid")
        found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)
        assert len(found) == 1
        for _ in range(3):
            [newest] = (await said(store, customer, *["basa basi"] * 150, "patokan pasar"))[-1:]
            found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=1)
            assert ids(found) == [newest]
        found = await memory.recall(customer_id=customer, query=words("masjid"), before_turn=None, limit=5)
        assert found == []

    @pytest.mark.parametrize("count", [1, INLINE_TURNS - 1, INLINE_TURNS, INLINE_TURNS + 1, 3 * INLINE_TURNS])
    async def test_every_turn_is_found_whether_it_was_read_on_the_loop_or_in_a_thread(
        self, store: Store, memory: EmbeddedMemory, count: int
    ) -> None:
        customer = await new_customer(store)
        turn_ids = await said(store, customer, "jarum", *["basa basi"] * (count - 1))
        for _ in range(2):
            found = await memory.recall(customer_id=customer, query=words("jarum"), before_turn=None, limit=5)
            assert ids(found) == turn_ids[:1]

    async def test_one_long_history_is_read_at_a_time(
        self, store: Store, memory: EmbeddedMemory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each takes megabytes while it is read, and what they take together the process keeps for good."""
        people = [await new_customer(store) for _ in range(5)]
        for person in people:
            await said(store, person, "jarum", *["basa basi"] * INLINE_TURNS)
        read, reading, together = store.read, 0, 0

        async def counted(job: Any, *, slow: bool = False) -> Any:
            nonlocal reading, together
            reading += slow
            together = max(together, reading)
            try:
                return await read(job, slow=slow)
            finally:
                reading -= slow

        monkeypatch.setattr(store, "read", counted)
        found = await asyncio.gather(
            *(
                memory.recall(customer_id=person, query=words("jarum"), before_turn=None, limit=5)
                for person in people
            )
        )
        assert [len(turns) for turns in found] == [1] * len(people)
        assert together == 1

    async def test_rows_that_vanished_without_a_log_entry_are_not_recalled_from_the_cache(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        customer = await new_customer(store)
        # The newer one ranks first, so the cache alone would spend the only place on it.
        kept, gone = await said(store, customer, "resi satu", "resi dua")
        query = words("resi")
        assert len(await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)) == 2
        await store.write(
            lambda connection: connection.execute(delete(turn_rows).where(turn_rows.c.id == gone))
        )
        found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=1)
        assert ids(found) == [kept]

    async def test_a_turn_that_was_moved_away_is_not_recalled_even_before_the_log_is_followed(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        first, second = await new_customer(store), await new_customer(store)
        [moving] = await said(store, first, "resi rahasia")
        query = words("resi")
        assert await memory.recall(customer_id=first, query=query, before_turn=None, limit=5)
        await store.write(
            lambda connection: connection.execute(
                turn_rows.update().where(turn_rows.c.id == moving).values(customer_id=second)
            )
        )
        assert await memory.recall(customer_id=first, query=query, before_turn=None, limit=5) == []

    async def test_histories_are_held_within_their_bytes(self, store: Store) -> None:
        memory = EmbeddedMemory(store, cache_bytes=20_000)
        await memory.open()
        people = [await new_customer(store) for _ in range(30)]
        for person in people:
            await said(store, person, *[f"resi nomor {number}" for number in range(10)])
        for person in people * 2:
            found = await memory.recall(customer_id=person, query=words("resi"), before_turn=None, limit=99)
            assert len(found) == 10
            assert memory.cached_bytes <= 20_000
        assert memory.cached_bytes > 0

    async def test_following_the_log_keeps_the_history_of_a_customer_who_only_goes_on_talking(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        customer = await new_customer(store)
        await said(store, customer, "resi satu")
        query = words("resi")
        await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)
        for _ in range(3):
            await said(store, customer, "resi lagi")
            await memory.recall(customer_id=customer, query=query, before_turn=None, limit=5)
            await memory.catch_up()
            assert memory.cached_bytes > 0

    async def test_a_deleted_customer_is_forgotten_by_the_cache_too(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        from store import customers

        customer = await new_customer(store)
        await said(store, customer, "alamat rahasia")
        await memory.recall(customer_id=customer, query=words("alamat"), before_turn=None, limit=5)
        assert memory.cached_bytes > 0
        await store.write(lambda connection: customers.forget(connection, customer))
        await memory.catch_up()
        assert memory.cached_bytes == 0

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("pengirman", "pengiriman"),  # a letter is missing
            ("pengirimaan", "pengiriman"),  # one too many
            ("pemgiriman", "pengiriman"),  # the neighbouring key
            ("pegniriman", "pengiriman"),  # two swapped
            ("krm", "kirim"),  # without its vowels
            ("dibayarkan", "pembayaran"),  # another form of the same stem
            ("tarif", "biaya"),  # another word for the same thing
        ],
    )
    async def test_a_word_written_differently_still_finds_its_passage(
        self, store: Store, memory: EmbeddedMemory, written: str, meant: str
    ) -> None:
        await publish(
            store,
            chunk("dicari", f"tentang {meant} toko"),
            chunk("a", "jam buka"),
            chunk("b", "garansi router"),
        )
        await memory.catch_up()
        found = await memory.search(words(written), limit=3)
        assert [passage.id for passage in found] == ["dicari"]
        assert 0 < found[0].coverage < 1

    async def test_one_sentence_of_a_long_passage_outranks_words_that_are_strewn_over_another(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        filling = "lembar serah terima penyewa dokumen salinan nomor seri goresan petunjuk simpan"
        await publish(
            store,
            chunk("tersebar", f"tutup {filling}\nlensa {filling}\nhilang {filling}"),
            chunk("kalimat", f"tutup lensa hilang\n{filling} {filling}\n{filling} seri"),
        )
        await memory.catch_up()
        found = await memory.search(words("tutup lensa hilang"), limit=2)
        assert [passage.id for passage in found] == ["kalimat", "tersebar"]

    async def test_a_bare_follow_up_covers_no_passage_that_lacks_its_topic(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        await publish(
            store,
            chunk("lain", "kalau itu berapa"),
            chunk("topik", "sewa lensa tele berapa"),
            chunk("a", "jam buka"),
        )
        await memory.catch_up()
        query = Query(texts=("kalau itu berapa", "lensa tele kalau itu berapa"))
        by_id = {passage.id: passage for passage in await memory.search(query, limit=3)}
        [alone] = await memory.search(words("kalau itu berapa"), limit=1)
        assert alone.coverage == pytest.approx(1.0, abs=0.01)
        assert by_id["lain"].coverage < 0.75

    async def test_a_denied_word_finds_what_the_shop_calls_it(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        await publish(store, chunk("batal", "pembatalan uang muka"), chunk("a", "jam buka"))
        await memory.catch_up()
        found = await memory.search(words("saya tidak jadi"), limit=2)
        assert [passage.id for passage in found] == ["batal"]
        assert await memory.search(words("saya jadi"), limit=2) == []

    async def test_codes_are_never_taken_for_one_another(self, store: Store, memory: EmbeddedMemory) -> None:
        await publish(store, chunk("katalog:IH20", "paket ih20"), chunk("katalog:IH50", "paket ih50"))
        await memory.catch_up()
        assert [passage.id for passage in await memory.search(words("ih20"), limit=5)] == ["katalog:IH20"]
        assert await memory.search(words("ih30"), limit=5) == []

    async def test_meaning_finds_every_turn_of_a_history_that_grows_turn_by_turn(
        self, store: Store, memory: EmbeddedMemory
    ) -> None:
        customer = await new_customer(store)
        turn_ids: list[int] = []
        for number in range(160):
            turn_ids += await said(store, customer, "basa basi", vector=direction(number))
            asked = (number * 7) % (number + 1)
            query = Query(texts=("lain",), vectors=(direction(asked),))
            found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=1)
            assert ids(found) == [turn_ids[asked]]
