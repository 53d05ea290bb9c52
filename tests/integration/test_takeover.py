"""The shop's people write from the shop's own phone, and the bot steps back; lateness and media beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import Connection, update

from bot.channel import Media
from bot.chores import tell_of_waiting
from bot.people import People, RoomAddress
from config.shop import Shop
from store import customers
from store.outbox import Kind, NewMessage, Purpose, add
from store.schema import alerts as alert_rows
from store.schema import handoffs as handoff_rows
from store.schema import inbox as inbox_rows
from store.schema import now_ms
from store.schema import outbox as outbox_rows
from store.schema import turns as turn_rows
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, WAIT_S, OpenShop, TinyShop, age

HUMAN = "Bentar ya Kak, aku cek dulu"


def _ago(*, minutes: float = 0, seconds: float = 0) -> int:
    return int((time.time() - minutes * 60 - seconds) * 1000)


async def _types(shop: TinyShop, chat: str, text: str, **fields: object) -> None:
    """Somebody at the shop writes into the chat from the shop's phone."""
    await shop.record(chat, text, own=True, **fields)
    await shop.settled()


async def _types_meanwhile(shop: TinyShop, chat: str, text: str) -> None:
    """The same while something of the chat is still under way."""
    await shop.record(chat, text, own=True)
    own = (inbox_rows.c.sender == "own", inbox_rows.c.finished_ms.is_not(None))
    await _until(shop, lambda: shop.count(inbox_rows, *own), 1)


