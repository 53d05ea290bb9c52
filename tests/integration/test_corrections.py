"""Somebody edits or deletes the bot's own answers on the shop's phone: the history follows."""

from __future__ import annotations

import pytest

from store.attachments import Document
from store.outbox import Kind
from store.payment_tables import orders as order_rows
from store.schema import attachments as attachment_rows
from store.schema import inbox as inbox_rows
from store.schema import outbox as outbox_rows
from store.schema import turns as turn_rows
from tests.integration.test_selling import FILES
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, OpenShop, TinyShop, age

EDITED = "Bisa Kak, khusus Klaten kota"


async def _changes(shop: TinyShop, message_id: str, words: str = "", *, chat: str = "budi") -> None:
    """Somebody at the shop edits the message, or (no words) deletes it."""
    kind = "edit" if words else "revoke"
    await shop.record(chat, words, own=True, kind=kind, quote=message_id)
    await shop.settled()


async def _replies(shop: TinyShop) -> list[tuple[str, str, str]]:
    return [(turn.asked, turn.replied, turn.author) for turn in await shop.rows(turn_rows)]


async def test_the_history_says_what_an_edited_answer_says_now_and_nobody_is_silenced(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    [answer] = await shop.says("budi", QUESTION)
    assert "privasi" in answer  # The notice for new customers rides on it, and is no part of the history.
    for words in (EDITED, f"{EDITED} dan sekitarnya"):
        await _changes(shop, shop.last_id("budi"), words)
        assert await _replies(shop) == [(QUESTION, words, "human")]
    assert (await shop.customer("budi")).silent_ms == 0
    assert COD in (await shop.says("budi", QUESTION))[0]


async def test_a_deleted_answer_leaves_its_question_unanswered_and_is_sent_to_nobody_again(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    await shop.says("siti", QUESTION)
    await _changes(shop, shop.last_id("budi"))
    assert await _replies(shop) == [(QUESTION, "", "none"), (QUESTION, COD, "bot")]
    found = await shop.rows(outbox_rows, outbox_rows.c.chat == "budi")
    assert [(row.body, row.state) for row in found] == [("", "dropped")]
    # It is known all the same: its copy from the phone is no person's.
    await shop.record("budi", COD, own=True, message_id=shop.last_id("budi"))
    await shop.settled()
    assert (await shop.customer("budi")).silent_ms == 0


async def test_a_read_back_that_a_person_changed_is_no_longer_agreed_to_by_a_yes(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop(files=FILES)
    for chat in ("budi", "siti"):
        assert "Rp250.000" in (await shop.says(chat, "pesan IH20 1"))[-1]
    await _changes(shop, shop.last_id("budi"), "IH20 naik jadi Rp300.000 ya Kak. Jadi?")
    for yes in ("ya", "jadi kak"):
        await shop.says("budi", yes)
    assert await shop.count(order_rows) == 0
    await shop.says("siti", "jadi kak")
    assert await shop.count(order_rows) == 1


async def test_an_answer_that_a_person_gave_from_his_room_follows_too(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    await shop.owner("Ada Kak, ukuran 42", quote=shop.last_id())
    await _changes(shop, shop.last_id("budi", containing="ukuran 42"), "Ada Kak, ukuran 43")
    assert (await _replies(shop))[-1] == (UNKNOWN, "Ada Kak, ukuran 43", "human")


async def test_what_was_said_to_others_and_what_is_no_answer_stays_as_it_is(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    before = await _replies(shop)
    # By another chat's id, by an id that nobody knows, and of a reaction.
    await shop.says("siti", "halo")
    kept = await _replies(shop)
    await _changes(shop, shop.last_id("budi"), EDITED, chat="siti")
    await _changes(shop, "tidak-ada", EDITED)
    await shop.says("budi", "makasih")
    await _changes(shop, shop.last_id("budi"))
    assert (await _replies(shop))[: len(kept)] == kept
    assert kept[: len(before)] == before
    # The rows of the changes are the customer's, and go with him.
    signs = await shop.rows(inbox_rows, inbox_rows.c.kind.in_(("edit", "revoke")))
    assert all(row.customer_id is not None for row in signs)


PICTURE = b"\xff\xd8\xff\xe0 foto"
FILES_OF_A_PERSON = [
    ("image", "image/jpeg", ""),
    ("document", "application/pdf", "brosur (baru).pdf"),
    ("audio", "audio/ogg; codecs=opus", ""),
    ("video", "video/mp4", ""),
]


async def _answers_with_file(
    shop: TinyShop, text: str = "", *, kind: str = "image", mimetype: str = "image/jpeg", filename: str = ""
) -> str:
    """An admin answers the newest question with a file; the id under which the customer got it."""
    message_id = f"berkas-{len(shop.channel.files)}"
    shop.channel.files[message_id] = PICTURE + message_id.encode()
    file = {"mimetype": mimetype, "filename": filename, "size_bytes": len(PICTURE)}
    detail = {"detail": filename} if filename else {}
    notice = shop.last_id(containing="Butuh jawaban")
    await shop.says("owner", text, message_id=message_id, kind=kind, file=file, quote=notice, **detail)
    sent = [message for message in shop.channel.sent if message.chat == "budi"][-1]
    assert sent.document is not None
    return f"uji-{sent.row_id}"


@pytest.mark.parametrize(("kind", "mimetype", "filename"), FILES_OF_A_PERSON)
@pytest.mark.parametrize("caption", ["", "Yang ini Kak, 150rb"])
async def test_a_file_that_answered_and_was_deleted_for_everyone_is_gone_from_the_history(
    open_shop: OpenShop, kind: str, mimetype: str, filename: str, caption: str
) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    sent = await _answers_with_file(shop, caption, kind=kind, mimetype=mimetype, filename=filename)
    assert (await _replies(shop))[-1][2] == "human"
    assert await shop.count(attachment_rows) == 1
    await _changes(shop, sent)
    assert (await _replies(shop))[-1] == (UNKNOWN, "", "none")
    assert (await shop.rows(outbox_rows, outbox_rows.c.chat == "budi"))[-1].state == "dropped"
    # The picture itself is not kept either, and nobody is silenced by it.
    assert await shop.count(attachment_rows) == 0
    assert (await shop.customer("budi")).silent_ms == 0


async def test_a_caption_that_was_edited_is_the_one_in_the_history(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    sent = await _answers_with_file(shop, "Yang ini Kak, 150rb")
    await _changes(shop, sent, "Yang ini Kak, 160rb")
    assert (await _replies(shop))[-1] == (UNKNOWN, "(foto) Yang ini Kak, 160rb", "human")
    await _changes(shop, sent)
    assert (await _replies(shop))[-1] == (UNKNOWN, "", "none")


async def test_one_deleted_picture_of_an_album_takes_no_other_along(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    await _answers_with_file(shop)
    before = await shop.rows(turn_rows)
    second = await _answers_with_file(shop)
    [ours] = [turn for turn in await shop.rows(turn_rows) if turn.id not in {one.id for one in before}]
    await _answers_with_file(shop)
    assert [turn.replied for turn in (await shop.rows(turn_rows))[-3:]] == ["(foto)"] * 3
    await _changes(shop, second)
    left = await shop.rows(turn_rows)
    assert ours.id not in {turn.id for turn in left}
    assert [turn.replied for turn in left[-2:]] == ["(foto)"] * 2


async def test_a_deleted_file_that_no_turn_keeps_takes_no_other_words_along(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    await _answers_with_file(shop)
    await age(shop.store, turn_rows, "created_ms", by_ms=60_000)
    before = await _replies(shop)
    document = Document(data=b"%PDF-1.7", filename="INV-1.pdf", mimetype="application/pdf")
    await shop.sends("budi", "", kind=Kind.DOCUMENT, document=document)
    sent = [message for message in shop.channel.sent if message.chat == "budi"][-1]
    await _changes(shop, f"uji-{sent.row_id}")
    assert await _replies(shop) == before
