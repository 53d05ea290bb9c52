"""Files that customers send: noted with their message, fetched behind it, shown to the owner, deleted."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot import answer_path
from bot.channel import FileAway, FileGone
from bot.consequences import MOST_FORWARDED
from bot.forwarding import forward_media
from bot.media import LARGE_FILES_A_DAY, LEAST_FREE_BYTES, MAX_FILENAME_CHARS
from bot.timers import Timers
from config.settings import Settings
from store import customers
from store import media as stored
from store.doors import Store
from store.media_files import ORPHAN_AFTER_S
from store.outbox import Kind
from store.queue import Backoff
from store.schema import attachments as attachment_rows
from store.schema import chat_timers as timer_rows
from store.schema import forwards as forward_rows
from store.schema import inbox as inbox_rows
from store.schema import media as media_rows
from store.schema import notices as notice_rows
from store.schema import outbox as outbox_rows
from store.worker import Discard
from tests.integration.tiny_shop import QUESTION, UNKNOWN, WAIT_S, OpenShop, TinyShop, age, shops

PICTURE = b"\x89PNG" + bytes(3_000)
VOICE = b"OggS" + bytes(2_000)


@pytest.fixture
async def open_shop(
    store: Store, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenShop]:
    monkeypatch.setattr(answer_path, "MEDIA_BACKOFF", Backoff(attempts=3, first_s=0.02, most_s=0.05))
    monkeypatch.setattr(answer_path, "MEDIA_POLL_S", 0.02)
    async with shops(store, make_settings) as opened:
        yield partial(opened, ingested=False)


def _file(size: int, *, mimetype: str = "image/jpeg", filename: str = "", **more: Any) -> dict[str, Any]:
    return {"mimetype": mimetype, "filename": filename, "size_bytes": size, **more}


async def _sends(
    shop: TinyShop,
    data: bytes | Exception,
    text: str = "",
    *,
    chat: str = "budi",
    kind: str = "image",
    message_id: str = "f1",
    **fields: Any,
) -> list[str]:
    """Somebody sends a file; what he is told."""
    shop.channel.files[message_id] = data
    size = len(data) if isinstance(data, bytes) else 100
    given = {"file": _file(size), **fields}
    return await shop.says(chat, text, kind=kind, message_id=message_id, **given)


async def _fetched(shop: TinyShop, wanted: int = 1) -> list[Any]:
    """The media rows once nothing is left to fetch."""
    async with asyncio.timeout(WAIT_S):
        while True:
            rows = await shop.rows(media_rows, media_rows.c.finished_ms.is_not(None))
            if len(rows) >= wanted:
                await shop.settled()
                return rows
            await asyncio.sleep(0.01)


def _folder(shop: TinyShop) -> Path:
    return shop.settings.state_dir / "media"


def _names(shop: TinyShop) -> list[str]:
    return sorted(os.listdir(_folder(shop))) if _folder(shop).exists() else []


async def test_a_picture_is_stored_for_the_owner_of_the_process_alone(open_shop: OpenShop) -> None:
    shop = await open_shop()
    heard = await _sends(shop, PICTURE)
    assert heard[0].startswith("Fotonya kuterima")
    [row] = await _fetched(shop)
    assert (row.state, row.stored_bytes, row.customer_id) == (
        "done",
        len(PICTURE),
        (await shop.customer("budi")).id,
    )
    path = _folder(shop) / row.path
    assert path.read_bytes() == PICTURE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    # Nothing in the name says whose it is.
    assert len(row.path) == 32


async def test_the_answer_does_not_wait_for_the_file(open_shop: OpenShop) -> None:
    shop = await open_shop()
    arrived = asyncio.Event()
    fetch = shop.channel.fetch

    async def slowly(event: Any) -> bytes:
        await arrived.wait()
        return await fetch(event)

    shop.channel.fetch = slowly  # type: ignore[method-assign]
    assert await _sends(shop, PICTURE)
    assert await shop.count(media_rows, media_rows.c.finished_ms.is_(None)) == 1
    arrived.set()
    await _fetched(shop)


async def test_a_file_that_says_it_is_too_large_is_not_even_asked_for(open_shop: OpenShop) -> None:
    shop = await open_shop(MEDIA_MAX_MB="1")
    await _sends(shop, PICTURE, file=_file(1024 * 1024 + 1))
    [row] = await _fetched(shop)
    assert (row.state, row.error) == ("dropped", stored.TOO_LARGE)
    assert shop.channel.fetched == []
    assert _names(shop) == []


async def test_a_file_that_lied_about_its_size_is_not_kept(open_shop: OpenShop) -> None:
    shop = await open_shop(MEDIA_MAX_MB="1")
    await _sends(shop, bytes(1024 * 1024 + 1), file=_file(10))
    [row] = await _fetched(shop)
    assert (row.state, row.error) == ("dead", stored.TOO_LARGE)
    assert _names(shop) == []


async def test_a_size_that_no_database_holds_breaks_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await _sends(shop, PICTURE, file=_file(2**64 - 1))
    [row] = await _fetched(shop)
    assert row.state == "dropped"


async def test_with_a_limit_of_nothing_nothing_is_kept(open_shop: OpenShop) -> None:
    shop = await open_shop(MEDIA_MAX_MB="0")
    assert await _sends(shop, PICTURE)
    assert [row.state for row in await _fetched(shop)] == ["dropped"]


async def test_a_host_that_is_away_is_asked_again(open_shop: OpenShop) -> None:
    shop = await open_shop()
    tries = [FileAway("no route"), FileAway("no route")]
    fetch = shop.channel.fetch

    async def at_last(event: Any) -> bytes:
        if tries:
            raise tries.pop()
        return await fetch(event)

    shop.channel.fetch = at_last  # type: ignore[method-assign]
    await _sends(shop, PICTURE)
    [row] = await _fetched(shop)
    assert (row.state, row.attempts) == ("done", 3)


async def test_a_file_that_expired_says_so_and_is_not_asked_for_again(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, FileGone("expired (status 410)"))
    [row] = await _fetched(shop)
    assert (row.state, row.error, row.attempts) == ("dead", "expired (status 410)", 1)
    assert shop.channel.fetched == ["f1"]


async def test_a_voice_note_is_heard_in_the_owner_s_room_and_quoting_it_answers(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, VOICE, kind="audio", detail="12 detik", file=_file(len(VOICE), mimetype="audio/ogg"))
    await _fetched(shop)
    notice, voice = [message for message in shop.channel.sent if message.chat == "owner"]
    assert "(voice note, 12 detik)" in notice.body
    assert voice.kind is Kind.AUDIO
    assert voice.document is not None
    assert (voice.document.data, voice.document.mimetype) == (VOICE, "audio/ogg")
    told = await shop.owner("Bisa kak, kirim alamatnya ya", quote=f"uji-{voice.row_id}")
    assert "Terkirim" in told[0]
    assert shop.heard("budi")[-1] == "Bisa kak, kirim alamatnya ya"


async def test_the_owner_sees_the_picture_that_an_unknown_question_is_about(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE, UNKNOWN)
    await _fetched(shop)
    notice, picture = [message for message in shop.channel.sent if message.chat == "owner"]
    assert f"(foto) {UNKNOWN}" in notice.body
    assert picture.kind is Kind.IMAGE
    assert picture.document is not None
    assert picture.document.data == PICTURE


async def test_what_may_be_seen_once_is_not_put_into_the_owner_s_room_for_good(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, VOICE, kind="audio", file=_file(len(VOICE), view_once=True))
    await _fetched(shop)
    assert [message.kind for message in shop.channel.sent if message.chat == "owner"] == [Kind.TEXT]


async def test_an_album_does_not_fill_the_owner_s_room(open_shop: OpenShop) -> None:
    shop = await open_shop(ingested=True)
    thinking = shop.thinking()
    await shop.record("budi", QUESTION)
    await thinking.has_begun()
    for number in range(6):
        shop.channel.files[f"f{number}"] = PICTURE
        fields: dict[str, Any] = {"kind": "image", "file": _file(len(PICTURE)), "message_id": f"f{number}"}
        await shop.record("budi", UNKNOWN if number == 5 else "", **fields)
    thinking.go_on()
    await shop.settled()
    await _fetched(shop, 6)
    shown = [message for message in shop.channel.sent if message.chat == "owner" and message.document]
    assert len(shown) == MOST_FORWARDED


@pytest.mark.parametrize(
    ("claimed", "filename", "mimetype"),
    [
        ("image/jpeg", "bukti\n\u202efdp.exe", "image/jpeg"),
        ("text/html\r\nX: y", "x" * 500, "application/octet-stream"),
        ("", "../../etc/passwd", "application/octet-stream"),
    ],
)
async def test_what_a_sender_claims_is_cleaned(
    open_shop: OpenShop, claimed: str, filename: str, mimetype: str
) -> None:
    shop = await open_shop()
    file = _file(len(PICTURE), mimetype=claimed, filename=filename)
    await _sends(shop, PICTURE, kind="document", file=file)
    [row] = await _fetched(shop)
    assert row.mimetype == mimetype
    assert len(row.filename) <= MAX_FILENAME_CHARS
    assert row.filename.isprintable()
    # It is only what the owner reads; on disk the name is ours.
    assert _names(shop) == [row.path]


async def test_a_file_as_an_answer_that_never_comes_is_refused_in_words_and_the_question_stays(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    before = shop.heard("budi")
    quote = shop.last_id(containing="Butuh jawaban")
    for text in ("", "ini fotonya kak"):
        told = await shop.says("owner", text, kind="image", file=_file(9), quote=quote)
        assert "Belum kukirim" in told[0]
    assert shop.heard("budi") == before
    # Whoever only shows the others something is left alone.
    assert await shop.says("owner", "", kind="image", file=_file(9)) == []
    assert "Terkirim" in "".join(await shop.owner("Ada kak", quote=quote))


async def test_a_file_that_never_comes_is_told_to_the_owner_in_words(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, FileGone("expired (status 404)"), kind="audio")
    await _fetched(shop)
    assert "voice note" in shop.heard("owner")[-1]
    assert "sudah kedaluwarsa" in shop.heard("owner")[-1]
    assert await shop.count(forward_rows) == 0


async def test_a_picture_is_forwarded_whenever_it_is_asked_for(open_shop: OpenShop) -> None:
    """What "sudah transfer" needs: the proof in the owner's room, and quoting it is about the order."""
    shop = await open_shop()
    await _sends(shop, PICTURE)
    await _fetched(shop)
    [row] = await shop.rows(inbox_rows, inbox_rows.c.message_id == "f1")
    proof = await shop.write(
        lambda c: stored.newest(c, "utama", chat="budi", kinds=["image", "document"], within_ms=600_000)
    )
    assert proof is not None
    assert proof.id == (await shop.rows(media_rows))[0].id
    asked: dict[str, Any] = {"caption": "Bukti transfer Budi", "kind": "transfer", "order_id": "P-7"}
    assert await shop.write(lambda c: forward_media(c, shop.running.media.people, row.id, **asked))
    shop.running.outbox_worker.wake()
    await shop.settled()
    sent = shop.channel.sent[-1]
    assert (sent.chat, sent.kind, sent.body) == ("owner", Kind.IMAGE, "Bukti transfer Budi")
    [notice] = await shop.rows(notice_rows, notice_rows.c.kind == "transfer")
    assert (notice.order_id, notice.message_id) == ("P-7", f"uji-{sent.row_id}")
    # A message without a file has nothing to show.
    await shop.says("budi", "makasih", message_id="t1")
    [words] = await shop.rows(inbox_rows, inbox_rows.c.message_id == "t1")
    assert not await shop.write(lambda c: forward_media(c, shop.running.media.people, words.id))


