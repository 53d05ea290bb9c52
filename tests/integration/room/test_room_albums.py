"""Several pictures as one answer: each reaches the customer, and a picture that is none of them does not."""

from __future__ import annotations

import itertools

import pytest

from bot.channel import FileGone
from store.outbox import Kind
from store.schema import handoffs, inbox, orders, turns
from tests.integration.tiny_shop import UNKNOWN, OpenShop, TinyShop

_NUMBERS = itertools.count(1)
BANK = 'nama = "Toko Uji"\n[[rekening]]\nbank = "BCA"\nnomor = "4570112233"\natas_nama = "Toko Uji"\n'


async def _asked(shop: TinyShop, chat: str = "budi") -> str:
    await shop.says(chat, UNKNOWN)
    return shop.last_id(containing="Butuh jawaban")


async def _sends(
    shop: TinyShop,
    *,
    kind: str = "image",
    quote: str | None = None,
    text: str = "",
    data: bytes | Exception | None = None,
) -> list[str]:
    """An admin sends a file; what is said in the room. Each picture has other bytes."""
    number = next(_NUMBERS)
    name = f"album-{number}"
    shop.channel.files[name] = b"\xff\xd8\xff\xe0 %d" % number if data is None else data
    mimetype = {"image": "image/jpeg", "video": "video/mp4", "document": "application/pdf"}.get(kind, "")
    file = {"mimetype": mimetype, "filename": "", "size_bytes": 8}
    fields = {"quote": quote} if quote is not None else {}
    return await shop.says("owner", text, message_id=name, kind=kind, file=file, **fields)


def _files(shop: TinyShop, chat: str = "budi") -> list[tuple[Kind, str]]:
    return [(m.kind, m.body) for m in shop.channel.sent if m.chat == chat and m.document is not None]


@pytest.mark.parametrize("each_quotes", [True, False])
async def test_every_picture_of_an_album_reaches_the_customer(open_shop: OpenShop, each_quotes: bool) -> None:
    shop = await open_shop()
    notice = await _asked(shop)
    again = notice if each_quotes else None
    told = await _sends(shop, quote=notice, text="Ini pilihannya Kak")
    told += await _sends(shop, quote=again)
    told += await _sends(shop, quote=again, kind="video", text="yang ini videonya")
    assert told == [shop.wording.say("admin_terkirim", nama="pelanggan 1")] * 3
    assert _files(shop) == [
        (Kind.IMAGE, "Ini pilihannya Kak"),
        (Kind.IMAGE, ""),
        (Kind.DOCUMENT, "yang ini videonya"),
    ]
    assert len({m.document.data for m in shop.channel.sent if m.document is not None}) == 3
    said = await shop.rows(turns, turns.c.author == "human")
    assert [(turn.asked, turn.replied) for turn in said] == [
        (UNKNOWN, "(foto) Ini pilihannya Kak"),
        ("", "(foto)"),
        ("", "(video) yang ini videonya"),
    ]
    [handoff] = await shop.rows(handoffs)
    assert (handoff.state, handoff.answer) == ("answered", "(foto) Ini pilihannya Kak")
    # What he sent about a customer goes with him when he is deleted.
    budi = await shop.customer("budi")
    assert await shop.count(inbox, inbox.c.chat == "owner", inbox.c.customer_id == budi.id) == 3


async def test_an_album_that_quotes_as_a_whole_is_the_answer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    notice = await _asked(shop)
    assert await shop.says("owner", "", kind="album", quote=notice) == []
    told = await _sends(shop, text="Ini Kak") + await _sends(shop)
    assert told == [shop.wording.say("admin_terkirim", nama="pelanggan 1")] * 2
    assert _files(shop) == [(Kind.IMAGE, "Ini Kak"), (Kind.IMAGE, "")]


async def test_an_album_behind_a_draft_is_said_to_be_no_answer(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="approve")
    await shop.says("budi", "bisa cod ga kak?")
    draft = shop.last_id(containing="Draf untuk")
    assert await shop.says("owner", "", kind="album", quote=draft) == [shop.wording.say("admin_hanya_teks")]
    assert await _sends(shop) == []
    assert shop.heard("budi") == []


async def test_a_picture_behind_words_belongs_to_no_album(open_shop: OpenShop) -> None:
    shop = await open_shop()
    notice = await _asked(shop)
    await shop.owner("Ada Kak.", quote=notice)
    assert await _sends(shop) == []
    assert "sudah dijawab" in (await _sends(shop, quote=notice))[0]
    assert _files(shop) == []


async def test_each_album_goes_to_the_customer_whose_notice_it_began_with(open_shop: OpenShop) -> None:
    shop = await open_shop()
    first, second = await _asked(shop, "budi"), await _asked(shop, "siti")
    await _sends(shop, quote=first)
    await _sends(shop, quote=second)
    await _sends(shop)
    assert (len(_files(shop, "budi")), len(_files(shop, "siti"))) == (1, 2)


async def test_a_document_that_quotes_nothing_is_a_file_for_the_shop(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await _sends(shop, quote=await _asked(shop))
    [told] = await _sends(shop, kind="document")
    assert "tidak kupakai" in told
    assert len(_files(shop)) == 1


async def test_a_picture_of_an_album_that_cannot_be_fetched_is_said_to_be_missing(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await _sends(shop, quote=await _asked(shop))
    [told] = await _sends(shop, data=FileGone("expired"))
    assert "Belum kukirim ke pelanggan" in told
    assert len(_files(shop)) == 1


async def test_the_next_picture_of_a_parcel_goes_out_and_confirms_no_transfer(open_shop: OpenShop) -> None:
    shop = await open_shop(
        files={"toko.toml": BANK, "katalog.csv": "kode,nama,harga\nVH1,Voucher Harian,5000\n"}
    )
    await shop.says("budi", "mau pesan VH1 1")
    await shop.says("budi", "ya")
    await shop.says("budi", "sudah transfer kak")
    notice = shop.last_id(containing="Cek transfer")
    await _sends(shop, quote=notice, text="Paketnya sudah siap Kak")
    await _sends(shop, text="dari sisi lain")
    assert _files(shop) == [(Kind.IMAGE, "Paketnya sudah siap Kak"), (Kind.IMAGE, "dari sisi lain")]
    # Money goes by a quoted notice alone.
    assert "*status*" in (await _sends(shop, text="lunas"))[0]
    assert len(_files(shop)) == 2
    assert await shop.count(orders, orders.c.paid_ms.is_not(None)) == 0


async def test_what_follows_a_picture_of_the_banks_page_goes_to_nobody(open_shop: OpenShop) -> None:
    shop = await open_shop(
        files={"toko.toml": BANK, "katalog.csv": "kode,nama,harga\nVH1,Voucher Harian,5000\n"}
    )
    await shop.says("budi", "mau pesan VH1 1")
    await shop.says("budi", "ya")
    await shop.says("budi", "sudah transfer kak")
    await _sends(shop, quote=shop.last_id(containing="Cek transfer"), text="lunas")
    assert await shop.count(orders, orders.c.paid_ms.is_not(None)) == 1
    sent = _files(shop)
    assert await _sends(shop) == []
    assert _files(shop) == sent
    assert Kind.IMAGE not in [kind for kind, _ in sent]
