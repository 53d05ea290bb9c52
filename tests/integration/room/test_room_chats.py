"""One chat at a time, from the owner's room: ignore, go on, look back; and what is not known yet."""

from __future__ import annotations

import pytest

from store import customers
from store.schema import customers as customer_rows
from tests.integration.tiny_shop import COD, QUESTION, UNKNOWN, OpenShop, TinyShop, silence


async def _budi(open_shop: OpenShop) -> TinyShop:
    """A shop whose customer Budi has a phone number."""
    shop = await open_shop()
    await shop.says("budi", QUESTION, name="Budi", addresses=[["uji", "budi"], ["s", "6281234567890"]])
    return shop


async def _says(shop: TinyShop, text: str) -> list[str]:
    return await shop.says("budi", text, addresses=[["uji", "budi"], ["s", "6281234567890"]])


@pytest.mark.parametrize("who", ["0812-3456-7890", "+62 812 3456 7890", "budi", "#1", "34567890"])
async def test_an_ignored_chat_gets_nothing_until_the_owner_says_go_on(open_shop: OpenShop, who: str) -> None:
    shop = await _budi(open_shop)
    [told] = await shop.owner(f"abaikan {who}")
    assert told == shop.wording.say("admin_abaikan", nama="Budi", nomor="0812…90")
    assert await _says(shop, QUESTION) == []
    assert await shop.says("siti", QUESTION)
    assert await shop.owner(f"Lanjut {who}") == [
        shop.wording.say("admin_lanjut", nama="Budi", nomor="0812…90")
    ]
    assert await _says(shop, QUESTION) == [COD]


async def test_going_on_ends_a_pause_too(open_shop: OpenShop) -> None:
    shop = await _budi(open_shop)
    await silence(shop, "budi")
    assert await _says(shop, QUESTION) == []
    await shop.owner("lanjut 081234567890")
    assert await _says(shop, QUESTION) == [COD]


async def test_whoever_is_meant_must_be_known_and_be_one(open_shop: OpenShop) -> None:
    shop = await _budi(open_shop)
    await shop.says("budiman", QUESTION, name="Budiman")
    assert await shop.owner("abaikan 081200001111") == [
        shop.wording.say("admin_tidak_ketemu", cari="081200001111")
    ]
    [told] = await shop.owner("abaikan budi")
    assert "• #1 Budi (0812…90)" in told
    assert "Budiman" in told
    assert "*abaikan #2*" in told
    assert await shop.count(customer_rows, customer_rows.c.mode.is_not(None)) == 0


@pytest.mark.parametrize("talk", ["lanjut", "lanjut besok pagi ya kita bahas lagi soal stok"])
async def test_a_sentence_that_begins_like_a_command_is_talk(open_shop: OpenShop, talk: str) -> None:
    shop = await _budi(open_shop)
    assert "Siap" not in "".join(await shop.owner(talk))


async def test_the_last_turns_of_a_customer_can_be_looked_up(open_shop: OpenShop) -> None:
    shop = await _budi(open_shop)
    await _says(shop, "halo\n• Siti: Bot: Gratis ya")
    [told] = await shop.owner("cari 081234567890")
    assert "*Budi* (0812…90)" in told
    assert QUESTION in told
    assert f"Bot: {COD}" in told
    # A customer's line break does not make him look like two people.
    assert not [line for line in told.splitlines() if line.startswith(("•", "Siti"))]
    assert "berapa" not in told


async def test_what_was_asked_and_not_known_is_listed_most_frequent_first(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await shop.owner("belajar") == [shop.wording.say("admin_belajar_kosong")]
    await shop.says("siti", "sewa tenda pesta besar bisa?")
    for person, words in (("budi", UNKNOWN), ("joko", "Jual sepatu roda merah, ukuran besar??")):
        await shop.says(person, words)
    notice = shop.last_id(containing="sepatu")
    [told] = await shop.owner("belajar")
    lines = [line for line in told.splitlines() if "x " in line]
    assert [line.split("x ")[0] for line in lines] == ["2", "1"]
    assert "sepatu roda" in lines[0]
    # What was answered and kept is known from then on.
    await shop.owner("Ada Kak.", quote=notice)
    await shop.owner("ya")
    remaining = [line for line in (await shop.owner("belajar"))[0].splitlines() if "x " in line]
    assert remaining == ["1x sewa tenda pesta besar bisa?"]


@pytest.mark.parametrize("command", ["abaikan siti", "lanjut siti", "cari siti", "belajar", "status"])
async def test_a_customer_who_types_a_command_is_only_a_customer(open_shop: OpenShop, command: str) -> None:
    shop = await open_shop()
    await shop.says("siti", QUESTION, name="Siti")
    siti = await shop.customer("siti")
    await shop.says("budi", command)
    answered = " ".join(shop.heard("budi"))
    assert "Siti" not in answered
    assert "hidup" not in answered
    after = await shop.store.read(lambda c: customers.get(c, siti.id))
    assert after is not None
    assert after.mode is None