@pytest.mark.parametrize(
    ("kind", "mimetype", "sent_as", "name"),
    [
        ("video", "video/mp4", Kind.DOCUMENT, "video.mp4"),
        ("sticker", "image/webp", Kind.DOCUMENT, "sticker.webp"),
        ("document", "application/pdf", Kind.DOCUMENT, "document.pdf"),
        ("image", "image/jpeg", Kind.IMAGE, "image.jpg"),
    ],
)
async def test_every_kind_has_a_form_in_the_owner_s_room(
    open_shop: OpenShop, kind: str, mimetype: str, sent_as: Kind, name: str
) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE, kind=kind, file=_file(len(PICTURE), mimetype=mimetype))
    await _fetched(shop)
    [row] = await shop.rows(inbox_rows, inbox_rows.c.message_id == "f1")
    await shop.write(lambda c: forward_media(c, shop.running.media.people, row.id))
    shop.running.outbox_worker.wake()
    await shop.settled()
    sent = shop.channel.sent[-1]
    assert sent.kind is sent_as
    assert sent.document is not None
    assert sent.document.filename == name


async def test_files_are_deleted_when_their_time_is_over(open_shop: OpenShop, store: Store) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE)
    await _fetched(shop)
    await shop.running.media.tidy()
    assert len(_names(shop)) == 1
    await age(store, media_rows, "expires_ms", by_ms=31 * 24 * 3600 * 1000)
    await shop.running.media.tidy()
    assert _names(shop) == []
    assert await shop.count(media_rows) == 0
    assert await shop.count(inbox_rows) == 1


