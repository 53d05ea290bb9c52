"""Frequent questions from before the pairing: asked for, offered, saved one by one or all at once."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot import pasttalk
from bot.pasttalk import Consent, PastTalk
from rag.frequent import Exchange
from store import customers, meta, past_chats
from store.customers import Address
from store.past_chats import PastChat
from store.schema import notices, past_questions
from tests.integration.tiny_shop import OpenShop, TinyShop, age

TALK = [
    ("a", "halo kak garansi router berapa lama?", "Setahun Kak, dari tanggal beli"),
    ("b", "garansi router brp lama ya", "Setahun Kak, dari tanggal beli"),
    ("a", "bisa pasang di Solo?", "Bisa Kak, Solo Raya"),
    ("b", "pasang di solo bisa gak", "Bisa Kak, Solo Raya"),
    ("c", "bisa pasang di solo min", "Bisa Kak, Solo Raya"),
    # The shop's FAQ knows this one.
    ("a", "bisa cod?", "Bisa Kak"),
    ("b", "bisa cod kak", "Bisa Kak"),
]


class Kept:
    """The words of old chats, without a phone that told them."""

    def __init__(self) -> None:
        self.there = True
        self.days: list[int] = []

    def exchanges(self) -> list[Exchange]:
        return [
            Exchange(chat=f"62{chat}", asked=asked, replied=replied, asked_ms=number)
            for number, (chat, asked, replied) in enumerate(TALK)
        ]

    def forget(self, days: int) -> int:
        self.days.append(days)
        self.there = self.there and days > 0
        return 0


async def told(shop: TinyShop, kept: Kept, *, days: int = 30) -> PastTalk:
    """The phone has told of three chats, and is silent since."""
    # The shop looks by itself every few seconds, into a folder of its own that is empty.
    [own] = [task for task in shop.tasks if task.get_name() == "past talk"]
    own.cancel()
    found = [
        PastChat(chat=f"62{chat}", addresses=(Address("uji", f"62{chat}"),), last_ms=1, waiting=False)
        for chat in "abc"
    ]
    await shop.write(partial(past_chats.note, account="utama", found=found))
    await age(shop.store, past_chats.past_chats, "told_ms", by_ms=past_chats.QUIET_MS + 1_000)
    return PastTalk(
        store=shop.store,
        people=shop.running.people,
        memory=shop.running.memory,
        days=days,
        has_words=lambda: kept.there,
        exchanges=kept.exchanges,
        forget=kept.forget,
    )


async def look(shop: TinyShop, talk: PastTalk) -> list[str]:
    """What the room reads of one look."""
    before = len(shop.heard("owner"))
    await talk.look()
    shop.running.outbox_worker.wake()
    await shop.settled()
    return shop.heard("owner")[before:]


async def offered(open_shop: OpenShop) -> tuple[TinyShop, list[str]]:
    shop = await open_shop()
    talk = await told(shop, Kept())
    [asked] = await look(shop, talk)
    assert "Boleh kubaca chat lama?" in asked
    assert "30 hari" in asked
    assert await shop.owner("ya") == [shop.wording.say("admin_riwayat_cari")]
    return shop, await look(shop, talk)


def learnt(shop: TinyShop) -> list[dict[str, Any]]:
    path: Path = shop.settings.data_dir / "faq_belajar.json"
    return list(json.loads(path.read_text())) if path.exists() else []


async def test_after_one_yes_the_frequent_questions_are_offered_and_what_the_faq_knows_is_not(
    open_shop: OpenShop,
) -> None:
    shop, said = await offered(open_shop)
    assert len(said) == 3
    assert "1/2*, ditanya 3 pelanggan" in said[0]
    assert "*T:* Bisa pasang di solo?\n*J:* Bisa Kak, Solo Raya" in said[0]
    assert "*T:* Garansi router brp lama?\n*J:* Setahun Kak, dari tanggal beli" in said[1]
    assert "ya semua" in said[2]
    # Nothing is stored before a word of his, and a bare yes means nothing that was not quoted.
    assert learnt(shop) == []


async def test_each_is_saved_by_quoting_it_and_taken_back_by_cancel(open_shop: OpenShop) -> None:
    shop, _ = await offered(open_shop)
    quoted = shop.last_id(containing="Setahun")
    assert await shop.owner("ya", quote=quoted) == [shop.wording.say("admin_faq_tersimpan")]
    assert await shop.owner("ya", quote=quoted) == []
    [entry] = learnt(shop)
    assert (entry["question"], entry["answer"]) == (
        "Garansi router brp lama?",
        "Setahun Kak, dari tanggal beli",
    )
    assert await shop.owner("tidak", quote=shop.last_id(containing="Solo Raya")) == [
        shop.wording.say("admin_faq_batal")
    ]
    await shop.owner("batal")
    assert learnt(shop) == []


async def test_yes_to_all_saves_what_is_still_open_at_once_and_cancel_takes_all_of_it_back(
    open_shop: OpenShop,
) -> None:
    shop, _ = await offered(open_shop)
    assert await shop.owner("Ya semua!") == [shop.wording.say("admin_riwayat_tersimpan", jumlah=2)]
    assert [entry["answer"] for entry in learnt(shop)] == [
        "Bisa Kak, Solo Raya",
        "Setahun Kak, dari tanggal beli",
    ]
    # Said again there is nothing left to save: it is a command like any that nobody knows.
    assert await shop.owner("ya semua") == [shop.running.owners_room.list_of_commands()]
    assert "seperti semula" in (await shop.owner("batal"))[0]
    assert learnt(shop) == []


async def test_a_thumb_on_one_saves_it(open_shop: OpenShop) -> None:
    shop, _ = await offered(open_shop)
    await shop.says("owner", "👍", kind="reaction", quote=shop.last_id(containing="Solo Raya"))
    assert [entry["answer"] for entry in learnt(shop)] == ["Bisa Kak, Solo Raya"]


async def test_a_file_that_cannot_be_written_leaves_all_of_them_open(open_shop: OpenShop) -> None:
    shop, _ = await offered(open_shop)
    (shop.settings.data_dir / "faq_belajar.json").write_text("{", encoding="utf-8")
    [told_] = await shop.owner("ya semua")
    assert "faq_belajar.json" in told_
    assert {row.state for row in await shop.rows(past_questions)} == {"offered"}


async def test_no_deletes_the_words_and_nobody_asks_again(open_shop: OpenShop) -> None:
    shop, kept = await open_shop(), Kept()
    talk = await told(shop, kept)
    await look(shop, talk)
    assert await shop.owner("tidak") == [shop.wording.say("admin_riwayat_dihapus")]
    assert await look(shop, talk) == []
    assert kept.days == [0]
    assert await look(shop, talk) == []
    # What the phone tells later goes as well.
    kept.there = True
    await talk.look()
    assert kept.days == [0, 0]


async def test_no_word_for_three_days_is_no(open_shop: OpenShop) -> None:
    shop, kept = await open_shop(), Kept()
    talk = await told(shop, kept)
    await look(shop, talk)
    asked = shop.last_id(containing="Boleh kubaca")
    assert await look(shop, talk) == []
    long_ago = time.time() - pasttalk.ASKED_FOR_S - 60
    await shop.write(lambda c: pasttalk.answer(c, "utama", Consent.ASKED, since=long_ago))
    await look(shop, talk)
    await look(shop, talk)
    assert kept.days == [0]
    assert await shop.owner("ya", quote=asked) == []
    assert await look(shop, talk) == []


@pytest.mark.parametrize("days", [0, 30])
async def test_nobody_is_asked_where_nothing_is_kept(open_shop: OpenShop, days: int) -> None:
    shop, kept = await open_shop(), Kept()
    kept.there = False
    talk = await told(shop, kept, days=days)
    assert await look(shop, talk) == []
    kept.there = True
    assert await look(shop, talk) == []


async def test_a_customer_who_is_deleted_takes_his_question_with_him(open_shop: OpenShop) -> None:
    shop, _ = await offered(open_shop)
    rows = await shop.rows(past_questions)
    await shop.write(lambda c: customers.forget(c, rows[0].customer_id))
    left = await shop.rows(past_questions)
    assert [row.id for row in left] == [row.id for row in rows if row.customer_id != rows[0].customer_id]
    assert await shop.count(notices, notices.c.customer_id == rows[0].customer_id) == 0
    assert "yes" not in (await shop.store.read(lambda c: meta.get(c, "past_talk:utama")) or "")


async def test_where_nothing_was_asked_often_that_is_said(open_shop: OpenShop, monkeypatch: Any) -> None:
    shop = await open_shop()
    talk = await told(shop, Kept())
    monkeypatch.setattr(f"{__name__}.TALK", TALK[:1])
    await look(shop, talk)
    await shop.owner("ya")
    assert await look(shop, talk) == [shop.wording.say("admin_riwayat_kosong")]
