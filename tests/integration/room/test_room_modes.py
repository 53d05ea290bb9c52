"""First run, practice, rest, and who is answered at all."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import Connection, delete

from bot import firstrun, modes
from config.settings import Mode
from store import customers as customer_store
from store import meta, past_chats
from store.customers import Address
from store.past_chats import PastChat
from store.schema import customers, handoffs, turns, usage
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, WAIT_S, OpenShop, TinyShop, age

NEW = {"BALAS_MODE": "new"}


async def _new(open_shop: OpenShop) -> TinyShop:
    """A shop on its first run whose owner has read the greeting."""
    shop = await open_shop(**NEW)
    async with asyncio.timeout(WAIT_S):
        while not shop.heard("owner"):  # noqa: ASYNC110 - the greeting comes from a task of the bot's own.
            await asyncio.sleep(0.01)
    return shop


async def test_before_the_first_word_nobody_is_answered_and_the_owner_is_told_so(open_shop: OpenShop) -> None:
    shop = await _new(open_shop)
    assert await shop.says("budi", QUESTION) == []
    [greeting] = shop.heard("owner")
    assert "Belum ada pelanggan yang kujawab" in greeting
    assert "*mulai*" in greeting
    assert "belum mulai" in (await shop.owner("status"))[0]
    assert await shop.owner("mulai") == [shop.wording.say("admin_mulai_pertama")]
    assert (await shop.says("budi", QUESTION))[0].startswith(COD)


async def test_the_owner_is_greeted_once_in_a_shops_life(open_shop: OpenShop) -> None:
    shop = await _new(open_shop)
    await shop.channel.stop(0)
    again = await open_shop(**NEW)
    await again.owner("status")
    assert not [text for text in again.heard("owner") if "tersambung" in text]


async def test_a_shop_that_is_told_to_answer_at_once_does_and_greets_nobody(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="on")
    assert await shop.says("budi", QUESTION)
    assert shop.heard("owner") == []


async def test_practice_is_answered_like_a_customer_and_leaves_no_trace(open_shop: OpenShop) -> None:
    shop = await _new(open_shop)
    [answer] = await shop.owner(QUESTION)
    assert COD in answer
    assert "latihan" in answer
    [unknown] = await shop.owner(UNKNOWN)
    assert "belum tahu" in unknown
    assert "🔔" in unknown
    assert shop.wording.say("salam") in (await shop.owner("halo"))[0]
    assert await shop.count(turns) == await shop.count(customers) == await shop.count(handoffs) == 0
    # What it cost is real.
    assert await shop.count(usage, usage.c.customer_id == 0) == 1


async def test_practice_remembers_what_was_practised(open_shop: OpenShop) -> None:
    shop = await _new(open_shop)
    await shop.owner(QUESTION)
    shop.stand_in.control(record=True)
    await shop.owner("jam buka toko?")
    messages = shop.stand_in.requests()["bodies"][-1]["body"]["messages"]
    assert {"role": "assistant", "content": COD} in messages


async def test_a_running_shop_practises_on_request(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert COD in (await shop.owner("coba Bisa COD?"))[0]
    assert await shop.owner("mas, nanti sore tolong jaga toko ya") == []


async def test_a_rest_ends_by_itself(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [told] = await shop.owner("istirahat 24 jam")
    assert "aku diam sampai besok" in told
    assert await shop.says("budi", QUESTION) == []
    assert "Istirahat sampai besok" in (await shop.owner("status"))[0]
    over_ms = int(time.time() * 1000) - 1
    await shop.write(lambda c: meta.put(c, "mode:utama", f"off {over_ms} on"))
    assert await shop.says("budi", QUESTION)
    assert "Istirahat" not in (await shop.owner("status"))[0]


async def test_a_rest_within_a_rest_returns_to_what_was_before_both(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="approve")
    await shop.owner("istirahat 1 jam")
    await shop.owner("istirahat 2 hari")
    rest = await shop.store.read(lambda c: modes.resting(c, "utama"))
    assert rest is not None
    assert rest.then is Mode.APPROVE
    await shop.owner("mulai")
    assert await shop.says("budi", QUESTION)


@pytest.mark.parametrize("words", ["istirahat", "istirahat 0 jam", "istirahat 99 hari", "istirahat sebentar"])
async def test_a_rest_without_an_end_is_asked_about(open_shop: OpenShop, words: str) -> None:
    shop = await open_shop()
    assert await shop.owner(words) == [shop.wording.say("admin_istirahat_cara")]
    assert await shop.says("budi", QUESTION)


async def test_only_those_on_the_list_are_answered(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_KE="daftar")
    assert await shop.says("budi", QUESTION, name="Budi") == []
    await shop.owner("lanjut budi")
    assert await shop.says("budi", QUESTION, name="Budi")
    assert await shop.says("siti", QUESTION) == []
    # The wider choice lets in whoever was left out, but nobody whom the owner ignores by name.
    await shop.says("joko", "halo", name="Joko")
    await shop.owner("abaikan joko")
    await shop.owner("balas semua")
    assert await shop.says("siti", QUESTION)
    assert await shop.says("joko", QUESTION, name="Joko") == []


async def test_a_saved_number_is_left_out_where_only_new_ones_are_answered(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await open_shop()

    async def is_saved(chat: str) -> bool:
        return chat == "ibu"

    monkeypatch.setattr(shop.channel, "is_saved", is_saved)
    assert await shop.owner("balas nomor baru") == [shop.wording.say("admin_balas_nomor_baru")]
    assert await shop.says("ibu", QUESTION) == []
    assert await shop.says("budi", QUESTION)
    # Who was left out by a narrower choice is looked at as well, but not who is let in by name.
    await shop.owner("balas daftar")
    await shop.owner("balas nomor baru")
    assert await shop.says("ibu", QUESTION, name="Ibu") == []
    await shop.owner("lanjut ibu")
    assert await shop.says("ibu", QUESTION, name="Ibu")


def _told_by_the_phone(connection: Connection, name: str) -> None:
    past = PastChat(chat=name, addresses=(Address("uji", name),), last_ms=1, waiting=False)
    past_chats.note(connection, "utama", [past])


async def _is_known_before(shop: TinyShop, name: str, how: str) -> None:
    """He is a customer in the store, though he never wrote to the bot."""
    match how:
        case "history":
            await shop.write(lambda c: _told_by_the_phone(c, name))
        case "owner":
            await shop.record(name, "Bu, nanti aku pulang telat", own=True)
        case "edit":
            await shop.record(name, "Bu, nanti aku pulang cepat", own=True, kind="edit", quote="lama")
        case "unreadable":
            await shop.write(lambda c: customer_store.resolve(c, "utama", [Address("uji", name)], name=name))
    await shop.settled()
    customer = await shop.customer(name)
    # A pause that the owner's words began is over.
    await shop.write(lambda c: customer_store.keep_silent(c, customer.id, for_ms=-1, reason="human"))
    await age(shop.store, customers, "human_ms", by_ms=60_000)


@pytest.mark.parametrize("how", ["history", "owner", "edit", "unreadable"])
@pytest.mark.parametrize("chosen", ["nomor_baru", "daftar"])
async def test_who_is_known_before_he_writes_is_judged_like_anybody(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch, chosen: str, how: str
) -> None:
    shop = await open_shop(BALAS_KE=chosen)

    async def is_saved(chat: str) -> bool:
        return chat == "ibu"

    monkeypatch.setattr(shop.channel, "is_saved", is_saved)
    for name in ("ibu", "budi"):
        await _is_known_before(shop, name, how)
    assert await shop.says("ibu", QUESTION, name="Ibu") == []
    assert bool(await shop.says("budi", QUESTION, name="Budi")) is (chosen == "nomor_baru")
    # The owner's word about one of them counts for more, also when nothing is left of what was said.
    await shop.owner("lanjut ibu")
    assert await shop.says("ibu", QUESTION, name="Ibu")
    await shop.write(lambda c: c.execute(delete(turns)) and None)
    assert await shop.says("ibu", QUESTION, name="Ibu")


async def test_whom_the_owner_let_in_or_ignored_before_he_wrote_is_not_judged_again(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop(BALAS_KE="daftar")
    for name in ("budi", "joko"):
        await shop.write(
            lambda c, n=name: customer_store.resolve(c, "utama", [Address("uji", n)], name=n)  # type: ignore[misc] # mypy infers no default
        )
    await shop.owner("lanjut budi")
    assert await shop.says("budi", QUESTION)
    await shop.owner("abaikan joko")
    assert await shop.says("joko", QUESTION) == []
    await shop.owner("balas semua")
    assert await shop.says("joko", QUESTION) == []


async def test_who_wrote_before_the_shop_answered_anybody_is_judged_by_what_was_chosen_then(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await _new(open_shop)

    async def is_saved(chat: str) -> bool:
        return chat == "ibu"

    monkeypatch.setattr(shop.channel, "is_saved", is_saved)
    assert await shop.says("ibu", QUESTION) == []
    await shop.owner("balas nomor baru")
    await shop.owner("mulai")
    assert await shop.says("ibu", QUESTION) == []
    assert await shop.says("budi", QUESTION)


async def test_the_wider_choice_lets_in_whom_the_owner_wrote_to_himself(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_KE="daftar")
    assert await shop.says("budi", QUESTION) == []
    await shop.record("budi", "Halo Kak, ada yang bisa kubantu?", own=True)
    await shop.settled()
    await age(shop.store, customers, "silent_until_ms", by_ms=60 * 60_000)
    await age(shop.store, customers, "human_ms", by_ms=60_000)
    assert await shop.says("budi", QUESTION) == []
    await shop.owner("balas semua")
    assert await shop.says("budi", QUESTION)


async def test_a_code_typed_once_in_a_group_makes_it_the_room(open_shop: OpenShop) -> None:
    shop = await _new(open_shop)
    code = await shop.store.read(lambda c: firstrun.room_code(c, "utama"))
    # The room stands in the settings here, so there is no code and nothing moves it.
    assert code is None


def test_only_the_code_alone_is_the_code() -> None:
    assert firstrun.is_code(" Ruang  12345678 ", "12345678")
    assert not firstrun.is_code("ruang 12345679", "12345678")
    assert not firstrun.is_code("ketik ruang 12345678 ya", "12345678")
    assert not firstrun.is_code("ruang", "")
    assert not firstrun.is_code("ruang None", None)


async def test_the_mode_of_an_old_database_is_understood(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.write(lambda c: meta.put(c, "mode:utama", "off"))
    assert await shop.says("budi", QUESTION) == []