@pytest.mark.parametrize(
    ("fields", "at_most_ms"),
    [
        ({}, 30 * 24 * 3600 * 1000),
        ({"file": _file(len(PICTURE), view_once=True)}, 24 * 3600 * 1000),
        ({"timer_s": 3600}, 3600 * 1000),
    ],
)
async def test_what_its_sender_wants_gone_earlier_goes_earlier(
    open_shop: OpenShop, fields: dict[str, Any], at_most_ms: int
) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE, **fields)
    [row] = await _fetched(shop)
    assert row.expires_ms - row.created_ms == at_most_ms


async def test_a_file_that_is_taken_back_is_deleted_at_once(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE)
    await _fetched(shop)
    await shop.says("budi", "", kind="revoke", quote="f1")
    await shop.running.media.tidy()
    assert _names(shop) == []


async def test_what_waits_to_be_sent_is_not_deleted_under_the_sender_s_hands(
    open_shop: OpenShop, store: Store
) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE)
    await _fetched(shop)
    shop.channel.online.clear()
    [row] = await shop.rows(inbox_rows, inbox_rows.c.message_id == "f1")
    await shop.write(lambda c: forward_media(c, shop.running.media.people, row.id))
    await age(store, media_rows, "expires_ms", by_ms=31 * 24 * 3600 * 1000)
    await shop.running.media.tidy()
    assert len(_names(shop)) == 1
    shop.channel.online.set()
    shop.running.outbox_worker.wake()
    await shop.settled()
    assert shop.channel.sent[-1].document is not None
    await shop.running.media.tidy()
    assert _names(shop) == []
    assert await shop.count(attachment_rows) == 0


