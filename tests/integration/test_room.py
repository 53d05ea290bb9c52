"""The owner's room over each database: what quoting and commanding do, and who is told what when."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import chores
from bot.channel import Refused
from bot.people import People, RoomAddress
from bot.room import BARE_ANSWER_MS
from config.shop import Shop
from store import customers, handoffs
from store.schema import customers as customer_rows
from store.schema import handoffs as handoff_rows
from store.schema import inbox, notices, outbox
from store.schema import turns as turn_rows
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, OpenShop, TinyShop, age, silence

ANSWER = "Ada Kak, sepatu roda merah ukuran 42."
# As the stand-in words it for everybody.
GENERAL = "Jual sepatu roda merah ukuran besar?"


async def _waiting(open_shop: OpenShop) -> tuple[TinyShop, str]:
    """A shop where budi waits for a person; the id of the notice."""
    shop = await open_shop()
    await shop.says("budi", UNKNOWN, name="Budi")
    return shop, shop.last_id()


async def _offered(open_shop: OpenShop) -> tuple[TinyShop, str]:
    """The owner answered budi and was offered to keep it; the id of the offer."""
    shop, notice = await _waiting(open_shop)
    await shop.owner(ANSWER, quote=notice)
    return shop, shop.last_id(containing="Kuingat")


def commands(shop: TinyShop) -> str:
    """The list of commands, as the room shows it."""
    return shop.running.owners_room.list_of_commands()


def _learnt(shop: TinyShop) -> Path:
    return shop.settings.data_dir / "faq_belajar.json"


async def test_quoting_a_notice_sends_the_words_to_the_customer_and_into_his_history(
    open_shop: OpenShop,
) -> None:
    shop, notice = await _waiting(open_shop)
    told = await shop.owner(ANSWER, quote=notice)
    assert shop.heard("budi")[-1] == ANSWER
    # First that it is on its way, then what else may be made of it.
    assert told[0] == shop.wording.say("admin_terkirim", nama="Budi")
    assert ["💡" in text for text in told] == [False, True]
    [handoff] = await shop.rows(handoff_rows)
    assert (handoff.state, handoff.answer) == ("answered", ANSWER)
    last = (await shop.rows(turn_rows))[-1]
    assert (last.asked, last.replied, last.author) == (UNKNOWN, ANSWER, "human")
    # The model reads the person's words as part of the conversation.
    shop.stand_in.control(record=True)
    await shop.says("budi", "yang merah tadi ukurannya berapa kak?")
    messages = shop.stand_in.requests()["bodies"][-1]["body"]["messages"]
    assert {"role": "assistant", "content": ANSWER} in messages


async def test_the_second_answer_to_a_notice_is_not_sent(open_shop: OpenShop) -> None:
    shop, notice = await _waiting(open_shop)
    await shop.owner(ANSWER, quote=notice)
    told = await shop.owner("Habis Kak.", quote=notice)
    assert told == [shop.wording.say("admin_sudah_dijawab", nama="Budi")]
    assert shop.heard("budi")[-1] == ANSWER
    assert (await shop.rows(handoff_rows))[0].answer == ANSWER


async def test_quoting_a_reminder_answers_too(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, _ = await _waiting(open_shop)
    await age(shop.store, handoff_rows, "due_ms", by_ms=3_600_000)
    await _remind_at(shop, monkeypatch, "2026-11-02T10:00:00+07:00")
    await shop.settled()
    await shop.owner(ANSWER, quote=shop.last_id(containing="belum dijawab"))
    assert shop.heard("budi")[-1] == ANSWER


async def test_an_answer_that_only_one_customer_asked_a_person_for_is_not_offered_as_knowledge(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", "admin")
    await shop.owner("Halo Kak, dengan Rina.", quote=shop.last_id())
    assert not [text for text in shop.heard("owner") if "Kuingat" in text]


@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize("word", ["ya", "Ya!", "oke"])
async def test_yes_to_an_offer_writes_the_faq_entry_and_marks_it_saved(
    open_shop: OpenShop, quoted: bool, word: str
) -> None:
    shop, offer = await _offered(open_shop)
    told = await shop.owner(word, quote=offer if quoted else None)
    assert told == [shop.wording.say("admin_faq_tersimpan")]
    [handoff] = await shop.rows(handoff_rows)
    assert handoff.learned == "saved"
    assert json.loads(_learnt(shop).read_text(encoding="utf-8")) == [
        {"id": f"belajar-{handoff.id}", "question": GENERAL, "answer": ANSWER}
    ]
    # Saying it again changes nothing and is no reason to talk.
    assert await shop.owner("ya", quote=offer) == []


@pytest.mark.parametrize("quoted", [True, False])
async def test_no_to_an_offer_declines_it_for_good(open_shop: OpenShop, quoted: bool) -> None:
    shop, offer = await _offered(open_shop)
    assert await shop.owner("tidak", quote=offer if quoted else None) == [shop.wording.say("admin_faq_batal")]
    await shop.owner("ya", quote=offer)
    assert (await shop.rows(handoff_rows))[0].learned == "declined"
    assert not _learnt(shop).exists()


async def test_a_bare_yes_counts_only_while_the_owner_still_sees_the_offer(open_shop: OpenShop) -> None:
    shop, offer = await _offered(open_shop)
    await age(shop.store, notices, "created_ms", by_ms=BARE_ANSWER_MS + 1_000)
    assert await shop.owner("ya") == [commands(shop)]
    assert not _learnt(shop).exists()
    # Quoted it counts whenever it comes.
    await shop.owner("ya", quote=offer)
    assert _learnt(shop).exists()


async def test_a_bare_yes_counts_only_for_the_newest_notice(open_shop: OpenShop) -> None:
    shop, _ = await _offered(open_shop)
    await shop.says("siti", "sewa tenda pesta besar bisa?")
    assert await shop.owner("ya") == [commands(shop)]
    assert not _learnt(shop).exists()
    assert len(shop.heard("siti")) == 1


async def test_an_entry_that_cannot_be_written_stays_offered_and_says_what_to_do(open_shop: OpenShop) -> None:
    shop, offer = await _offered(open_shop)
    _learnt(shop).write_text("{", encoding="utf-8")
    [told] = await shop.owner("ya", quote=offer)
    assert "faq_belajar.json" in told
    assert (await shop.rows(handoff_rows))[0].learned == "offered"
    _learnt(shop).unlink()
    assert await shop.owner("ya", quote=offer) == [shop.wording.say("admin_faq_tersimpan")]


async def test_status_counts_what_the_tables_hold(open_shop: OpenShop) -> None:
    shop, _ = await _waiting(open_shop)
    await shop.says("siti", QUESTION)
    await shop.says("siti", "halo")
    await shop.says("siti", "makasih")
    received = await shop.count(inbox, inbox.c.chat != "owner")
    answered = await shop.count(turn_rows, turn_rows.c.author == "bot")
    waiting = await shop.count(handoff_rows, handoff_rows.c.finished_ms.is_(None))
    [status] = await shop.owner("Status?")
    assert (received, answered, waiting) == (4, 3, 1)
    assert "Toko Uji: hidup" in status
    assert f"{received} pesan masuk, {answered} kubalas" in status
    assert f"Menunggu admin: {waiting}" in status
    # Yesterday's are not today's, and another account's are nobody's here.
    await age(shop.store, inbox, "recorded_ms", by_ms=86_400_000)
    await age(shop.store, turn_rows, "created_ms", by_ms=86_400_000)
    assert "0 pesan masuk, 0 kubalas" in (await shop.owner("status"))[0]


async def test_answers_of_another_account_are_not_counted(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo")
    await shop.write(lambda c: c.execute(customer_rows.update().values(account="lain")) and None)
    assert "0 kubalas" in (await shop.owner("status"))[0]


async def test_status_names_what_is_wrong(open_shop: OpenShop) -> None:
    shop = await open_shop(CHAT_MODEL="gpt-0", EMBEDDING_MODEL="off")
    await shop.says("budi", "bisa cod?")
    [status] = await shop.owner("status")
    assert "⚠️ Layanan AI tidak bisa dipakai" in status
    assert "gpt-0" not in status, "what the server said is for the log"
    assert "EMBEDDING_MODEL" in status


async def test_the_list_shows_who_waits_oldest_first(open_shop: OpenShop) -> None:
    shop, notice = await _waiting(open_shop)
    await shop.says("siti", "sewa tenda pesta besar bisa?", name="Siti")
    [listed] = await shop.owner("daftar")
    waiting = [line for line in listed.splitlines() if line.startswith("•")]
    assert [line.split(" (")[0] for line in waiting] == ["• Budi", "• Siti"]
    assert "*2 pertanyaan menunggu jawaban*" in listed
    await shop.owner(ANSWER, quote=notice)
    assert "Budi" not in (await shop.owner("daftar"))[0]


async def test_an_empty_list_says_so(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await shop.owner("daftar") == [shop.wording.say("admin_daftar_kosong")]


async def test_stop_and_go_change_the_gate_and_outlive_a_restart(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await shop.owner("berhenti") == [shop.wording.say("admin_berhenti")]
    assert await shop.says("budi", QUESTION) == []
    assert "berhenti" in (await shop.owner("status"))[0]
    await shop.channel.stop(0)
    await shop.running.inbox_worker.stop(drain_s=1)
    await shop.running.outbox_worker.stop(drain_s=1)
    again = await open_shop()
    assert await again.says("siti", QUESTION, message_id="s1") == []
    assert await again.owner("MULAI.") == [again.wording.say("admin_mulai")]
    assert await again.says("siti", QUESTION, message_id="s2")


async def test_while_stopped_the_owner_still_reaches_who_waits(open_shop: OpenShop) -> None:
    shop, notice = await _waiting(open_shop)
    await shop.owner("berhenti")
    await shop.owner(ANSWER, quote=notice)
    assert shop.heard("budi")[-1] == ANSWER


async def test_admins_who_talk_to_each_other_are_left_alone(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await shop.owner("mas, tolong nanti sore jaga toko ya") == []


@pytest.mark.parametrize("text", ["menu", "halo", "apa kabar semua", "kirim", "admin"])
async def test_anything_else_in_the_room_gets_the_list_of_commands(open_shop: OpenShop, text: str) -> None:
    shop = await open_shop()
    assert await shop.owner(text) == [commands(shop)]
    # The room is no customer.
    assert await shop.count(customer_rows) == await shop.count(turn_rows) == 0


async def test_quoting_something_that_is_no_notice_is_a_command_like_any_other(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [status] = await shop.owner("status", quote="uji-999")
    assert "hidup" in status


async def test_each_message_of_the_owners_burst_is_acted_on(open_shop: OpenShop) -> None:
    shop, notice = await _waiting(open_shop)
    thinking = shop.thinking()
    await shop.record("siti", QUESTION)
    await thinking.has_begun()
    await shop.record("owner", ANSWER, quote=notice)
    await shop.record("owner", "daftar")
    thinking.go_on()
    await shop.settled()
    assert shop.heard("budi")[-1] == ANSWER
    assert shop.wording.say("admin_daftar_kosong") in shop.heard("owner")


async def _draft(open_shop: OpenShop) -> tuple[TinyShop, str]:
    shop = await open_shop(BALAS_MODE="approve")
    assert await shop.says("budi", QUESTION, name="Budi") == []
    return shop, shop.last_id(containing="Draf")


async def test_a_held_answer_is_shown_to_the_owner_and_goes_when_he_says_so(open_shop: OpenShop) -> None:
    shop, draft = await _draft(open_shop)
    assert COD in shop.heard("owner")[-1]
    assert (await shop.rows(turn_rows))[0].author == "none"
    assert await shop.owner("kirim", quote=draft) == [shop.wording.say("admin_draf_terkirim")]
    assert shop.heard("budi") == [f"{COD}\n\n{shop.wording.say('pengantar')}"]
    [turn] = await shop.rows(turn_rows)
    assert (turn.replied, turn.author) == (COD, "bot")
    assert "klaten" in turn.search_text
    assert await shop.owner("kirim", quote=draft) == [shop.wording.say("admin_draf_lewat")]
    assert len(shop.heard("budi")) == 1


async def test_a_dropped_draft_is_never_sent_and_the_notice_rides_on_the_next_answer(
    open_shop: OpenShop,
) -> None:
    shop, draft = await _draft(open_shop)
    assert await shop.owner("buang", quote=draft) == [shop.wording.say("admin_draf_dibuang")]
    assert await shop.owner("kirim", quote=draft) == [shop.wording.say("admin_draf_lewat")]
    assert shop.heard("budi") == []
    assert (await shop.rows(turn_rows))[0].replied == ""
    await shop.says("budi", "jam buka toko?")
    await shop.owner("kirim", quote=shop.last_id(containing="Draf"))
    assert shop.wording.say("pengantar") in shop.heard("budi")[-1]


async def test_other_words_are_sent_in_the_drafts_place_with_the_notice_that_rode_on_it(
    open_shop: OpenShop,
) -> None:
    shop, draft = await _draft(open_shop)
    await shop.owner("COD khusus dalam kota ya Kak.", quote=draft)
    assert shop.heard("budi") == [f"COD khusus dalam kota ya Kak.\n\n{shop.wording.say('pengantar')}"]
    [turn] = await shop.rows(turn_rows)
    assert (turn.replied, turn.author) == ("COD khusus dalam kota ya Kak.", "human")


async def test_a_draft_that_the_owner_releases_goes_though_the_bot_was_stopped(open_shop: OpenShop) -> None:
    shop, draft = await _draft(open_shop)
    await shop.owner("berhenti")
    await shop.owner("kirim", quote=draft)
    assert len(shop.heard("budi")) == 1


async def test_a_draft_lets_later_messages_of_the_chat_pass(open_shop: OpenShop) -> None:
    shop, draft = await _draft(open_shop)
    await shop.owner("mulai")
    assert await shop.says("budi", "halo") == [shop.wording.say("salam")]
    await shop.owner("kirim", quote=draft)
    assert len(shop.heard("budi")) == 2
    assert shop.channel.most_at_once["budi"] == 1


async def test_a_draft_for_a_customer_who_was_deleted_is_over(open_shop: OpenShop) -> None:
    shop, draft = await _draft(open_shop)
    customer = await shop.customer("budi")
    await shop.write(lambda c: customers.forget(c, customer.id))
    await shop.owner("kirim", quote=draft)
    assert shop.heard("budi") == []
    assert await shop.count(outbox, outbox.c.customer_id.is_not(None)) == 0


async def _remind_at(shop: TinyShop, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """What the reminders' task does at this moment."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromisoformat(moment)

    profile = Shop.load(shop.settings.data_dir, name="Toko Uji")
    people = People(
        room=RoomAddress(account="utama", transport="uji", chat="owner"),
        shop=profile,
        wording=shop.wording,
        remind_after_s=1800,
    )
    with monkeypatch.context() as patched:
        patched.setattr(chores, "datetime", Clock)
        await chores.remind(shop.store, people, profile)
    shop.running.outbox_worker.wake()


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-11-02T10:00:00+07:00", True),
        ("2026-11-02T08:00:00+07:00", True),
        ("2026-11-02T19:59:00+07:00", True),
        ("2026-11-02T20:00:00+07:00", False),
        ("2026-11-02T23:30:00+07:00", False),
        ("2026-11-02T07:59:00+07:00", False),
        # 02.00 in Jakarta.
        ("2026-11-01T19:00:00+00:00", False),
    ],
)
async def test_reminders_keep_quiet_between_20_and_8(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch, moment: str, told: bool
) -> None:
    shop, _ = await _waiting(open_shop)
    await age(shop.store, handoff_rows, "due_ms", by_ms=3_600_000)
    await age(shop.store, handoff_rows, "created_ms", by_ms=45 * 60_000)
    await _remind_at(shop, monkeypatch, moment)
    await shop.settled()
    reminders = [text for text in shop.heard("owner") if "45 menit belum dijawab" in text]
    assert bool(reminders) is told
    # Told once, the next one is due half an hour later.
    await _remind_at(shop, monkeypatch, moment)
    await shop.settled()
    assert len([text for text in shop.heard("owner") if "belum dijawab" in text]) == int(told)


