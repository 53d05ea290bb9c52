"""Money that the owner sees in the bank first: he says so, the order is read back, and *ya* marks it paid."""

from __future__ import annotations

import pytest

from store import orders as order_store
from store import rooms
from store.orders import Method, Order, State
from store.schema import handoffs as handoff_rows
from store.schema import invoices as invoice_rows
from store.schema import orders
from tests.integration.test_selling import FILES
from tests.integration.tiny_shop import QUESTION, UNKNOWN, OpenShop, TinyShop


async def _opened(open_shop: OpenShop, **keys: str) -> TinyShop:
    shop = await open_shop(files=FILES, **keys)
    # The payment's own notice goes to the room that a running bot names to the payment process.
    await shop.write(lambda c: rooms.announce(c, shop.running.room))
    return shop


async def _ordered(shop: TinyShop, chat: str = "budi", *, name: str = "Budi") -> str:
    """The customer chose the bank, and has said nothing since; the order's number."""
    await shop.says(chat, "pesan ih20", name=name)
    await shop.says(chat, "ya")
    found = await shop.store.read(lambda c: order_store.unpaid(c, "utama"))
    assert found[-1].state is State.WAITING_CONFIRMATION
    return found[-1].id


async def _order(shop: TinyShop, order_id: str) -> Order:
    found = await shop.store.read(lambda c: order_store.get(c, order_id))
    assert found is not None
    return found


