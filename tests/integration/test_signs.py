"""Edits, deletions, reactions and votes: what they change in an answer, and in what is remembered."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from store import outbox as outboxes
from store.memory.index import Query
from store.outbox import NewMessage, Purpose
from store.schema import handoffs as handoff_rows
from store.schema import inbox as inbox_rows
from store.schema import outbox as outbox_rows
from store.schema import turns as turn_rows
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, OpenShop, TinyShop

HOURS = "buka jam berapa kak?"


async def _sign(shop: TinyShop, kind: str, about: str, text: str = "", *, chat: str = "budi") -> list[str]:
    return await shop.says(chat, text, kind=kind, quote=about)


async def _turns(shop: TinyShop) -> list[tuple[str, str]]:
    return [(turn.asked, turn.replied) for turn in await shop.rows(turn_rows)]


async def _remembered(shop: TinyShop, chat: str, words: str) -> bool:
    """Whether the memory finds these words of the customer."""
    await shop.running.memory.catch_up()
    customer = await shop.customer(chat)
    recalled = await shop.running.memory.recall(
        customer_id=customer.id, query=Query(texts=(words,)), before_turn=None, limit=5
    )
    return any(words in turn.asked for turn in recalled)


async def test_an_edit_before_the_answer_replaces_the_words(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("budi", HOURS, message_id="b1")
    await thinking.has_begun()
    # The model has the old words already.
    await shop.record("budi", QUESTION, kind="edit", quote="b1")
    thinking.go_on()
    await shop.settled()
    assert [text.split("\n")[0] for text in shop.heard("budi")] == [COD]
    assert [asked for asked, _ in await _turns(shop)] == [QUESTION]


async def test_an_edit_after_the_answer_is_noted_and_not_answered(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, message_id="b1")
    assert await _sign(shop, "edit", "b1", "bisa cod ke solo?") == []
    [(asked, replied)] = await _turns(shop)
    assert asked == f"{QUESTION}\n(diubah jadi: bisa cod ke solo?)"
    assert replied == COD
    # The same words again are no change.
    await _sign(shop, "edit", "b1", QUESTION)
    assert [asked for asked, _ in await _turns(shop)] == [asked]


async def test_an_edit_of_something_unknown_is_kept_as_words_and_not_answered(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    assert await _sign(shop, "edit", "dari-kemarin", HOURS) == []
    assert (await _turns(shop))[1:] == [(HOURS, "")]


async def test_a_message_that_was_taken_back_before_the_answer_gets_none(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("budi", QUESTION, message_id="b1")
    await thinking.has_begun()
    await shop.record("budi", "", kind="revoke", quote="b1")
    thinking.go_on()
    await shop.settled()
    assert shop.heard("budi") == []
    assert await _turns(shop) == []
    [row] = await shop.rows(inbox_rows, inbox_rows.c.message_id == "b1")
    assert bytes(row.raw) == b""
    # Its id is still known: the network may bring it again.
    assert (await shop.record("budi", QUESTION, message_id="b1")).value == "duplicate"


async def test_the_words_of_a_message_that_is_taken_back_are_forgotten(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "rumahku di jalan mawar 7, bisa cod?", message_id="b1")
    assert await _remembered(shop, "budi", "mawar")
    assert await _sign(shop, "revoke", "b1") == []
    assert [asked for asked, _ in await _turns(shop)] == [""]
    assert not await _remembered(shop, "budi", "mawar")
    [row] = await shop.rows(inbox_rows, inbox_rows.c.message_id == "b1")
    assert bytes(row.raw) == b""


async def test_only_its_own_words_go_when_one_of_several_is_taken_back(open_shop: OpenShop) -> None:
    shop = await open_shop()
    thinking = shop.thinking()
    await shop.record("budi", HOURS)
    await thinking.has_begun()
    # Both are there when their turn comes, so they are one burst.
    for message_id, text in (("b1", "kak"), ("b2", QUESTION), ("b3", "rumahku di jalan mawar 7")):
        await shop.record("budi", text, message_id=message_id)
    thinking.go_on()
    await shop.settled()
    asked, replied = (await _turns(shop))[1]
    assert asked == f"kak\n{QUESTION}\nrumahku di jalan mawar 7"
    await _sign(shop, "revoke", "b3")
    assert (await _turns(shop))[1] == (f"kak\n{QUESTION}", replied)


async def test_an_unanswered_turn_without_words_is_deleted(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="off")
    await shop.says("budi", QUESTION, message_id="b1")
    assert await _turns(shop) == [(QUESTION, "")]
    await _sign(shop, "revoke", "b1")
    assert await _turns(shop) == []


async def test_an_answer_that_still_waits_is_dropped_with_its_question(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "makasih")
    shop.channel.online.clear()
    # One that the worker has in hand already, and behind it the answer to what is then taken back.
    await shop.record("budi", HOURS, message_id="b1")
    await _unfinished(shop, 1)
    await shop.record("budi", QUESTION, message_id="b2")
    await _unfinished(shop, 2)
    await shop.record("budi", "", kind="revoke", quote="b2")
    await _finished_inbox(shop)
    shop.channel.online.set()
    await shop.settled()
    assert COD not in "\n".join(shop.heard("budi"))
    [dropped] = await shop.rows(outbox_rows, outbox_rows.c.state == "dropped")
    assert dropped.answers == "b2"


async def test_nobody_takes_back_or_edits_what_somebody_else_wrote(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, message_id="b1")
    await shop.record("budi", "Nanti aku cek ya", message_id="o1", own=True)
    await shop.settled()
    before = await _turns(shop)
    for about in ("o1", shop.last_id("budi")):
        await _sign(shop, "revoke", about)
    assert await _turns(shop) == before
    await shop.says("siti", "makasih")
    await _sign(shop, "revoke", "b1", chat="siti")
    await _sign(shop, "edit", "b1", "palsu", chat="siti")
    assert (await _turns(shop))[: len(before)] == before


@pytest.mark.parametrize("kind", ["reaction", "vote", "timer"])
async def test_other_signs_are_recorded_and_change_nothing(open_shop: OpenShop, kind: str) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    before = await _turns(shop)
    assert await _sign(shop, kind, shop.last_id("budi"), "👍") == []
    assert await _turns(shop) == before
    customer = await shop.customer("budi")
    [row] = await shop.rows(inbox_rows, inbox_rows.c.kind == kind)
    assert (row.state, row.customer_id) == ("done", customer.id)


async def test_a_reaction_of_somebody_who_never_wrote_creates_no_customer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await _sign(shop, "reaction", "entah", "👍", chat="joko") == []
    assert await shop.count(inbox_rows) == 0


async def test_the_owner_reads_how_an_open_question_was_changed_and_can_answer_that(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN, message_id="b1")
    for words in ("ada sepatu roda biru?", "ada sepatu roda hijau?"):
        await _sign(shop, "edit", "b1", words)
        assert "Pertanyaannya diubah" in shop.heard("owner")[-1]
        assert words in shop.heard("owner")[-1]
    assert await shop.owner("Ada kak", quote=shop.last_id(containing="hijau"))
    assert shop.heard("budi")[-1] == "Ada kak"
    # Answered is answered: what is changed now is a note alone.
    before = len(shop.heard("owner"))
    await _sign(shop, "edit", "b1", "ada sepatu roda ungu?")
    assert len(shop.heard("owner")) == before


async def test_nobody_is_reminded_of_a_question_that_was_taken_back(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN, message_id="b1")
    assert await shop.count(handoff_rows, handoff_rows.c.finished_ms.is_(None)) == 1
    await _sign(shop, "revoke", "b1")
    [handoff] = await shop.rows(handoff_rows)
    assert handoff.state == "closed"
    assert "tidak ada yang menunggu" in (await shop.owner("daftar"))[0]


async def test_signs_are_no_messages_in_the_owner_s_count(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION, message_id="b1")
    await _sign(shop, "reaction", shop.last_id("budi"), "👍")
    assert "Hari ini: 1 pesan masuk" in (await shop.owner("status"))[0]


async def test_a_two_bubble_answer_is_dropped_whole_and_one_to_several_messages_is_not(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop(ingested=False)
    await shop.says("budi", "makasih")
    customer = await shop.customer("budi")

    def queue(connection: object) -> int:
        for body, answers in (("satu", ("b1",)), ("dua", ()), ("tiga", ("b2", "b3")), ("empat", ("b4",))):
            message = NewMessage(
                account="utama",
                transport="tidak ada",
                chat="budi",
                body=body,
                purpose=Purpose.ANSWER,
                customer_id=customer.id,
                answers=answers,
            )
            outboxes.add(connection, message)  # type: ignore[arg-type] # of the store.
        return sum(
            len(outboxes.drop_unsent_answers(connection, "utama", chat="budi", message_id=about))  # type: ignore[arg-type]
            for about in ("b1", "b2")
        )

    assert await shop.write(queue) == 2
    left = await shop.rows(outbox_rows, outbox_rows.c.transport == "tidak ada", outbox_rows.c.state == "new")
    assert [row.body for row in left] == ["tiga", "empat"]
    await shop.write(
        lambda c: (
            c.execute(update(outbox_rows).where(outbox_rows.c.transport == "tidak ada").values(finished_ms=1))
            and None
        )
    )


async def test_the_notice_of_an_answer_that_is_dropped_is_on_the_next_one(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="approve")
    await shop.says("budi", QUESTION, message_id="b1")
    await _sign(shop, "revoke", "b1")
    assert [row.state for row in await shop.rows(outbox_rows, outbox_rows.c.chat == "budi")] == ["dropped"]
    await shop.owner("mulai")
    assert shop.wording.say("pengantar") in (await shop.says("budi", HOURS))[0]


async def _unfinished(shop: TinyShop, wanted: int) -> None:
    """Until so many answers wait to be sent."""
    async with asyncio.timeout(10):
        while await shop.count(outbox_rows, outbox_rows.c.finished_ms.is_(None)) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _finished_inbox(shop: TinyShop) -> None:
    async with asyncio.timeout(10):
        while await shop.count(inbox_rows, inbox_rows.c.finished_ms.is_(None)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