async def test_the_bytes_of_what_was_sent_are_forgotten_in_time(open_shop: OpenShop, store: Store) -> None:
    from store.attachments import Document

    shop = await open_shop()
    await shop.says("budi", "makasih")
    file = Document(data=b"%PDF", filename="INV-7.pdf", mimetype="application/pdf")
    await shop.sends("budi", "", kind=Kind.DOCUMENT, document=file)
    await shop.running.media.tidy()
    assert await shop.count(attachment_rows, attachment_rows.c.data.is_not(None)) == 1
    await age(store, outbox_rows, "finished_ms", by_ms=31 * 24 * 3600 * 1000)
    await shop.running.media.tidy()
    assert await shop.count(attachment_rows) == 0


async def test_files_that_no_row_names_are_removed_after_a_while(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE)
    [row] = await _fetched(shop)
    long_ago = time.time() - ORPHAN_AFTER_S - 1
    for name in ("tersesat", "setengah.part", "baru"):
        (_folder(shop) / name).write_bytes(b"x")
    for name in ("tersesat", "setengah.part", row.path):
        os.utime(_folder(shop) / name, (long_ago, long_ago))
    shop.running.media._orphans_due = 0
    await shop.running.media.tidy()
    assert _names(shop) == sorted(["baru", row.path])


async def test_a_customer_who_is_deleted_meanwhile_leaves_no_file(open_shop: OpenShop) -> None:
    shop = await open_shop()
    arrived, began = asyncio.Event(), asyncio.Event()
    fetch = shop.channel.fetch

    async def slowly(event: Any) -> bytes:
        began.set()
        await arrived.wait()
        return await fetch(event)

    shop.channel.fetch = slowly  # type: ignore[method-assign]
    await _sends(shop, PICTURE, kind="audio")
    await asyncio.wait_for(began.wait(), WAIT_S)
    customer = await shop.customer("budi")
    await shop.write(lambda c: customers.forget(c, customer.id))
    arrived.set()
    async with asyncio.timeout(WAIT_S):
        while shop.running.media_worker.in_flight:  # noqa: ASYNC110 - the worker offers a count, no event
            await asyncio.sleep(0.01)
    assert _names(shop) == []
    assert await shop.count(media_rows) == 0
    assert await shop.count(forward_rows) == 0


async def test_two_addresses_of_one_customer_bring_their_files_together(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, PICTURE, chat="lid", message_id="f1", addresses=[["uji", "lid"]])
    await _sends(shop, PICTURE, chat="hp", message_id="f2", addresses=[["uji", "hp"]])
    await _fetched(shop, 2)
    await shop.says("hp", QUESTION, addresses=[["uji", "hp"], ["uji", "lid"]])
    owners = {row.customer_id for row in await shop.rows(media_rows)}
    assert owners == {(await shop.customer("lid")).id}