async def test_what_was_answered_is_no_longer_reminded_of(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, notice = await _waiting(open_shop)
    await age(shop.store, handoff_rows, "due_ms", by_ms=3_600_000)
    await shop.owner(ANSWER, quote=notice)
    await _remind_at(shop, monkeypatch, "2026-11-02T10:00:00+07:00")
    await shop.settled()
    assert not [text for text in shop.heard("owner") if "belum dijawab" in text]


async def test_the_owner_is_told_what_a_customer_did_not_get(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.outcome = lambda message: Refused("no such number") if message.chat == "budi" else None
    await shop.says("budi", QUESTION, name="Budi")
    await shop.says("budi", "makasih")
    [told] = shop.heard("owner")
    assert "Gagal terkirim" in told
    assert "Budi" in told
    assert COD in told


async def test_a_notice_that_cannot_be_sent_causes_no_further_notice(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.outcome = lambda message: Refused("no room") if message.chat == "owner" else None
    await shop.says("budi", UNKNOWN)
    query = select(outbox.c.state, func.count()).where(outbox.c.chat == "owner").group_by(outbox.c.state)
    assert await shop.store.read(lambda c: [tuple(row) for row in c.execute(query)]) == [("dead", 1)]
    # The promise is still known.
    assert len(await shop.store.read(lambda c: handoffs.list_open(c, "utama"))) == 1


async def test_the_owner_has_one_chat_ignored_and_goes_on_in_it(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, name="Budi")
    [said] = await shop.owner("Abaikan budi")
    assert said.startswith("Oke, Budi")
    assert await shop.says("budi", QUESTION) == []
    assert len(await shop.says("siti", QUESTION, name="Siti")) == 1
    [said] = await shop.owner("lanjut budi.")
    assert said.startswith("Siap, Budi")
    assert len(await shop.says("budi", QUESTION)) == 1


async def test_go_on_ends_a_humans_pause_too(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, name="Budi")
    await silence(shop, "budi")
    assert await shop.says("budi", QUESTION) == []
    await shop.owner("lanjut budi")
    assert len(await shop.says("budi", QUESTION)) == 1


async def test_a_name_that_fits_nobody_or_several_changes_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi1", "halo", name="Budi Satu")
    await shop.says("budi2", "halo", name="Budi Dua")
    assert "081299990000" in (await shop.owner("abaikan 081299990000"))[0]
    [said] = await shop.owner("abaikan budi")
    assert "Budi Satu" in said
    assert "*abaikan #" in said
    assert len(await shop.says("budi1", QUESTION)) == 1
    # People also talk to each other in the room.
    assert await shop.owner("lanjut besok saja ya bu, aku sudah capek sekali hari ini") == []
