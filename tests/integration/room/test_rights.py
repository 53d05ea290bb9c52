"""The customer's rights in his own chat: what is stored, a copy of it, and its end."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.whatsapp import past
from store import meta
from store.customers import waiting_for_a_person
from store.doors import Store
from store.erasure import rows_left
from store.outbox import Kind
from store.schema import customers, inbox, outbox
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, WAIT_S, OpenShop, TinyShop

MARK = "kecubung-ungu-7731"


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def open_shop(open_shop: OpenShop, store: Store, request: pytest.FixtureRequest) -> OpenShop:
    """A shop whose settings name the database that it is in, because its files are to be written anew."""
    if store.dialect == "sqlite":
        return open_shop
    return partial(open_shop, DATABASE_URL=request.getfixturevalue("postgres_url"))


def _past_chat(chat: str) -> Any:
    """A chat as the shop's phone tells it when it links a device; only its bytes matter here."""
    return SimpleNamespace(ID=chat, SerializeToString=lambda: f"{chat} {MARK}".encode())


async def _until_gone(shop: TinyShop) -> None:
    """He is deleted, and the mark that his bytes are still to be overwritten is gone, too."""

    def is_over(connection: Connection) -> bool:
        his = connection.execute(select(customers.c.id).where(customers.c.name == "Budi Mark")).first()
        return his is None and not meta.get(connection, "unerased:utama")

    async with asyncio.timeout(WAIT_S * 2):
        while not await shop.store.read(is_over):  # noqa: ASYNC110 - a task of the bot's own sets no event.
            await asyncio.sleep(0.05)


async def test_a_customer_is_asked_before_everything_of_him_goes(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", f"{QUESTION} {MARK}", name="Budi Mark")
    await shop.says("budi", UNKNOWN)
    budi = await shop.customer("budi")
    assert await shop.says("budi", "hapus data saya") == [shop.wording.say("hapus_data_tanya")]
    assert await shop.count(customers) == 1
    told = await shop.says("budi", "Ya, hapus data saya", name="Budi Mark")
    assert told == [shop.wording.say("hapus_data")]
    await _until_gone(shop)
    await shop.settled()
    assert await shop.store.read(lambda c: rows_left(c, budi.id)) == {}
    assert await shop.count(inbox, inbox.c.chat == "budi") == 0
    assert await shop.count(outbox, outbox.c.chat == "budi") == 0
    if shop.store.dialect == "sqlite":
        found = _bytes_of(shop.settings.state_dir)
        assert found
        assert MARK.encode() not in found
        assert b"Budi Mark" not in found
    [notice] = [text for text in shop.heard("owner") if "🗑️" in text]
    assert "Budi" not in notice
    # He is welcome again, as a stranger.
    assert shop.wording.say("pengantar") in (await shop.says("budi", QUESTION))[0]


async def test_his_words_from_before_the_pairing_go_with_him_and_nobody_elses(open_shop: OpenShop) -> None:
    shop = await open_shop()
    folder = past.folder_in(shop.settings.state_dir, shop.settings.account)
    shop.settings.state_dir.mkdir(exist_ok=True)
    for chat in ("budi@uji", "siti@uji"):
        past.keep(folder, _past_chat(chat))
    await shop.says("budi", QUESTION, name="Budi Mark")
    await shop.says("siti", QUESTION, name="Siti")
    await shop.says("budi", "ya, hapus data saya", name="Budi Mark")
    await _until_gone(shop)
    left = _bytes_of(folder)
    assert b"budi@uji" not in left
    assert b"siti@uji" in left


async def test_a_question_about_deleting_is_no_order_to_delete(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, name="Budi Mark")
    await shop.says("budi", "kalau saya mau hapus data saya gimana caranya kak?")
    await shop.says("budi", "ya")
    await asyncio.sleep(0)
    assert await shop.count(customers) == 1


async def test_a_customer_gets_his_data_as_a_file_and_the_owner_sees_it(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("siti", "rahasia siti", name="Siti")
    await shop.says("budi", QUESTION, name="Budi Mark")
    await shop.says("budi", "ekspor data saya", name="Budi Mark")
    sent = [message for message in shop.channel.sent if message.chat == "budi"]
    assert sent[-2].body == shop.wording.say("ekspor_data")
    assert sent[-1].kind is Kind.DOCUMENT
    assert sent[-1].document is not None
    text = sent[-1].document.data.decode()
    assert "Budi Mark" in text
    assert QUESTION in text
    assert COD in text
    assert "rahasia" not in text
    [notice] = [text for text in shop.heard("owner") if "salinan" in text]
    assert "Budi Mark" in notice


@pytest.mark.parametrize("mode", ["approve"])
async def test_a_right_needs_nobodys_approval(open_shop: OpenShop, mode: str) -> None:
    shop = await open_shop(BALAS_MODE=mode)
    await shop.says("budi", QUESTION, name="Budi Mark")
    assert await shop.says("budi", "ya, hapus data saya", name="Budi Mark")
    await _until_gone(shop)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("privasi", "privasi"), ("ekspor data saya", "ekspor_data"), ("hapus data saya", "hapus_data_tanya")],
)
@pytest.mark.parametrize("mode", ["on", "approve"])
async def test_a_right_waits_for_no_pause_and_for_no_approval(
    open_shop: OpenShop, text: str, sentence: str, mode: str
) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, name="Budi Mark")
    await shop.owner({"on": "mulai", "approve": "magang"}[mode])
    await shop.record("budi", "Bentar ya Kak, aku cek dulu", own=True)
    await shop.settled()
    assert await shop.says("budi", QUESTION, name="Budi Mark") == []
    assert (await shop.says("budi", text, name="Budi Mark"))[0] == shop.wording.say(sentence)
    # It ends no pause.
    assert await shop.says("budi", QUESTION, name="Budi Mark") == []