async def test_a_full_disk_is_tried_again_and_leaves_nothing_half(open_shop: OpenShop) -> None:
    shop = await open_shop()
    write, refusals = shop.running.media.files.write, [OSError(28, "No space left on device")]

    def sometimes(data: bytes) -> str:
        if refusals:
            raise refusals.pop()
        return write(data)

    shop.running.media.files.write = sometimes  # type: ignore[method-assign]
    await _sends(shop, PICTURE)
    [row] = await _fetched(shop)
    assert (row.state, row.attempts) == ("done", 2)
    assert _names(shop) == [row.path]


async def test_one_customer_cannot_fill_the_disk(open_shop: OpenShop) -> None:
    shop = await open_shop(MEDIA_MAX_MB="1")
    megabyte = 1024 * 1024
    for number in range(LARGE_FILES_A_DAY + 1):
        shop.channel.files[f"f{number}"] = PICTURE
        await shop.record("budi", "", kind="image", file=_file(megabyte), message_id=f"f{number}")
    await shop.settled()
    rows = await _fetched(shop, LARGE_FILES_A_DAY + 1)
    # What was stored counts by its real size, so a few more may follow.
    refused = [row for row in rows if row.error == stored.TOO_MANY]
    assert len(shop.channel.fetched) == len(rows) - len(refused)
    shop.channel.files["besar"] = PICTURE
    await age_of(shop, megabyte)
    await _sends(shop, PICTURE, message_id="besar", file=_file(megabyte))
    rows = await _fetched(shop, len(rows) + 1)
    assert rows[-1].error == stored.TOO_MANY
    assert (await _sends(shop, PICTURE, chat="siti", message_id="lain", file=_file(megabyte)))[0]
    rows = await _fetched(shop, len(rows) + 1)
    assert rows[-1].state == "done"


async def age_of(shop: TinyShop, size: int) -> None:
    """All files are as large as they said."""
    await shop.write(lambda c: c.execute(update(media_rows).values(stored_bytes=size)) and None)


async def test_while_the_disk_is_nearly_full_no_file_is_fetched(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.running.media.files.free_bytes = lambda: LEAST_FREE_BYTES - 1  # type: ignore[method-assign]
    await _sends(shop, PICTURE)
    async with asyncio.timeout(WAIT_S):
        while await shop.count(media_rows, media_rows.c.error.is_not(None)) == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    [row] = await shop.rows(media_rows)
    assert (row.state, row.error) == ("new", "Retry: the disk is nearly full")
    assert shop.channel.fetched == []


async def test_a_file_that_ends_the_process_each_time_is_left_alone(open_shop: OpenShop) -> None:
    shop = await open_shop()

    class Row:
        inbox_id, attempts, failures = 1, 3, 0

    with pytest.raises(Discard, match="again and again"):
        await shop.running.media.fetch(Row())  # type: ignore[arg-type]
    assert shop.channel.fetched == []


async def test_a_row_whose_message_is_gone_is_given_up(open_shop: OpenShop) -> None:
    shop = await open_shop()

    class Row:
        inbox_id, attempts, failures = 999_999, 1, 0

    with pytest.raises(Discard, match="message is gone"):
        await shop.running.media.fetch(Row())  # type: ignore[arg-type]


async def test_chats_whose_messages_disappear_are_answered_in_kind(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo", timer_s=86_400)
    await shop.says("siti", "halo", timer_s=0)
    timers = {message.chat: message.timer_s for message in shop.channel.sent}
    assert timers == {"budi": 86_400, "siti": 0}
    # A sign from the chat alone says it too, and the next start still knows.
    await shop.says("budi", "", kind="timer", timer_s=604_800)
    assert await Timers(account="utama", store=shop.store).of("budi") == 604_800
    await shop.says("budi", "makasih")
    assert shop.channel.sent[-1].timer_s == 604_800
    await shop.says("budi", "halo", timer_s=0)
    assert shop.channel.sent[-1].timer_s == 0
    assert await shop.count(timer_rows) == 0


async def test_a_late_answer_shows_which_message_it_answers(open_shop: OpenShop) -> None:
    shop = await open_shop()
    twenty_minutes_ago = int((time.time() - 20 * 60) * 1000)
    await shop.says("budi", "halo", message_id="b1", sent_ms=twenty_minutes_ago)
    sent = [message for message in shop.channel.sent if message.chat == "budi"][-1]
    assert "Maaf baru kebalas" in sent.body
    assert sent.quoted is not None
    assert (sent.quoted.message_id, sent.quoted.text) == ("b1", "halo")
    await shop.says("budi", "pagi", message_id="b2")
    assert shop.channel.sent[-1].quoted is None
