"""A person's answer that is a file: it reaches the customer, is in his history, and is learnt by nobody."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from bot.channel import FileGone
from bot.teaching import TEACHING
from store import attachments
from store.outbox import Kind
from store.schema import handoffs, outbox, turns, usage
from store.usage import WHOLE_SHOP
from tests.integration.tiny_shop import UNKNOWN, OpenShop, TinyShop

PICTURE = b"\xff\xd8\xff\xe0 foto"
JPEG = {"mimetype": "image/jpeg", "filename": "", "size_bytes": len(PICTURE)}


async def _asked(shop: TinyShop, chat: str = "budi") -> str:
    """A question that nobody knows; the id of the owner's notice."""
    await shop.says(chat, UNKNOWN)
    return shop.last_id(containing="Butuh jawaban")


async def _answers(
    shop: TinyShop,
    notice: str,
    *,
    kind: str = "image",
    text: str = "",
    file: dict[str, object] = JPEG,
    data: bytes | Exception = PICTURE,
) -> list[str]:
    message_id = f"berkas-{len(shop.channel.files)}"
    shop.channel.files[message_id] = data
    return await shop.says("owner", text, message_id=message_id, kind=kind, file=file, quote=notice)


async def test_a_picture_is_the_answer_with_its_caption_and_no_faq_entry(open_shop: OpenShop) -> None:
    shop = await open_shop()
    told = await _answers(shop, await _asked(shop), text="Yang merah ini Kak, 150rb")
    assert [text for text in told if "💡" in text] == []
    assert "Terkirim" in told[-1]
    sent = [message for message in shop.channel.sent if message.chat == "budi"][-1]
    assert (sent.kind, sent.body) == (Kind.IMAGE, "Yang merah ini Kak, 150rb")
    assert sent.document is not None
    assert (sent.document.data, sent.document.mimetype) == (PICTURE, "image/jpeg")
    [turn] = await shop.rows(turns, turns.c.author == "human")
    assert (turn.asked, turn.replied) == (UNKNOWN, "(foto) Yang merah ini Kak, 150rb")
    [handoff] = await shop.rows(handoffs)
    assert (handoff.state, handoff.learned) == ("answered", None)


@pytest.mark.parametrize(
    ("kind", "mimetype", "filename", "sent_as", "named", "shown"),
    [
        (
            "document",
            "application/pdf",
            "daftar harga.pdf",
            Kind.DOCUMENT,
            "daftar harga.pdf",
            "(berkas) ini",
        ),
        ("video", "video/mp4", "", Kind.DOCUMENT, "video.mp4", "(video) ini"),
        # What a phone does not show as a picture, or play as a voice note, is a file to open.
        ("image", "image/webp", "", Kind.DOCUMENT, "foto.webp", "(foto) ini"),
        ("audio", "audio/mpeg", "lagu.mp3", Kind.DOCUMENT, "lagu.mp3", "(voice note) ini"),
        ("audio", "audio/ogg", "", Kind.AUDIO, "voice note.oga", "(voice note) ini"),
        ("document", "rubbish", "a\nb\u202etxt.exe", Kind.DOCUMENT, "a btxt.exe", "(berkas) ini"),
    ],
)
async def test_each_kind_of_file_goes_out_as_a_phone_can_show_it(
    open_shop: OpenShop, kind: str, mimetype: str, filename: str, sent_as: Kind, named: str, shown: str
) -> None:
    shop = await open_shop()
    file: dict[str, object] = {"mimetype": mimetype, "filename": filename, "size_bytes": 8}
    await _answers(shop, await _asked(shop), kind=kind, text="ini", file=file)
    sent = [message for message in shop.channel.sent if message.chat == "budi"][-1]
    assert sent.kind is sent_as
    assert sent.body == ("" if sent_as is Kind.AUDIO else "ini")
    assert sent.document is not None
    assert sent.document.filename == named
    [turn] = await shop.rows(turns, turns.c.author == "human")
    assert turn.replied == shown


async def test_a_file_that_cannot_be_fetched_leaves_the_question_open(open_shop: OpenShop) -> None:
    shop = await open_shop(MEDIA_MAX_MB="1")
    notice = await _asked(shop)
    heard = len(shop.heard("budi"))
    [told] = await _answers(shop, notice, data=FileGone("expired"))
    assert "Belum kukirim ke pelanggan" in told
    assert "kirim ulang" in told
    [told] = await _answers(shop, notice, data=b"x" * (1024 * 1024 + 1))
    assert "terlalu besar" in told
    assert len(shop.heard("budi")) == heard
    [handoff] = await shop.rows(handoffs)
    assert handoff.state == "open"
    assert "Terkirim" in (await _answers(shop, notice))[-1]


