"""Whole conversations over each database: what is answered, what is kept, and what must not happen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.channel import Recorded, Signal
from bot.message import MAX_CHARS
from rag.normalise import search_text
from store import customers, forgetting, handoffs, turns, usage
from store.customers import Address
from store.schema import QueueState, alerts, inbox, notices, outbox
from store.schema import customers as customer_rows
from store.schema import handoffs as handoff_rows
from store.schema import turns as turn_rows
from store.schema import usage as usage_rows
from store.turns import Author, NewTurn
from tests.integration.tiny_shop import (
    COD,
    QUESTION,
    UNKNOWN,
    WAIT_S,
    OpenShop,
    TinyShop,
    age,
    names,
    silence,
)


async def test_the_first_answer_carries_the_privacy_notice_and_no_other_one_does(open_shop: OpenShop) -> None:
    shop = await open_shop()
    notice = shop.wording.say("pengantar")
    assert await shop.says("budi", QUESTION) == [f"{COD}\n\n{notice}"]
    assert await shop.says("budi", "halo") == [shop.wording.say("salam")]
    assert await shop.says("siti", "halo") == [f"{shop.wording.say('salam')}\n\n{notice}"]
    # The notice is no part of what was said.
    assert (await shop.rows(turn_rows))[0].replied == COD


async def test_a_reaction_is_no_first_answer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "makasih", message_id="m1")
    assert shop.heard("budi") == ["(🙏)"]
    assert shop.channel.sent[0].quoted_id == "m1"
    assert shop.wording.say("pengantar") in (await shop.says("budi", "halo"))[0]
    assert [turn.asked for turn in await shop.rows(turn_rows)] == ["halo"]


async def test_rules_never_ask_the_model(open_shop: OpenShop) -> None:
    shop = await open_shop()
    for text in ("p", "assalamualaikum", "ini bot?", "privasi", "admin", "makasih", "👍", "", "\u202e\x00"):
        await shop.says("budi", text)
    assert shop.stand_in.requests()["total"] == 0
    assert len(shop.heard("budi")) == 7


async def test_an_unknown_question_is_promised_to_a_person_in_fixed_words(open_shop: OpenShop) -> None:
    shop = await open_shop()
    answers = await shop.says("budi", UNKNOWN, name="Budi")
    assert answers == [f"{shop.wording.say('belum_tahu')}\n\n{shop.wording.say('pengantar')}"]
    [handoff] = await shop.rows(handoff_rows)
    assert (handoff.question, handoff.reason, handoff.state) == (UNKNOWN, "unknown", "open")
    [notice] = shop.heard("owner")
    assert UNKNOWN in notice
    assert "Budi" in notice
    # The same question again is the same promise.
    await shop.says("budi", UNKNOWN)
    assert await shop.count(handoff_rows) == 1
    assert len(shop.heard("owner")) == 1


async def test_a_promise_is_committed_with_its_handoff_and_its_notice_or_not_at_all(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await open_shop()
    add_notice, seen = handoffs.add_notice, []

    def failing(connection: Any, *args: Any, **kwargs: Any) -> int:
        if not seen:
            seen.append("failed")
            raise RuntimeError("the notice cannot be written")
        # The second attempt: what the first one left behind would be here twice.
        seen.append(len(connection.execute(select(turn_rows.c.id)).all()))
        seen.append(len(connection.execute(select(handoff_rows.c.id)).all()))
        seen.append(len(connection.execute(select(outbox.c.id)).all()))
        return add_notice(connection, *args, **kwargs)

    monkeypatch.setattr(handoffs, "add_notice", failing)
    assert len(await shop.says("budi", UNKNOWN)) == 1
    assert seen == ["failed", 1, 1, 1]
    assert await shop.count(handoff_rows) == await shop.count(turn_rows) == 1
    # Both attempts cost money, and neither left a reservation.
    assert [row.reserved_idr for row in await _usage(shop)] == [0, 0]


async def test_who_asks_for_a_person_is_handed_over(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo")
    assert await shop.says("budi", "admin dong") == [shop.wording.say("minta_admin")]
    assert await shop.says("budi", "aku mau bicara sama admin tolong ya kak") == [
        shop.wording.say("minta_admin")
    ]
    assert [row.reason for row in await shop.rows(handoff_rows)] == ["asked", "asked"]


async def test_history_is_recalled_for_this_customer_and_never_for_another(open_shop: OpenShop) -> None:
    shop = await open_shop()
    for chat, town in (("budi", "Wonosari"), ("siti", "Delanggu")):
        await shop.says(chat, "halo")
        customer = await shop.customer(chat)
        await shop.write(lambda c, id=customer.id, town=town: _plant(c, id, town))
    shop.stand_in.control(record=True)
    answers = await shop.says("siti", "dulu aku bilang rumahku di mana kak?")
    assert "Delanggu" in answers[0]
    bodies = str(shop.stand_in.requests()["bodies"])
    assert "Delanggu" in bodies
    assert "Wonosari" not in bodies
    assert "Wonosari" in (await shop.says("budi", "dulu aku bilang rumahku di mana kak?"))[0]


def _plant(connection: Any, customer_id: int, town: str) -> None:
    facts = [f"rumahku di {town} dekat pasar kak", *(f"pertanyaan lain nomor {n}" for n in range(10))]
    for asked in facts:
        new = NewTurn(
            customer_id=customer_id,
            asked=asked,
            replied="Siap Kak.",
            author=Author.BOT,
            search_text=search_text(asked),
        )
        turns.append(connection, new)


@pytest.mark.parametrize("key", ["MODEL_DAILY_BUDGET_IDR", "CUSTOMER_DAILY_BUDGET_IDR"])
async def test_without_budget_an_faq_entry_or_honest_words_answer_and_the_model_is_not_asked(
    open_shop: OpenShop, key: str
) -> None:
    shop = await open_shop(**{key: "0"})
    assert (await shop.says("budi", "bisa cod?"))[0].startswith(COD)
    assert await shop.says("budi", UNKNOWN) == [shop.wording.say("gangguan")]
    assert shop.stand_in.requests()["total"] == 0
    assert [row.reason for row in await shop.rows(handoff_rows)] == ["trouble"]


async def test_an_answer_is_settled_at_what_it_cost(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    whole, his = await _usage(shop)
    assert whole.spent_idr == his.spent_idr > 0
    assert whole.reserved_idr == his.reserved_idr == 0
    assert whole.answers == 1


async def test_a_model_that_is_down_is_admitted_and_one_that_is_misconfigured_is_told_once(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop(CHAT_MODEL="gpt-0")
    assert (await shop.says("budi", "bisa cod?"))[0].startswith(COD)
    await age(shop.store, alerts, "notified_ms", by_ms=16 * 60_000)
    await shop.says("budi", "bisa cod?")
    [notice] = shop.heard("owner")
    assert shop.wording.say("admin_model_model") in notice, "the setting to look at, and no program's words"
    assert await shop.count(alerts) == 1
    # A request that was refused costs no budget.
    assert max(row.spent_idr for row in await _usage(shop)) <= 2


async def test_the_owner_hears_once_that_the_model_works_again(open_shop: OpenShop) -> None:
    broken = await open_shop(CHAT_MODEL="gpt-0")
    await broken.says("budi", QUESTION)
    await broken.channel.stop(0)
    await broken.running.inbox_worker.stop(drain_s=1)
    await broken.running.outbox_worker.stop(drain_s=1)
    mended = await open_shop()
    await mended.says("budi", QUESTION)
    await mended.says("budi", "jam buka toko?")
    assert mended.heard("owner") == [mended.wording.say("admin_model_pulih")]


async def test_a_shop_that_practises_shows_its_answers_to_the_owner_alone(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="practice")
    assert await shop.says("budi", QUESTION) == []
    assert await shop.says("budi", UNKNOWN) == []
    answer, promise = shop.heard("owner")
    assert QUESTION in answer
    assert "Latihan" in answer
    assert UNKNOWN in promise
    assert [(turn.asked, turn.replied) for turn in await shop.rows(turn_rows)] == [
        (QUESTION, ""),
        (UNKNOWN, ""),
    ]
    # Nothing was promised to anybody, so nobody waits.
    assert await shop.count(handoff_rows) == 0
    assert not [signal for signal in shop.channel.signals if signal[1] is Signal.TYPING]


async def test_a_shop_that_is_off_answers_nobody_and_keeps_what_was_said(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="off")
    assert await shop.says("budi", QUESTION) == []
    assert await shop.says("budi", "admin") == []
    kept = await shop.rows(turn_rows)
    assert [(turn.asked, turn.replied, turn.author) for turn in kept] == [
        (QUESTION, "", "none"),
        ("admin", "", "none"),
    ]
    assert await shop.count(outbox) == await shop.count(handoff_rows) == 0
    assert shop.model_asked() == 0
    assert not [signal for signal in shop.channel.signals if signal[1] is Signal.TYPING]


@pytest.mark.parametrize(("shops_mode", "chats_mode"), [("on", "off"), ("off", "on"), ("approve", "on")])
async def test_a_chats_own_mode_wins_over_the_shops(
    open_shop: OpenShop, shops_mode: str, chats_mode: str
) -> None:
    shop = await open_shop(BALAS_MODE=shops_mode)
    await shop.says("budi", "makasih")
    customer = await shop.customer("budi")
    await shop.write(lambda c: customers.set_mode(c, customer.id, chats_mode))
    answered = bool(await shop.says("budi", QUESTION))
    assert answered is (chats_mode == "on")
    assert bool(await shop.says("siti", QUESTION)) is (shops_mode == "on")


async def test_a_chat_that_is_silenced_while_the_model_thinks_gets_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo")
    thinking = shop.thinking()
    await shop.record("budi", UNKNOWN)
    await thinking.has_begun()
    await silence(shop, "budi")
    thinking.go_on()
    await shop.settled()
    assert len(shop.heard("budi")) == 1
    assert shop.heard("owner") == []
    assert await shop.count(handoff_rows) == 0
    last = (await shop.rows(turn_rows))[-1]
    assert (last.asked, last.replied, last.author) == (UNKNOWN, "", "none")


async def test_a_chat_that_is_silenced_before_the_send_gets_nothing_either(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo")
    await shop.running.outbox_worker.stop(drain_s=1)
    await shop.record("budi", QUESTION)
    async with asyncio.timeout(5):
        while await shop.count(outbox, outbox.c.finished_ms.is_(None)) == 0:  # noqa: ASYNC110 - the row sets no event
            await asyncio.sleep(0.01)
    await silence(shop, "budi")
    [row] = await shop.rows(outbox, outbox.c.finished_ms.is_(None))
    # It was the head of its chat, so it was written as claimed; the stopped worker only keeps it.
    assert (row.state, row.attempts) == (QueueState.CLAIMED, 1)
    await shop.running.outbox_worker._handler(row)
    assert len(shop.heard("budi")) == 1
    assert (await shop.rows(outbox))[-1].state == QueueState.DROPPED.value


@pytest.mark.parametrize("known", [False, True])
async def test_a_customer_who_is_deleted_while_the_model_thinks_leaves_nothing(
    open_shop: OpenShop, known: bool
) -> None:
    shop = await open_shop()
    if known:
        await shop.says("budi", "halo")
    before = len(shop.heard("budi"))
    thinking = shop.thinking()
    await shop.record("budi", UNKNOWN)
    await thinking.has_begun()
    customer = await shop.customer("budi")
    assert await shop.write(lambda c: customers.forget(c, customer.id))
    thinking.go_on()
    await shop.settled()
    assert len(shop.heard("budi")) == before
    for table in (inbox, outbox, turn_rows, handoff_rows, notices, customer_rows):
        assert await shop.count(table) == 0, table.name
    assert {row.customer_id: row.reserved_idr for row in await _usage(shop)} == {usage.WHOLE_SHOP: 0}
    # He may come back as a stranger.
    assert shop.wording.say("pengantar") in (await shop.says("budi", "halo"))[0]


async def test_the_same_message_twice_is_answered_once(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await shop.record("budi", QUESTION, message_id="m1") is Recorded.NEW
    assert await shop.record("budi", QUESTION, message_id="m1") is Recorded.DUPLICATE
    await shop.settled()
    assert await shop.record("budi", QUESTION, message_id="m1") is Recorded.DUPLICATE
    await shop.settled()
    assert len(shop.heard("budi")) == 1
    # Another chat's message with that id is another message.
    assert await shop.record("siti", QUESTION, message_id="m1") is Recorded.NEW
    await shop.settled()
    assert len(shop.heard("siti")) == 1


PHONE, LID = ["s.whatsapp.net", "6281234567890"], ["lid", "987654"]


async def test_two_addresses_that_turn_out_to_be_one_person_share_their_history(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("a", "rumahku di Wonosari dekat pasar", addresses=[PHONE], name="Budi")
    await shop.says("b", "halo", addresses=[LID])
    assert len(await names(shop.store)) == 2
    answers = await shop.says("b", "tadi aku bilang rumahku di mana?", addresses=[LID, PHONE], name="Budi S")
    assert "Wonosari" in answers[0]
    assert await names(shop.store) == ["Budi S"]
    [customer] = await shop.rows(customer_rows)
    assert {row.customer_id for row in await shop.rows(turn_rows)} == {customer.id}
    assert {row.customer_id for row in await shop.rows(inbox)} == {customer.id}
    # Each of the two had been told about the bot; the one person is not told a third time.
    assert sum(shop.wording.say("pengantar") in text for text in shop.heard("a") + shop.heard("b")) == 2


async def test_silence_and_the_strictest_mode_survive_a_merge(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("a", "halo", addresses=[PHONE])
    await shop.says("b", "halo", addresses=[LID])
    younger = (await shop.rows(customer_rows))[-1].id
    await shop.write(lambda c: customers.keep_silent(c, younger, for_ms=60_000, reason="uji"))
    await shop.write(lambda c: customers.set_mode(c, younger, "off"))
    assert await shop.says("b", QUESTION, addresses=[PHONE, LID]) == []
    [merged] = await shop.rows(customer_rows)
    assert (merged.mode, merged.silent_reason) == ("off", "uji")


async def test_a_promised_deletion_survives_a_merge(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("a", "halo", addresses=[PHONE])
    await shop.says("b", "halo", addresses=[LID])
    younger = (await shop.rows(customer_rows))[-1].id
    both = [Address(*PHONE), Address(*LID)]

    def ask_and_merge(connection: Connection) -> None:
        forgetting.ask(connection, younger)
        customers.resolve(connection, "utama", both, name=None)

    await shop.write(ask_and_merge)
    async with asyncio.timeout(WAIT_S):
        while await names(shop.store):  # noqa: ASYNC110 - a task of the bot's own sets no event.
            await asyncio.sleep(0.05)


async def test_a_merge_while_the_model_thinks_loses_no_answer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("a", "halo", addresses=[PHONE])
    await shop.says("b", "halo", addresses=[LID])
    thinking = shop.thinking()
    await shop.record("b", QUESTION, addresses=[LID])
    await thinking.has_begun()
    await shop.record("a", "makasih", addresses=[PHONE, LID])
    async with asyncio.timeout(5):
        while len(await names(shop.store)) == 2:  # noqa: ASYNC110 - a merge sets no event
            await asyncio.sleep(0.01)
    thinking.go_on()
    await shop.settled()
    assert shop.heard("b")[-1] == COD
    assert shop.model_asked() == 1
    # What was set aside for one of the two is given back to the person.
    whole, his = await _usage(shop)
    assert whole.reserved_idr == his.reserved_idr == 0
    assert whole.spent_idr == his.spent_idr > 0


async def test_the_third_identical_message_silences_the_chat_and_tells_the_owner_once(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop(LOOP_ANSWERS="6")
    for _ in range(5):
        await shop.says("bot-lain", "terima pesan otomatis dari kami")
    assert len(shop.heard("bot-lain")) == 2
    loops = [text for text in shop.heard("owner") if "berputar-putar" in text]
    assert len(loops) == 1
    assert (await shop.customer("bot-lain")).silent_ms > 59 * 60 * 1000
    # Other chats go on, and this one does when the hour is over.
    assert await shop.says("budi", "halo")
    await age(shop.store, customer_rows, "silent_until_ms", by_ms=3_600_000)
    await age(shop.store, turn_rows, "created_ms", by_ms=3_600_000)
    assert await shop.says("bot-lain", "halo")


@pytest.mark.parametrize("most", [3, 9])
async def test_too_many_answers_within_minutes_are_a_loop(open_shop: OpenShop, most: int) -> None:
    shop = await open_shop(LOOP_ANSWERS=str(most))
    # Rules alternate, as two bots that greet each other would.
    for n in range(most + 2):
        await shop.says("bot-lain", ("halo", "assalamualaikum", "ini bot?")[n % 3])
    assert len(shop.heard("bot-lain")) == most


async def test_a_message_that_nobody_can_read_at_once_is_asked_to_be_shorter(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo")
    assert await shop.says("budi", "panjang " * 2_000) == [shop.wording.say("pesan_panjang")]
    assert shop.model_asked() == 0
    assert len((await shop.rows(turn_rows))[-1].asked) == MAX_CHARS


async def test_control_characters_break_nothing_on_their_way_through(open_shop: OpenShop) -> None:
    shop = await open_shop()
    answers = await shop.says(
        "budi", "bisa\x00 cod\u202e ga\x07 kak?\ud800", name="Bu\x00di\n✅ Tersimpan", context="\x00iklan"
    )
    assert answers[0].startswith(COD)
    assert await names(shop.store) == ["Budi ✅ Tersimpan"]
    assert [turn.asked for turn in await shop.rows(turn_rows)] == ["bisa cod ga kak?"]


async def test_an_answer_of_the_model_with_characters_that_no_database_takes_is_cleaned(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.model import Completion

    shop = await open_shop()

    async def chat(*args: Any, **kwargs: Any) -> Completion:
        content = (
            '{"answer": "Bisa\\u0000 COD\\ud800, Kak.", "source_ids": ["faq:cod"], '
            '"answerable": true, "needs_human": false}'
        )
        return Completion(content=content, input_tokens=1, output_tokens=1)

    monkeypatch.setattr(shop.model, "chat", chat)
    assert (await shop.says("budi", QUESTION))[0].startswith("Bisa COD, Kak.")


async def test_an_event_that_cannot_be_read_fails_alone_and_is_a_persons_to_read(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("siti", QUESTION)
    await thinking.has_begun()
    # All three wait in one chat, so the first finds the other two behind it.
    await shop.record("siti", "halo")
    await shop.record("siti", "", raw=b"{")
    await shop.record("siti", "privasi")
    thinking.go_on()
    await shop.settled()
    states = [row.state for row in await shop.rows(inbox)]
    assert states == ["done", "done", "dead", "done"]
    assert shop.heard("siti")[1:] == [shop.wording.say("salam"), shop.wording.say("privasi")]
    assert len([text for text in shop.heard("owner") if "gagal kuproses" in text]) == 1


async def test_fragments_that_wait_together_are_answered_together(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("budi", QUESTION)
    await thinking.has_begun()
    for text in ("halo kak", "jam buka toko?", "makasih"):
        await shop.record("budi", text, message_id=text[:4].strip())
    thinking.go_on()
    await shop.settled()
    assert len(shop.heard("budi")) == 2
    last = shop.channel.sent[-1]
    assert last.answers == ("halo", "jam", "maka")
    assert ("budi", Signal.READ, ("halo", "jam", "maka")) in shop.channel.signals


async def test_chats_do_not_wait_for_each_other(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("budi", QUESTION)
    await thinking.has_begun()
    await shop.record("siti", "halo")
    async with asyncio.timeout(5):
        while not shop.heard("siti"):  # noqa: ASYNC110 - the channel of the tests sets no event
            await asyncio.sleep(0.01)
    assert shop.heard("budi") == []
    thinking.go_on()
    await shop.settled()
    assert len(shop.heard("budi")) == 1


@pytest.mark.parametrize("text", ["status", "berhenti", "mulai", "daftar", "ya", "kirim", "tidak"])
async def test_a_customer_who_types_the_owners_words_has_no_power(open_shop: OpenShop, text: str) -> None:
    shop = await open_shop()
    await shop.says("siti", UNKNOWN)
    notice = shop.last_id()
    for quote in (None, notice):
        await shop.says("budi", text, **({} if quote is None else {"quote": quote}))
    assert [row.state for row in await shop.rows(handoff_rows, handoff_rows.c.question == UNKNOWN)] == [
        "open"
    ]
    assert len(shop.heard("siti")) == 1
    assert (await shop.says("dewi", "halo"))[0].startswith(shop.wording.say("salam"))


async def _usage(shop: TinyShop) -> list[Any]:
    query = select(usage_rows).order_by(usage_rows.c.customer_id)
    return await shop.store.read(lambda c: list(c.execute(query).all()))