async def _until(shop: TinyShop, count: Callable[[], Awaitable[int]], wanted: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while await count() < wanted:  # noqa: ASYNC110 - the database sets no event.
            await asyncio.sleep(0.01)


async def _replies(shop: TinyShop) -> list[tuple[str, str, str]]:
    return [(turn.asked, turn.replied, turn.author) for turn in await shop.rows(turn_rows)]


async def test_the_bot_is_silent_in_a_chat_where_a_human_wrote_and_nowhere_else(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _types(shop, "budi", HUMAN)
    assert await shop.says("budi", QUESTION) == []
    assert COD in (await shop.says("siti", QUESTION))[0]
    assert ("", HUMAN, "human") in await _replies(shop)


async def test_the_pause_is_counted_from_the_humans_last_message(open_shop: OpenShop) -> None:
    shop = await open_shop(HUMAN_PAUSE_S="1800")
    await _types(shop, "budi", HUMAN, sent_ms=_ago(minutes=10))
    assert 19 * 60_000 < (await shop.customer("budi")).silent_ms <= 20 * 60_000
    await _types(shop, "budi", "sudah ya Kak", sent_ms=_ago(seconds=1))
    assert (await shop.customer("budi")).silent_ms > 29 * 60_000


async def test_words_of_long_ago_are_kept_but_pause_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _types(shop, "budi", HUMAN, sent_ms=_ago(minutes=31))
    assert (await shop.customer("budi")).silent_ms == 0
    assert len(await shop.says("budi", QUESTION)) == 1


async def test_an_answer_under_way_is_dropped_when_the_human_speaks(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("budi", QUESTION)
    await thinking.has_begun()
    await _types_meanwhile(shop, "budi", HUMAN)
    thinking.go_on()
    await shop.settled()
    assert shop.heard("budi") == []


async def _speaks_before_the_answer_is_sent(shop: TinyShop) -> None:
    """The network is away when the answer is there, and the human is quicker than its return."""
    shop.channel.online.clear()
    await shop.record("budi", QUESTION)
    await _until(shop, lambda: shop.count(outbox_rows, outbox_rows.c.state == "claimed"), 1)
    await _types_meanwhile(shop, "budi", HUMAN)
    shop.channel.online.set()
    await shop.settled()
    assert shop.heard("budi") == []


async def test_an_answer_that_waits_to_be_sent_is_dropped_when_the_human_speaks(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _speaks_before_the_answer_is_sent(shop)
    assert [row.state for row in await shop.rows(outbox_rows)] == ["dropped"]
    # It would have told him who answers; the next answer does.
    customer = await shop.customer("budi")
    await shop.write(lambda c: customers.speak_again(c, customer.id))
    assert shop.wording.say("pengantar") in (await shop.says("budi", QUESTION))[0]
    assert shop.wording.say("pengantar") not in (await shop.says("budi", "buka jam berapa kak?"))[0]


async def test_who_waits_in_a_chat_that_a_person_took_over_is_told_of_once(open_shop: OpenShop) -> None:
    shop = await open_shop()
    people = People(
        room=RoomAddress(account="utama", transport="uji", chat="owner"),
        shop=Shop.load(shop.settings.data_dir, name="Toko Uji"),
        wording=shop.wording,
        remind_after_s=1800,
    )
    await _types(shop, "budi", HUMAN)
    await shop.says("budi", "masih ada kak?")
    await tell_of_waiting(shop.store, people)
    assert shop.heard("owner") == []
    await age(shop.store, turn_rows, "created_ms", by_ms=21 * 60_000)
    for _ in range(2):
        await tell_of_waiting(shop.store, people)
    await shop.settled()
    [notice] = shop.heard("owner")
    assert "masih ada kak?" in notice
    await shop.owner("Masih Kak", quote=shop.last_id())
    assert shop.heard("budi") == ["Masih Kak"]
    await tell_of_waiting(shop.store, people)
    assert len(shop.heard("owner")) == 2  # that, and its outcome


async def test_the_humans_words_answer_what_was_open_and_end_the_reminders(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    await _types(shop, "budi", "Ada Kak, ukuran 42 sampai 46", sent_ms=_ago(seconds=-60))
    [handoff] = await shop.rows(handoff_rows)
    assert (handoff.state, handoff.answer) == ("answered", "Ada Kak, ukuran 42 sampai 46")


async def test_what_whatsapp_business_says_by_itself_pauses_nothing_and_is_told_once(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    greeting = "Selamat datang di toko kami!"
    for number in range(3):
        chat, sent_ms = f"pelanggan{number}", _ago(seconds=10)
        await shop.says(chat, "halo", sent_ms=sent_ms)
        await _types(shop, chat, greeting, sent_ms=sent_ms + 1_000)
        assert (await shop.customer(chat)).silent_ms == 0
    assert [turn for turn in await _replies(shop) if turn[2] == "auto"] == [("", greeting, "auto")] * 3
    assert sum(greeting in notice for notice in shop.heard("owner")) == 1


async def test_greetings_that_go_on_are_told_once_and_after_a_day_without_one_it_is_over(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    for chat in ("budi", "siti"):
        sent_ms = _ago(seconds=10)
        await shop.says(chat, "halo", sent_ms=sent_ms)
        await _types(shop, chat, "Selamat datang!", sent_ms=sent_ms + 1_000)
        for column in ("notified_ms", "last_ms"):
            await age(shop.store, alert_rows, column, by_ms=16 * 60_000)
    assert sum("Selamat datang!" in notice for notice in shop.heard("owner")) == 1

    async def is_over() -> int:
        return await shop.count(alert_rows, alert_rows.c.recovered_ms.is_not(None))

    assert await is_over() == 0
    await age(shop.store, alert_rows, "last_ms", by_ms=24 * 60 * 60_000)
    # Tidying is among the first things that a bot does.
    await open_shop()
    await _until(shop, is_over, 1)


async def test_a_quick_reply_of_whoever_has_the_chat_already_is_no_machines(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _types(shop, "budi", HUMAN, sent_ms=_ago(minutes=20))
    sent_ms = _ago(seconds=5)
    await shop.says("budi", "gimana kak?", sent_ms=sent_ms)
    await _types(shop, "budi", "Ada Kak", sent_ms=sent_ms + 2_000)
    assert (await shop.customer("budi")).silent_ms > 29 * 60_000


async def test_the_same_words_in_a_third_chat_are_a_machines(open_shop: OpenShop) -> None:
    shop = await open_shop()
    for chat in ("budi", "siti", "dewi"):
        await _types(shop, chat, "Toko tutup, buka lagi besok")
    assert [(await shop.customer(chat)).silent_ms > 0 for chat in ("budi", "siti", "dewi")] == [
        True,
        True,
        False,
    ]


async def test_the_bots_own_message_that_comes_back_is_no_human(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo")
    await _types(shop, "budi", shop.heard("budi")[0], message_id=shop.last_id("budi"))
    assert (await shop.customer("budi")).silent_ms == 0


async def test_a_late_answer_says_sorry_and_a_very_late_one_is_left_to_a_person(open_shop: OpenShop) -> None:
    shop = await open_shop()
    answer = (await shop.says("budi", QUESTION, sent_ms=_ago(minutes=20)))[0]
    assert answer.startswith(f"{shop.wording.say('terlambat')} {COD}")
    assert await shop.says("siti", QUESTION, sent_ms=_ago(minutes=13 * 60)) == []
    assert shop.model_asked() == 1
    [handoff] = await shop.rows(handoff_rows)
    assert (handoff.question, handoff.reason) == (QUESTION, "late")
    assert QUESTION in shop.heard("owner")[0]
    # The owner answers by quoting, as ever.
    await shop.owner("Bisa Kak", quote=shop.last_id())
    assert shop.heard("siti") == ["Bisa Kak"]


async def test_a_chat_that_waited_gets_one_answer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("budi", "jam buka toko?")
    await thinking.has_begun()
    for text in (QUESTION, "halo kak"):
        await shop.record("budi", text, sent_ms=_ago(minutes=20))
    thinking.go_on()
    await shop.settled()
    assert len(shop.heard("budi")) == 2
    assert shop.heard("budi")[1].startswith(shop.wording.say("terlambat"))


async def test_a_voice_note_brings_in_a_person_in_the_same_breath(open_shop: OpenShop) -> None:
    shop = await open_shop()
    answer = (await shop.says("budi", "", kind="audio"))[0]
    assert answer.startswith(shop.wording.say("suara"))
    [handoff] = await shop.rows(handoff_rows)
    assert (handoff.question, handoff.reason) == ("(voice note)", "media")
    assert "(voice note)" in shop.heard("owner")[0]


async def test_a_basket_without_words_brings_in_a_person_and_with_words_is_answered(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    answer = (await shop.says("budi", "", kind="order", detail="Meja Jati, 2 barang"))[0]
    assert answer.startswith(shop.wording.say("keranjang"))
    [handoff] = await shop.rows(handoff_rows)
    assert (handoff.question, handoff.reason) == ("(keranjang dari katalog, Meja Jati, 2 barang)", "basket")
    assert "Keranjang dari katalog" in shop.heard("owner")[0]
    assert "Meja Jati, 2 barang" in shop.heard("owner")[0]
    assert await shop.says("budi", QUESTION, kind="order", detail="Meja Jati, 2 barang") == [COD]


async def test_a_picture_is_asked_about_unless_words_came_with_it(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert (await shop.says("budi", "", kind="image"))[0].startswith(shop.wording.say("foto"))
    assert await shop.says("budi", QUESTION, kind="image") == [COD]
    assert await shop.says("budi", "", kind="document") == [shop.wording.say("kiriman")]
    await shop.says("budi", "", kind="sticker", message_id="s1")
    assert shop.heard("budi")[-1] == "(🙏)"
    assert await shop.count(handoff_rows) == 0


async def _starsender_sends(shop: TinyShop, chat: str, *bodies: tuple[Kind, str]) -> None:
    """Rows that Starsender was given for this customer, as they stand while it sends them."""
    customer = await shop.customer(chat)

    def write(connection: Connection) -> None:
        for kind, body in bodies:
            row_id = add(
                connection,
                NewMessage(
                    account="utama",
                    transport="starsender",
                    chat="6281234567834",
                    body=body,
                    kind=kind,
                    purpose=Purpose.RECEIPT,
                    customer_id=customer.id,
                ),
            )
            connection.execute(
                update(outbox_rows).where(outbox_rows.c.id == row_id).values(state="done", attempts=1)
            )

    await shop.write(write)


async def test_an_invoice_that_starsender_sends_from_the_shops_own_number_is_no_person(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    words, caption = (
        "Halo Kak Budi, ini *Toko Uji*.\nPembayaran Rp84.000 sudah masuk.",
        "Ini invoice INV/1, Kak.",
    )
    await _starsender_sends(shop, "budi", (Kind.TEXT, words), (Kind.DOCUMENT, caption))
    # WhatsApp gives the text back with its own ends of line; a repeated one has a sentence in front.
    await _types(shop, "budi", words.replace("\n", "\r\n"), sent_ms=_ago(minutes=1))
    await _types(
        shop, "budi", f"Kirim ulang ya Kak.\n{caption}", kind=Media.DOCUMENT, sent_ms=_ago(minutes=1)
    )
    assert (await shop.customer("budi")).silent_ms == 0
    authors = [turn.author for turn in await shop.rows(turn_rows)]
    assert authors == ["bot", "auto", "auto"]
    before = len(shop.channel.sent)
    await shop.says("budi", "makasih kak")
    assert [sent.body for sent in shop.channel.sent[before:]] == ["🙏"]


@pytest.mark.parametrize("minutes", [11, 60])
async def test_the_same_words_typed_much_later_are_a_persons(open_shop: OpenShop, minutes: int) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    await _starsender_sends(shop, "budi", (Kind.TEXT, HUMAN))
    finished = {"finished_ms": now_ms() - minutes * 60_000}
    await shop.write(
        lambda c: c.execute(update(outbox_rows).where(outbox_rows.c.chat != "budi").values(**finished))
    )
    await _types(shop, "budi", HUMAN, sent_ms=_ago(seconds=30))
    assert (await shop.customer("budi")).silent_ms > 0


async def test_other_words_right_after_an_invoice_are_a_persons(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    await _starsender_sends(shop, "budi", (Kind.TEXT, "Ini invoice INV/1, Kak."))
    await _types(shop, "budi", HUMAN, sent_ms=_ago(seconds=30))
    assert (await shop.customer("budi")).silent_ms > 0


async def test_what_the_shop_writes_itself_is_no_message_of_a_customer_in_the_count(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    await _types(shop, "budi", HUMAN)
    assert "1 pesan masuk" in (await shop.owner("status"))[0]


async def test_what_a_person_answered_stays_his_when_his_pause_is_over(open_shop: OpenShop) -> None:
    """An answer that waited for the network is no answer any more."""
    shop = await open_shop(HUMAN_PAUSE_S="0")
    await _speaks_before_the_answer_is_sent(shop)
    assert len(await shop.says("budi", QUESTION)) == 1


async def test_what_the_human_edits_or_takes_back_changes_the_history_and_pauses_nothing(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await _types(shop, "budi", "ready Kak, 275rb", message_id="o1", sent_ms=_ago(minutes=40))
    await _types(shop, "budi", "alamatku Jl. Mawar 7", message_id="o2", sent_ms=_ago(minutes=40))
    await _types(shop, "budi", "ready Kak, 285rb", kind="edit", quote="o1")
    assert await _replies(shop) == [("", "ready Kak, 285rb", "human"), ("", "alamatku Jl. Mawar 7", "human")]
    await _types(shop, "budi", "", kind="revoke", quote="o2")
    assert await _replies(shop) == [("", "ready Kak, 285rb", "human")]
    [row] = await shop.rows(inbox_rows, inbox_rows.c.message_id == "o2")
    assert bytes(row.raw) == b""
    assert (await shop.customer("budi")).silent_ms == 0
    assert COD in (await shop.says("budi", QUESTION))[0]


async def test_a_reply_that_the_human_takes_back_leaves_the_question_unanswered(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _types(shop, "budi", HUMAN)
    await shop.says("budi", "masih ada kak?", message_id="b1")
    await _types(shop, "budi", "masih Kak", message_id="o1")
    assert (await _replies(shop))[1:] == [("masih ada kak?", "masih Kak", "human")]
    # Nobody takes back what somebody else wrote.
    await _types(shop, "budi", "", kind="revoke", quote="b1")
    await shop.says("budi", "", kind="revoke", quote="o1")
    assert (await _replies(shop))[1:] == [("masih ada kak?", "masih Kak", "human")]
    await _types(shop, "budi", "", kind="revoke", quote="o1")
    assert (await _replies(shop))[1:] == [("masih ada kak?", "", "none")]
    # And the customer's deletion leaves the person's words alone.
    await _types(shop, "budi", "sudah habis Kak", message_id="o2")
    await shop.says("budi", "", kind="revoke", quote="b1")
    assert (await _replies(shop))[1:] == [("", "sudah habis Kak", "human")]