@pytest.mark.parametrize("kind", ["sticker", "location", "contact", "poll", "other"])
async def test_what_is_no_file_to_pass_on_is_said_to_be_none(open_shop: OpenShop, kind: str) -> None:
    shop = await open_shop()
    notice = await _asked(shop)
    heard = len(shop.heard("budi"))
    assert await _answers(shop, notice, kind=kind) == [shop.wording.say("admin_hanya_teks")]
    assert len(shop.heard("budi")) == heard


async def test_a_second_admins_picture_comes_too_late_and_is_not_even_fetched(open_shop: OpenShop) -> None:
    shop = await open_shop()
    notice = await _asked(shop)
    await shop.owner("Ada Kak.", quote=notice)
    shop.channel.fetched.clear()
    [told] = await _answers(shop, notice)
    assert "sudah dijawab" in told
    assert shop.channel.fetched == []
    assert not [message for message in shop.channel.sent if message.kind is Kind.IMAGE]


async def test_the_picture_is_deleted_with_its_customer(open_shop: OpenShop) -> None:
    from store import customers

    shop = await open_shop()
    await _answers(shop, await _asked(shop))
    [row] = await shop.rows(outbox, outbox.c.kind == "image")
    assert await shop.store.read(lambda c: attachments.get(c, row.id)) is not None
    customer = await shop.customer("budi")
    await shop.write(lambda c: customers.forget(c, customer.id))
    assert await shop.store.read(lambda c: attachments.get(c, row.id)) is None


async def test_a_draft_is_not_replaced_by_a_picture(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="approve")
    await shop.says("budi", "bisa cod ga kak?")
    draft = shop.last_id(containing="Draf untuk")
    assert await _answers(shop, draft) == [shop.wording.say("admin_hanya_teks")]
    assert shop.heard("budi") == []


async def test_the_question_is_offered_for_everybody_and_the_owners_words_stay_his(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", "permisi kak, jual sepatu roda merah ukuran besar ga ya?", name="Budi")
    words = "Ada kak,  ukuran 42 - 46..\nyg merah tinggal dikit"
    await shop.owner(words, quote=shop.last_id(containing="Butuh jawaban"))
    assert shop.heard("budi")[-1] == words
    offer = next(text for text in shop.heard("owner") if "💡" in text)
    assert "*T:* Jual sepatu roda merah ukuran besar ga?\n" in offer
    assert f"*J:* {words}" in offer
    await shop.owner("ya")
    [entry] = json.loads((shop.settings.data_dir / "faq_belajar.json").read_text())
    assert (entry["question"], entry["answer"]) == ("Jual sepatu roda merah ukuran besar ga?", words)


@pytest.mark.parametrize("mode", ["500", "429", "reset", "garbage", "refusal"])
async def test_a_model_that_is_away_or_talks_rubbish_delays_no_answer_and_changes_no_question(
    open_shop: OpenShop, mode: str
) -> None:
    shop = await open_shop()
    notice = await _asked(shop)
    shop.stand_in.control(mode=mode, for_="chat")
    await shop.owner("Ada Kak.", quote=notice)
    assert shop.heard("budi")[-1] == "Ada Kak."
    assert f"*T:* {UNKNOWN}\n" in next(text for text in shop.heard("owner") if "💡" in text)


async def test_the_wording_is_paid_from_the_shops_day_and_not_asked_for_when_that_is_spent(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    notice = await _asked(shop)
    before = shop.model_asked()
    await shop.owner("Ada Kak.", quote=notice)
    assert shop.model_asked() == before + 1
    query = usage.select().where(usage.c.customer_id == TEACHING)
    [taught] = await shop.store.read(lambda c: list(c.execute(query)))
    assert (taught.reserved_idr, taught.answers) == (0, 1)
    assert taught.spent_idr > 0
    # The rest of the day's money is gone.
    notice = await _asked(shop, "siti")
    before = shop.model_asked()
    everything = update(usage).where(usage.c.customer_id == WHOLE_SHOP).values(spent_idr=10**9)
    await shop.write(lambda c: c.execute(everything) and None)
    await shop.owner("Ada Kak.", quote=notice)
    assert shop.heard("siti")[-1] == "Ada Kak."
    assert shop.model_asked() == before
    assert f"*T:* {UNKNOWN}\n" in [text for text in shop.heard("owner") if "💡" in text][-1]


async def test_words_instead_of_a_draft_are_offered_for_everybody_as_well(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="approve")
    await shop.says("budi", "halo kak bisa cod ga ya?")
    await shop.owner("Bisa Kak, se-Jawa Tengah.", quote=shop.last_id(containing="Draf untuk"))
    assert "Bisa Kak, se-Jawa Tengah." in shop.heard("budi")[-1]
    assert "*T:* Bisa cod ga?\n" in next(text for text in shop.heard("owner") if "💡" in text)
