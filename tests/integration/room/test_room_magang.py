"""Approve mode: thumbs, words in a draft's place, and the offer to go on alone."""

from __future__ import annotations

import json

import pytest

from bot import trust
from store.schema import turns
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, OpenShop, TinyShop

APPROVE = {"BALAS_MODE": "approve"}


async def _thumb(shop: TinyShop, emoji: str, notice: str) -> list[str]:
    return await shop.says("owner", emoji, kind="reaction", quote=notice)


async def _draft(shop: TinyShop, text: str = QUESTION) -> str:
    assert await shop.says("budi", text, name="Budi") == []
    return shop.last_id(containing="Draf")


@pytest.mark.parametrize("thumb", ["👍", "👍🏽", "👍️"])
async def test_a_thumb_up_sends_the_draft(open_shop: OpenShop, thumb: str) -> None:
    shop = await open_shop(**APPROVE)
    draft = await _draft(shop)
    assert await _thumb(shop, thumb, draft) == [shop.wording.say("admin_draf_terkirim")]
    assert shop.heard("budi")[0].startswith(COD)
    assert await _thumb(shop, thumb, draft) == [shop.wording.say("admin_draf_lewat")]
    assert len(shop.heard("budi")) == 1


async def test_a_thumb_down_drops_it_and_other_emojis_mean_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop(**APPROVE)
    draft = await _draft(shop)
    for emoji in ("😂", "❤️", ""):
        assert await _thumb(shop, emoji, draft) == []
    assert await _thumb(shop, "👎", draft) == [shop.wording.say("admin_draf_dibuang")]
    assert shop.heard("budi") == []


async def test_a_thumb_on_a_question_is_no_answer_to_the_customer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    before = shop.heard("budi")
    assert await _thumb(shop, "👍", shop.last_id()) == []
    assert shop.heard("budi") == before


async def test_words_in_a_drafts_place_are_sent_and_learnt_on_yes(open_shop: OpenShop) -> None:
    shop = await open_shop(**APPROVE)
    draft = await _draft(shop)
    told = await shop.owner("COD khusus Klaten kota ya Kak.", quote=draft)
    assert shop.heard("budi")[0].startswith("COD khusus Klaten kota ya Kak.")
    # First what became of the draft, then what else may be made of it.
    assert told[0] == shop.wording.say("admin_draf_terkirim")
    assert ["Kuingat untuk pelanggan lain" in text for text in told] == [False, True]
    assert await shop.owner("ya") == [shop.wording.say("admin_faq_tersimpan")]
    learnt = json.loads((shop.settings.data_dir / "faq_belajar.json").read_text())
    assert [(entry["question"], entry["answer"]) for entry in learnt] == [
        ("Bisa cod ga?", "COD khusus Klaten kota ya Kak.")
    ]
    # It was no question that nobody could answer, and *batal* takes the entry back.
    assert "COD" not in (await shop.owner("belajar"))[0]
    assert "FAQ" in (await shop.owner("batal"))[0]
    assert json.loads((shop.settings.data_dir / "faq_belajar.json").read_text()) == []


async def test_words_in_an_emojis_place_are_sent_as_words_and_an_approved_emoji_as_one(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop(**APPROVE)
    await _thumb(shop, "👍", await _draft(shop))
    await _thumb(shop, "👍", await _draft(shop, "makasih kak"))
    assert shop.heard("budi")[1:] == ["(🙏)"]
    await shop.owner("Sama-sama Kak, ditunggu ya.", quote=await _draft(shop, "oke makasih ya"))
    assert shop.heard("budi")[2:] == ["Sama-sama Kak, ditunggu ya."]
    [words] = [message for message in shop.channel.sent if message.body.startswith("Sama-sama")]
    assert words.quoted_id is None


async def test_after_enough_unchanged_approvals_the_bot_asks_to_go_on_alone(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "ENOUGH", 3)
    shop = await open_shop(**APPROVE)
    for _ in range(2):
        await _thumb(shop, "👍", await _draft(shop))
    # A changed one begins the count again.
    await shop.owner("Bisa Kak, khusus Klaten.", quote=await _draft(shop))
    for _ in range(3):
        assert not [text for text in shop.heard("owner") if "🎓" in text]
        await _thumb(shop, "👍", await _draft(shop))
    [offer] = [text for text in shop.heard("owner") if "🎓" in text]
    assert "tanya jawab (FAQ)" in offer
    assert await shop.owner("ya") == [shop.wording.say("admin_sendiri", jenis="tanya jawab (FAQ)")]
    assert await shop.says("budi", QUESTION, name="Budi") == [COD]
    assert (await shop.rows(turns))[-1].replied == COD
    # Another kind still asks.
    assert await shop.says("budi", "halo", name="Budi") == []
    # And so does a promise.
    assert await shop.says("budi", UNKNOWN, name="Budi") == []


async def test_the_bot_that_may_not_go_on_alone_goes_on_asking(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "ENOUGH", 2)
    shop = await open_shop(**APPROVE)
    for _ in range(2):
        await _thumb(shop, "👍", await _draft(shop))
    assert await shop.owner("tidak") == [shop.wording.say("admin_tetap_magang", jenis="tanya jawab (FAQ)")]
    assert await shop.says("budi", QUESTION, name="Budi") == []


def test_an_answer_that_rests_on_several_kinds_is_a_kind_of_its_own() -> None:
    assert trust.topic(()) == "sapaan"
    assert trust.topic(("faq:cod", "faq:jam")) == "faq"
    assert trust.topic(("katalog:IH20", "faq:cod")) == "faq+katalog"
    assert trust.topic(("panduan.md#2",)) == "dokumen"
    assert trust.name("faq+katalog") == "tanya jawab (FAQ) + harga dan barang"