async def test_by_the_orders_number_it_is_read_back_and_paid_on_a_quoted_yes(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    [question] = await shop.owner(f"lunas {order_id.lower()}")
    assert question == (
        f"🏦 *Tandai lunas Rp250.000?* Budi (pelanggan 1)\nPesanan {order_id}: 1x Paket 20 Mbps\n"
        "Kalau uangnya sudah masuk di rekening, geser dan balas *ya*. Kalau belum, balas *tidak*."
    )
    assert (await _order(shop, order_id)).state is State.WAITING_CONFIRMATION
    assert await shop.count(invoice_rows) == 0
    [notice] = await shop.owner("ya", quote=shop.last_id(containing="Tandai lunas"))
    assert notice.startswith("💰 *Lunas Rp250.000*: Budi")
    paid = await _order(shop, order_id)
    assert (paid.state, paid.paid_by, paid.method) == (State.PAID, "owner", Method.TRANSFER)
    assert await shop.count(invoice_rows) == 1
    assert "Pembayaran Rp250.000 sudah masuk" in shop.heard("budi")[-2]


async def test_a_second_yes_makes_no_second_invoice(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    await shop.owner(f"lunas {order_id}")
    await shop.owner(f"lunas {order_id}")
    for question in [f"uji-{m.row_id}" for m in shop.channel.sent if "Tandai lunas" in m.body]:
        await shop.owner("ya", quote=question)
        await shop.owner("lunas", quote=question)
    assert await shop.count(invoice_rows) == 1
    assert (await shop.owner(f"lunas {order_id}"))[0].startswith(f"Pesanan {order_id} tidak kuubah.")


@pytest.mark.parametrize("word", ["sudah lunas", "Uangnya sudah masuk kak"])
@pytest.mark.parametrize("about", ["Butuh jawaban", "Draf", "Terkirim"])
async def test_quoting_anything_about_the_customer_reads_his_order_back(
    open_shop: OpenShop, about: str, word: str
) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    # Somebody else's order is none of his.
    await _ordered(shop, "siti", name="Siti")
    if about == "Draf":
        await shop.owner("magang")
        await shop.says("budi", QUESTION)
    else:
        await shop.says("budi", UNKNOWN)
    if about == "Terkirim":
        await shop.owner("Ada Kak", quote=shop.last_id(containing="Butuh jawaban"))
    heard = shop.heard("budi")
    [question] = await shop.owner(word, quote=shop.last_id(containing=about))
    assert question.startswith("🏦 *Tandai lunas Rp250.000?* Budi (pelanggan 1)")
    assert f"Pesanan {order_id}:" in question
    # The word is the shop's own; the customer reads nothing before it is decided.
    assert shop.heard("budi") == heard
    await shop.owner("lunas", quote=shop.last_id(containing="Tandai lunas"))
    assert (await _order(shop, order_id)).state is State.PAID


async def test_of_several_orders_of_the_customer_the_number_says_which(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    first = await _ordered(shop)
    second = await _ordered(shop)
    assert first != second
    await shop.says("budi", UNKNOWN)
    [asked] = await shop.owner("lunas", quote=shop.last_id(containing="Butuh jawaban"))
    assert asked.startswith("Ada beberapa pesanan yang menunggu transfer:")
    assert first in asked
    assert second in asked
    assert asked.endswith(f"Ketik misalnya *lunas {first}*.")
    await shop.owner(f"lunas {second}")
    await shop.owner("ya", quote=shop.last_id(containing="Tandai lunas"))
    assert (await _order(shop, second)).state is State.PAID
    assert (await _order(shop, first)).state is State.WAITING_CONFIRMATION


async def test_the_word_alone_and_a_name_find_the_order_too(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    assert await shop.owner("lunas") == [shop.wording.say("admin_lunas_kosong")]
    order_id = await _ordered(shop)
    await shop.says("siti", "halo", name="Siti")
    for words in ("lunas", "Lunas ya", "lunas budi", "lunas #1"):
        questions = await shop.owner(words)
        assert len(questions) == 1, (words, questions)
        [question] = questions
        assert f"Pesanan {order_id}:" in question
    [nothing] = await shop.owner("lunas siti")
    assert nothing == "Siti (pelanggan 2) tidak punya pesanan yang menunggu transfer."
    await _ordered(shop, "siti", name="Siti")
    assert "Ada beberapa pesanan" in (await shop.owner("lunas"))[0]
    assert await shop.count(invoice_rows) == 0


async def test_no_other_word_than_a_quoted_yes_marks_it_paid_or_reaches_the_customer(
    open_shop: OpenShop,
) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    await shop.owner(f"lunas {order_id}")
    question = shop.last_id(containing="Tandai lunas")
    heard = shop.heard("budi")
    assert await shop.owner("ya") == [shop.wording.say("admin_lunas_geser")]
    for words in ("ok", "ya?", "lunas?", "oke nanti kucek", "simpan", "tolong cek lagi"):
        assert await shop.owner(words, quote=question) == [shop.wording.say("admin_lunas_jawab")]
    shop.channel.files["foto"] = b"\xff\xd8\xff\xe0"
    file = {"mimetype": "image/jpeg", "filename": "", "size_bytes": 4}
    await shop.says("owner", "lunas", message_id="foto", kind="image", file=file, quote=question)
    await shop.says("owner", "👍", kind="reaction", quote=question)
    no = shop.wording.say("admin_lunas_batal", pesanan=order_id)
    assert await shop.owner("tidak", quote=question) == [no]
    assert (await _order(shop, order_id)).state is State.WAITING_CONFIRMATION
    assert await shop.count(invoice_rows) == 0
    assert shop.heard("budi") == heard


async def test_an_order_that_was_called_off_after_it_was_read_back_is_not_paid(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    await shop.owner(f"lunas {order_id}")
    question = shop.last_id(containing="Tandai lunas")
    await shop.says("budi", "batal pesanan")
    [told] = await shop.owner("ya", quote=question)
    assert told.startswith(f"Pesanan {order_id} tidak kuubah. Sekarang: Sudah dibatalkan")
    assert (await _order(shop, order_id)).state is State.CANCELLED
    assert await shop.count(invoice_rows) == 0


async def test_money_that_came_after_the_time_was_over_can_still_be_confirmed(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    await shop.write(
        lambda c: order_store.move(c, order_id, was=State.WAITING_CONFIRMATION, to=State.EXPIRED)
    )
    await shop.says("budi", UNKNOWN)
    await shop.owner("lunas", quote=shop.last_id(containing="Butuh jawaban"))
    await shop.owner("ya", quote=shop.last_id(containing="Tandai lunas"))
    assert (await _order(shop, order_id)).state is State.PAID


async def test_an_order_that_waits_for_midtrans_is_nobodys_to_mark(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    await shop.write(
        lambda c: order_store.move(
            c, order_id, was=State.WAITING_CONFIRMATION, to=State.PENDING, method=Method.MIDTRANS.value
        )
    )
    await shop.says("budi", UNKNOWN)
    heard = shop.heard("budi")
    for told in (
        await shop.owner("lunas", quote=shop.last_id(containing="Butuh jawaban")),
        await shop.owner(f"lunas {order_id}"),
    ):
        assert told[0].startswith(f"Pesanan {order_id} tidak kuubah. Sekarang: Menunggu pembayaran")
    assert shop.heard("budi") == heard
    assert await shop.count(invoice_rows) == 0


async def test_the_word_is_an_answer_like_any_other_where_its_customer_owes_nothing(
    open_shop: OpenShop,
) -> None:
    shop = await _opened(open_shop)
    await _ordered(shop, "siti", name="Siti")
    await shop.says("budi", UNKNOWN, name="Budi")
    told = await shop.owner("lunas", quote=shop.last_id(containing="Butuh jawaban"))
    assert told[0] == "✅ Terkirim ke Budi."
    assert shop.heard("budi")[-1] == "lunas"
    assert await shop.count(handoff_rows, handoff_rows.c.state == "open") == 0
    assert await shop.count(orders, orders.c.state == "paid") == 0


async def test_a_number_that_is_no_orders_and_talk_about_money_change_nothing(open_shop: OpenShop) -> None:
    shop = await _opened(open_shop)
    await _ordered(shop)
    [unknown] = await shop.owner("lunas B000000000")
    assert unknown == shop.wording.say("admin_lunas_tidak_ada", pesanan="B000000000")
    assert await shop.owner("lunas semua utang kita ke supplier kain kemarin ya") == []
    assert await shop.count(invoice_rows) == 0
    # Goods come in, too.
    assert await shop.owner("sudah masuk") == [shop.running.owners_room.list_of_commands()]


async def test_behind_the_orders_own_notice_money_that_came_in_is_read_back_before_it_is_paid(
    open_shop: OpenShop,
) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop)
    await shop.says("budi", "sudah transfer")
    heard = shop.heard("budi")
    [question] = await shop.owner("sudah masuk", quote=shop.last_id(containing="Cek transfer"))
    assert question.startswith("🏦 *Tandai lunas Rp250.000?*")
    assert shop.heard("budi") == heard
    await shop.owner("sudah masuk", quote=shop.last_id(containing="Tandai lunas"))
    assert (await _order(shop, order_id)).state is State.PAID
    assert await shop.count(handoff_rows, handoff_rows.c.finished_ms.is_(None)) == 0


@pytest.mark.parametrize("about", ["Butuh jawaban", "Cek transfer", "Tandai lunas"])
async def test_a_named_order_is_the_one_that_is_read_back_whatever_notice_is_quoted(
    open_shop: OpenShop, about: str
) -> None:
    shop = await _opened(open_shop)
    order_id = await _ordered(shop, "siti", name="Siti")
    await _ordered(shop)
    await shop.says("budi", UNKNOWN)
    await shop.says("budi", "sudah transfer")
    await shop.owner("lunas budi")
    heard = shop.heard("budi")
    [question] = await shop.owner(f"lunas {order_id}", quote=shop.last_id(containing=about))
    assert question.startswith("🏦 *Tandai lunas Rp250.000?* Siti")
    assert shop.heard("budi") == heard
    assert await shop.count(invoice_rows) == 0
    # More than that word is for the customer to read.
    await shop.owner(f"pesanan {order_id} lunas kemarin", quote=shop.last_id(containing="Butuh jawaban"))
    assert shop.heard("budi")[-1] == f"pesanan {order_id} lunas kemarin"