async def test_a_customer_is_gone_although_a_person_has_his_chat(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, name="Budi Mark")
    await shop.record("budi", "Bentar ya Kak, aku cek dulu", own=True)
    told = await shop.says("budi", "ya, hapus data saya", name="Budi Mark")
    assert told == [shop.wording.say("hapus_data")]
    await _until_gone(shop)


async def test_a_word_about_his_data_does_not_hide_a_question_that_waits_in_a_pause(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.record("budi", "Bentar ya Kak, aku cek dulu", own=True)
    await shop.says("budi", "masih ada kak?", name="Budi Mark")
    await shop.says("budi", "privasi", name="Budi Mark")
    [waiting] = await shop.store.read(lambda c: waiting_for_a_person(c, "utama", for_ms=0))
    assert waiting.asked == "masih ada kak?"


@pytest.mark.parametrize("mode", ["off", "practice"])
async def test_where_the_bot_is_off_or_practises_it_says_nothing_about_data_either(
    open_shop: OpenShop, mode: str
) -> None:
    shop = await open_shop(BALAS_MODE=mode)
    for text in ("privasi", "ekspor data saya", "ya, hapus data saya"):
        assert await shop.says("budi", text, name="Budi Mark") == []
    assert await shop.count(customers) == 1


async def test_in_a_chat_that_the_owner_ignores_it_says_nothing_about_data_either(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, name="Budi Mark")
    await shop.owner("abaikan budi")
    assert await shop.says("budi", "privasi", name="Budi Mark") == []


async def test_two_bots_that_talk_about_data_are_stopped_like_any_others(open_shop: OpenShop) -> None:
    shop = await open_shop(LOOP_ANSWERS="6")
    answers = [await shop.says("budi", "privasi", name="Budi Mark") for _ in range(5)]
    assert [len(found) for found in answers] == [1, 1, 0, 0, 0]


async def test_in_the_middle_of_an_order_a_right_is_no_answer_to_its_question(open_shop: OpenShop) -> None:
    shop = await open_shop(
        files={
            "toko.toml": 'nama = "Toko Uji"\n[[rekening]]\nbank = "BCA"\nnomor = "1"\natas_nama = "Uji"\n',
            "katalog.csv": "kode,nama,harga,perlu\nRT1,Router Archer,399000,nama penerima\n",
        }
    )
    await shop.says("budi", "mau pesan RT1 1", name="Budi Mark")
    [asked] = await shop.says("budi", "ya", name="Budi Mark")
    assert "nama penerima" in asked
    told = await shop.says("budi", "hapus data saya", name="Budi Mark")
    assert shop.wording.say("hapus_data_tanya") in told[0]
    # What he told for the order is in the copy of his data.
    await shop.says("budi", "Pak Budi Santoso", name="Budi Mark")
    await shop.says("budi", "ekspor data saya", name="Budi Mark")
    [copy] = [message.document for message in shop.channel.sent if message.document is not None]
    assert "1x Router Archer, Rp399.000\n  nama penerima: Pak Budi Santoso\n" in copy.data.decode()
