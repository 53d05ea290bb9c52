"""Whole sales over each database: choose, hear it read back, say yes, answer, pay; and bad input."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from billing.live import Goods, LiveGoods
from bot import chores
from bot.people import People
from bot.selling import shop as selling_shop
from bot.selling.cashier import Money
from bot.selling.sayings import Link
from config.shop import Shop
from store import orders as order_store
from store import rooms
from store.doors import Store
from store.orders import Line, LineKind, State
from store.schema import handoffs as handoff_rows
from store.schema import invoices as invoice_rows
from store.schema import order_lines, orders, proposals, turns
from store.worker import Retry
from tests.integration.tiny_shop import QUESTION, OpenShop, TinyShop, age

BANK = """
[[rekening]]
bank = "BCA"
nomor = "4570112233"
atas_nama = "Toko Uji"
"""
SHOP = f'nama = "Toko Uji"\n{BANK}'
CATALOGUE = """kode,nama,harga,satuan,stok,aktif,perlu,setelah_bayar
IH20,Paket 20 Mbps,250000,bulan,,ya,,Jadwal pasang dikabari di sini ya Kak.
RT1,Router Archer,399000,unit,3,ya,"nama penerima, alamat kirim",Pesanan disiapkan.
LAN,Kabel LAN,95000,roll,14,ya,"nama penerima, alamat kirim",
MATI,Barang lama,1000,,,tidak,,
HABIS,Router Tenda,445000,unit,habis,ya,,
"""
RATES = "daerah,ongkir,gratis_mulai\nKlaten,10000,300000\nSolo,18000,\n"
FILES = {"toko.toml": SHOP, "katalog.csv": CATALOGUE, "ongkir.csv": RATES}
URL = "https://midtrans.uji/snap/abc"


@dataclass
class FakeCashier:
    """A payment provider in the test's hand; what it is asked is kept."""

    money: Money = Money.NOT_YET
    works: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    store: Store | None = None

    async def link(self, order_id: str) -> Link | None:
        self.asked.append(("link", order_id))
        if not self.works:
            return None
        assert self.store is not None
        await self.store.write(
            lambda c: order_store.move(c, order_id, was=State.CREATED, to=State.PENDING) and None
        )
        return Link(url=f"{URL}/{order_id}", expires_ms=4_102_444_800_000)

    async def look(self, order_id: str) -> Money:
        self.asked.append(("look", order_id))
        return self.money

    async def call_off(self, order_id: str) -> Money:
        self.asked.append(("call_off", order_id))
        if self.money is Money.OVER:
            assert self.store is not None
            await self.store.write(
                lambda c: order_store.move(c, order_id, was=State.PENDING, to=State.CANCELLED) and None
            )
        return self.money


@pytest.fixture
def cashier(monkeypatch: pytest.MonkeyPatch) -> FakeCashier:
    fake = FakeCashier()

    def made(store: Store, *args: Any) -> FakeCashier:
        fake.store = store
        return fake

    monkeypatch.setattr(selling_shop, "_cashier", made)
    return fake


@pytest.fixture
def open_shop(open_shop: OpenShop) -> OpenShop:
    """The ordinary shop with goods, its room announced, and Budi greeted."""

    async def open_selling(*, midtrans: bool = False, files: Any = None, **keys: str) -> TinyShop:
        key = {"MIDTRANS_SERVER_KEY": "SB-Mid-server-uji"} if midtrans else {}
        shop = await open_shop(files={**FILES, **(files or {})}, **key, **keys)
        await shop.write(lambda c: rooms.announce(c, shop.running.room))
        # The privacy notice rides on the first answer; it is not what these tests are about.
        await shop.says("budi", "halo", name="Budi")
        return shop

    return open_selling


async def last_order(shop: TinyShop) -> Any:
    query = select(orders).order_by(orders.c.created_ms.desc(), orders.c.id).limit(1)
    return await shop.store.read(lambda c: c.execute(query).first())


async def lines_of(shop: TinyShop, order_id: str) -> list[tuple[str, int, int]]:
    query = select(order_lines).where(order_lines.c.order_id == order_id).order_by(order_lines.c.position)
    rows = await shop.store.read(lambda c: c.execute(query).all())
    return [(row.code, row.quantity, row.unit_idr) for row in rows]


async def talk(shop: TinyShop, *texts: str, chat: str = "budi") -> list[str]:
    """The texts one after another; what was answered to the last."""
    told: list[str] = []
    for text in texts:
        told = await shop.says(chat, text)
    return told


def rewrite(shop: TinyShop, text: str, name: str = "katalog.csv") -> None:
    (shop.settings.data_dir / name).write_text(text, encoding="utf-8")


async def test_a_sale_by_bank_transfer_from_the_menu_to_the_invoice(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [menu] = await shop.says("budi", "menu kak")
    assert "1. Paket 20 Mbps: Rp250.000/bulan" in menu
    assert "Tenda" not in menu
    assert await shop.says("budi", "1 3x") == ["3x Paket 20 Mbps, total *Rp750.000*. Benar, Kak?"]
    assert await shop.count(orders) == 0
    [told] = await shop.says("budi", "gas kak")
    order = await last_order(shop)
    assert (order.state, order.method, order.total_idr) == ("waiting_confirmation", "transfer", 750_000)
    assert await lines_of(shop, order.id) == [("IH20", 3, 250_000)]
    assert f"*{order.id}*" in told
    assert "BCA *4570112233* a.n. Toko Uji" in told
    # The word of the customer pays nothing; the admin's does.
    [checked] = await shop.says("budi", "sudah transfer ya kak")
    assert checked == shop.wording.say("jual_cek_transfer")
    assert (await last_order(shop)).state == "waiting_confirmation"
    notice = shop.last_id(containing="Cek transfer Rp750.000")
    assert await shop.says("budi", "udah tf") == [shop.wording.say("jual_masih_dicek")]
    paid = await shop.owner("lunas", quote=notice)
    order = await last_order(shop)
    assert (order.state, order.paid_by) == ("paid", "owner")
    assert len(paid) == 1
    assert "💰" in paid[0]
    assert "Rp750.000" in paid[0]
    invoice = (await shop.store.read(lambda c: c.execute(select(invoice_rows)).all()))[0]
    assert invoice.order_id == order.id
    heard = "\n".join(shop.heard("budi"))
    assert "Jadwal pasang dikabari di sini" in heard
    assert [row.finished_ms is None for row in await shop.rows(handoff_rows)] == [False]
    # A second word changes nothing and says so.
    [again] = await shop.owner("lunas", quote=notice)
    assert "Sudah lunas" in again
    assert await shop.count(invoice_rows) == 1


async def test_a_sale_by_link_asks_what_the_row_asks_and_adds_the_shipping(
    open_shop: OpenShop, cashier: FakeCashier
) -> None:
    shop = await open_shop(midtrans=True)
    assert await talk(shop, "mau pesan kabel lan 2") == [
        "2x Kabel LAN, total *Rp190.000* (belum termasuk ongkir). Benar, Kak?"
    ]
    [question] = await shop.says("budi", "ya")
    assert "nama penerima" in question
    assert (await last_order(shop)).state == "created"
    [question] = await shop.says("budi", "Budi Santoso")
    assert "alamat kirim" in question
    [question] = await shop.says("budi", "Jl. Merapi 2, Klaten")
    assert question == (
        "• 2x Kabel LAN: Rp190.000\n• Ongkir Klaten: Rp10.000\nTotal *Rp200.000*. Mau bayar lewat apa, Kak?\n"
        "1. Link: QRIS, e-wallet, virtual account atau kartu\n2. Transfer bank (BCA), dicek admin dulu"
    )
    [told] = await shop.says("budi", "1")
    order = await last_order(shop)
    assert f"{URL}/{order.id}" in told
    assert "Total *Rp200.000*" in told
    assert (order.state, order.method, order.total_idr) == ("pending", "midtrans", 200_000)
    assert order.details == '{"nama penerima": "Budi Santoso", "alamat kirim": "Jl. Merapi 2, Klaten"}'
    assert await lines_of(shop, order.id) == [("LAN", 2, 95_000), ("SHIPPING", 1, 10_000)]
    assert shop.model_asked() == 0


async def test_a_large_basket_is_sent_for_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [told] = await talk(shop, "pesan RT1", "jadi", "nama: Budi, alamat: Jl. Merapi 2 Klaten")
    assert "• Ongkir Klaten: gratis" in told
    assert "Total *Rp399.000*" in told


async def test_who_fetches_it_himself_pays_no_shipping(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [told] = await talk(shop, "pesan kabel lan", "ya", "Budi", "ambil di toko aja kak")
    assert "Ongkir" not in told
    assert "Total *Rp95.000*" in told


async def test_an_address_without_a_rate_waits_for_an_admins_figure(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [told] = await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Sudirman 1, Sorong")
    assert told == shop.wording.say("jual_ongkir_admin")
    notice = shop.last_id(containing="Butuh ongkir")
    [wrong] = await shop.owner("ongkir 18", quote=notice)
    assert wrong == shop.wording.say("admin_ongkir_salah")
    done = await shop.owner("ongkir 85rb", quote=notice)
    assert done == ["✅ Ongkir Rp85.000 kusampaikan ke Budi, total Rp180.000."]
    asked = shop.heard("budi")[-1]
    assert asked == (
        "Ongkirnya Rp85.000, Kak.\n• 1x Kabel LAN: Rp95.000\n• Ongkir: Rp85.000\nTotal *Rp180.000*. Lanjut?"
    )
    [told] = await shop.says("budi", "lanjut kak")
    assert "4570112233" in told
    assert (await last_order(shop)).total_idr == 180_000
    # The figure is told once.
    [late] = await shop.owner("ongkir 10rb", quote=notice)
    assert "tidak kuubah" in late
    assert (await last_order(shop)).total_idr == 180_000
    assert await shop.count(handoff_rows, handoff_rows.c.finished_ms.is_(None)) == 0


async def test_who_was_to_fetch_it_cannot_have_it_sent_for_nothing(
    open_shop: OpenShop, cashier: FakeCashier
) -> None:
    shop = await open_shop(midtrans=True)
    for way in ("1", "2"):
        await talk(shop, "pesan kabel lan", "ya", "Budi", "ambil di toko", way)
        assert (await last_order(shop)).state in ("pending", "waiting_confirmation")
        for address in ("Jl. Sudirman 1, Sorong", "Jl. Merapi 2, Klaten"):
            assert await talk(shop, f"ubah alamat kirim jadi {address}") == [
                shop.wording.say("jual_ganti_alamat_lewat")
            ]
        order = await last_order(shop)
        assert (order.total_idr, "ambil di toko" in order.details) == (95_000, True)
        # Which shop of the town he means costs nothing to change.
        [told] = await talk(shop, "ubah alamat kirim jadi ambil di toko besok")
        assert "kuganti" in told


async def test_while_it_is_filled_in_an_address_instead_of_fetching_it_costs_its_shipping(
    open_shop: OpenShop, cashier: FakeCashier
) -> None:
    shop = await open_shop(midtrans=True)
    await talk(shop, "pesan kabel lan", "ya", "Budi", "ambil di toko")
    [told] = await talk(shop, "ubah alamat kirim jadi Jl. Merapi 2, Klaten")
    assert "Ongkir Klaten: Rp10.000" in told


async def test_what_was_paid_meanwhile_is_not_said_to_be_changed(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Merapi 2, Klaten")
    order = await last_order(shop)
    now = LiveGoods.now

    async def paid_meanwhile(goods: LiveGoods) -> Goods:
        await shop.write(
            lambda c: order_store.move(c, order.id, was=State.WAITING_CONFIRMATION, to=State.PAID)
        )
        return await now(goods)

    monkeypatch.setattr(LiveGoods, "now", paid_meanwhile)
    told = await talk(shop, "ubah nama penerima jadi Siti")
    assert not [text for text in told if "kuganti" in text]
    assert "Budi" in (await last_order(shop)).details


async def test_a_figure_for_an_address_that_was_changed_since_is_not_charged(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Sudirman 1, Sorong")
    sorong = shop.last_id(containing="Butuh ongkir")
    await talk(shop, "ubah alamat kirim jadi Jl. Pahlawan 3, Merauke")
    assert "Merauke" in shop.heard("owner")[-1]
    merauke = shop.last_id(containing="Butuh ongkir")
    assert merauke != sorong
    # Nobody is reminded of the old one.
    [left] = await shop.rows(handoff_rows, handoff_rows.c.finished_ms.is_(None))
    assert "Merauke" in left.question
    order = await last_order(shop)
    assert await shop.owner("ongkir 60rb", quote=sorong) == [
        shop.wording.say("admin_ongkir_alamat_lain", pesanan=order.id, alamat="Jl. Pahlawan 3, Merauke")
    ]
    assert (await last_order(shop)).total_idr == 95_000
    assert await shop.owner("ongkir 90rb", quote=merauke) == [
        "✅ Ongkir Rp90.000 kusampaikan ke Budi, total Rp185.000."
    ]


async def test_a_figure_for_what_is_fetched_now_is_not_charged(
    open_shop: OpenShop, cashier: FakeCashier
) -> None:
    shop = await open_shop(midtrans=True)
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Sudirman 1, Sorong")
    notice = shop.last_id(containing="Butuh ongkir")
    [told] = await talk(shop, "ubah alamat kirim jadi ambil di toko")
    assert "Mau bayar lewat apa" in told
    order = await last_order(shop)
    assert await shop.owner("ongkir 60rb", quote=notice) == [
        shop.wording.say("admin_ongkir_tidak_dikirim", pesanan=order.id)
    ]
    assert (await last_order(shop)).total_idr == 95_000
    assert await shop.count(handoff_rows, handoff_rows.c.finished_ms.is_(None)) == 0


async def test_back_at_the_first_address_its_figure_counts(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Sudirman 1, Sorong")
    notice = shop.last_id(containing="Butuh ongkir")
    for address in ("Jl. Pahlawan 3, Merauke", "Jl. Sudirman 1, Sorong"):
        await talk(shop, f"ubah alamat kirim jadi {address}")
    await shop.owner("ongkir 60rb", quote=notice)
    assert (await last_order(shop)).total_idr == 155_000
    assert await shop.count(handoff_rows, handoff_rows.c.finished_ms.is_(None)) == 0


async def test_the_time_to_pay_begins_when_he_can_pay(open_shop: OpenShop, cashier: FakeCashier) -> None:
    shop = await open_shop(midtrans=True, PAYMENT_EXPIRY_MIN="60")
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Sudirman 1, Sorong")
    notice = shop.last_id(containing="Butuh ongkir")

    async def left_min() -> int:
        order = await last_order(shop)
        return round((order.expires_ms - time.time() * 1000) / 60_000)

    async def over() -> int:
        return len(await shop.store.read(lambda c: order_store.past_expiry(c, "utama")))

    await age(shop.store, orders, "expires_ms", by_ms=3 * 24 * 3_600_000)
    # Nobody can pay it yet, and he was promised a figure.
    assert await over() == 0
    await shop.owner("ongkir 85rb", quote=notice)
    assert await left_min() == 60
    assert await over() == 0
    await age(shop.store, orders, "expires_ms", by_ms=50 * 60_000)
    await talk(shop, "1")
    assert await left_min() == 60
    # Once it can be paid its time runs, whatever he says.
    await age(shop.store, orders, "expires_ms", by_ms=50 * 60_000)
    await talk(shop, "kirim ulang link", "ubah nama penerima jadi Siti")
    assert await left_min() == 10
    await age(shop.store, orders, "expires_ms", by_ms=50 * 60_000)
    assert await over() == 1


async def test_without_an_open_question_an_order_that_is_not_filled_in_ends_in_time(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi")
    await age(shop.store, orders, "expires_ms", by_ms=3 * 24 * 3_600_000)
    assert len(await shop.store.read(lambda c: order_store.past_expiry(c, "utama"))) == 1


async def test_other_words_behind_an_orders_notice_go_to_its_customer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi", "sudah transfer")
    notice = shop.last_id(containing="Cek transfer")
    assert await shop.owner("Atas nama siapa transfernya Kak?", quote=notice) == ["✅ Terkirim ke Budi."]
    assert shop.heard("budi")[-1] == "Atas nama siapa transfernya Kak?"
    assert await shop.owner("tolak", quote=notice) == ["Oke, Budi kukabari kalau transferannya belum ketemu."]
    assert "belum ketemu" in shop.heard("budi")[-1]
    assert (await last_order(shop)).state == "waiting_confirmation"
    # He looks again and says so again: that is a new question for the admins.
    assert await shop.says("budi", "sudah transfer") == [shop.wording.say("jual_cek_transfer")]


@pytest.mark.parametrize("text", ["bisa kurang?", "ya tapi yang merah", "berapa ongkirnya", "boleh nego kak"])
async def test_only_a_plain_yes_makes_an_order(open_shop: OpenShop, text: str) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", text)
    assert await shop.count(orders) == 0


async def test_a_yes_is_used_once(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "ya", "ya", "jadi", "gas")
    assert await shop.count(orders) == 1


async def test_a_no_takes_the_offer_off_the_table(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await talk(shop, "pesan ih20", "nggak jadi kak") == [shop.wording.say("jual_tidak_jadi")]
    await talk(shop, "jadi")
    assert await shop.count(orders) == 0


async def test_after_fifteen_minutes_it_is_read_again(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20 2")
    await age(shop.store, proposals, "expires_ms", by_ms=16 * 60 * 1000)
    [told] = await shop.says("budi", "ya")
    assert told == (
        f"{shop.wording.say('jual_tawar_lewat')}\n2x Paket 20 Mbps, total *Rp500.000*. Benar, Kak?"
    )
    assert await shop.count(orders) == 0
    await talk(shop, "ya")
    assert (await last_order(shop)).total_idr == 500_000


async def test_a_price_that_changed_since_is_read_again_and_only_the_new_one_is_charged(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20")
    rewrite(shop, CATALOGUE.replace("250000", "275000"))
    [told] = await shop.says("budi", "jadi")
    assert "Harganya barusan berubah" in told
    assert "Rp275.000" in told
    assert await shop.count(orders) == 0
    await talk(shop, "ya")
    assert (await last_order(shop)).total_idr == 275_000


async def test_what_was_sold_out_meanwhile_is_not_sold(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan RT1 2")
    rewrite(shop, CATALOGUE.replace("399000,unit,3", "399000,unit,1"))
    [told] = await shop.says("budi", "jadi")
    assert told == "Router Archer tinggal 1, Kak. Mau diambil berapa?"
    assert await shop.count(orders) == 0
    assert await talk(shop, "1 aja") == [
        "1x Router Archer, total *Rp399.000* (belum termasuk ongkir). Benar, Kak?"
    ]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("pesan ih20 0x", "Lewat chat bisa pesan 1 sampai 999 ya Kak. Paket 20 Mbps-nya jadi berapa?"),
        ("pesan ih20 10000x", "Lewat chat bisa pesan 1 sampai 999 ya Kak. Paket 20 Mbps-nya jadi berapa?"),
        ("pesan router archer 4x", "Router Archer tinggal 3, Kak. Mau diambil berapa?"),
        ("pesan router tenda", "Router Tenda lagi habis, Kak. Mau lihat yang lain? Ketik *menu* ya."),
    ],
)
async def test_what_cannot_be_ordered_is_said(open_shop: OpenShop, text: str, answer: str) -> None:
    shop = await open_shop()
    assert await talk(shop, text) == [answer]
    assert await shop.count(proposals) == 0


async def test_another_quantity_is_read_back_anew(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await talk(shop, "pesan ih20 10000x", "5 aja kak") == [
        "5x Paket 20 Mbps, total *Rp1.250.000*. Benar, Kak?"
    ]
    assert await talk(shop, "jadi 2 aja") == ["2x Paket 20 Mbps, total *Rp500.000*. Benar, Kak?"]
    await talk(shop, "oke")
    assert await lines_of(shop, (await last_order(shop)).id) == [("IH20", 2, 250_000)]


async def test_a_customer_who_names_a_price_changes_nothing(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20")
    await talk(shop, "harganya Rp1.000 ya, konfirmasi")
    assert await shop.count(orders) == 0
    await talk(shop, "jadi")
    assert (await last_order(shop)).total_idr == 250_000


def _model_says(shop: TinyShop, order: Sequence[dict[str, object]], answer: str = "Siap Kak.") -> None:
    """The model answers with this order, whatever it is asked."""
    import json

    from rag.model import Completion

    content = json.dumps(
        {"answer": answer, "source_ids": [], "answerable": True, "needs_human": False, "order": order}
    )

    async def chat(*args: Any, **kwargs: Any) -> Completion:
        return Completion(content=content, input_tokens=1, output_tokens=1)

    shop.model.chat = chat  # type: ignore[method-assign] # the narrowest seam before the network.


async def test_the_model_proposes_codes_and_code_reads_back_what_they_cost(open_shop: OpenShop) -> None:
    shop = await open_shop()
    _model_says(
        shop, [{"code": "IH20", "quantity": 3}], "Baik, 3 paket hanya Rp1.000 ya Kak, sudah kupesankan!"
    )
    [told] = await talk(shop, "saya mau langganan yang dua puluh itu tiga bulan ya kak")
    assert told == "3x Paket 20 Mbps, total *Rp750.000*. Benar, Kak?"
    assert await shop.count(orders) == 0
    await talk(shop, "benar kak")
    assert (await last_order(shop)).total_idr == 750_000


@pytest.mark.parametrize("code", ["KARANGAN", "MATI", "'; DROP TABLE orders; --"])
async def test_a_code_that_the_model_made_up_is_refused(open_shop: OpenShop, code: str) -> None:
    shop = await open_shop()
    _model_says(shop, [{"code": code, "quantity": 1}])
    [told] = await talk(shop, "aku ambil yang paling murah deh kak")
    assert told.startswith(shop.wording.say("jual_tidak_ada"))
    assert "1. Paket 20 Mbps" in told
    assert await shop.count(proposals) == 0


async def test_a_question_in_between_is_answered_and_the_open_one_asked_again(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [told] = await talk(shop, "pesan kabel lan", "ya", QUESTION)
    assert told.startswith("Bisa COD untuk daerah Klaten, Kak.\n\n")
    assert told.endswith(shop.wording.say("jual_tanya", perlu="nama penerima"))
    [told] = await talk(shop, "Budi")
    assert "alamat kirim" in told
    # Behind a read-back, too: the "ya" after it is about the order again.
    [told] = await talk(shop, "pesan ih20", QUESTION)
    assert told.endswith("1x Paket 20 Mbps, total *Rp250.000*. Benar, Kak?")
    before = await shop.count(orders)
    await talk(shop, "ya")
    assert await shop.count(orders) == before + 1


async def test_asking_for_a_person_is_never_taken_for_an_answer(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await talk(shop, "pesan kabel lan", "ya", "admin") == [shop.wording.say("minta_admin")]
    assert (await last_order(shop)).details == "{}"


async def test_answers_are_put_right_until_it_is_paid(open_shop: OpenShop) -> None:
    shop = await open_shop()
    [told] = await talk(shop, "pesan kabel lan", "ya", "Budi", "ralat nama penerima jadi Siti")
    assert told.startswith("Oke Kak, *nama penerima* kuganti jadi: Siti.")
    assert "alamat kirim" in told
    await talk(shop, "Jl. Merapi 2, Solo")
    assert (await last_order(shop)).state == "waiting_confirmation"
    assert await talk(shop, "ubah nama penerima: Joko") == ["Oke Kak, *nama penerima* kuganti jadi: Joko."]
    assert '"Joko"' in (await last_order(shop)).details
    # The shipping was made for that address.
    assert await talk(shop, "ubah alamat kirim jadi Jl. Mawar 1, Klaten") == [
        shop.wording.say("jual_ganti_alamat_lewat")
    ]
    assert "Solo" in (await last_order(shop)).details


async def test_changing_the_mind_before_paying_keeps_what_was_told(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi", "pesan router archer")
    [told] = await talk(shop, "jadi")
    assert "alamat kirim" in told
    states = await shop.store.read(lambda c: c.execute(select(orders.c.state)).scalars().all())
    assert sorted(states) == ["cancelled", "created"]
    assert (await last_order(shop)).details == '{"nama penerima": "Budi"}'


async def test_how_an_order_stands_is_told_to_its_customer_only(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi")
    order = await last_order(shop)
    [told] = await talk(shop, "status pesanan")
    assert told == f"*{order.id}*: 1x Paket 20 Mbps, Rp250.000. Menunggu transfer, lalu dicek admin."
    await talk(shop, "halo", chat="siti")
    for text in (
        f"status pesanan {order.id}",
        f"batal pesanan {order.id}",
        f"kirim ulang invoice {order.id}",
    ):
        [told] = await talk(shop, text, chat="siti")
        assert told == shop.wording.say("jual_pesanan_tidak_ada", pesanan=order.id)
    assert (await last_order(shop)).state == "waiting_confirmation"
    assert await talk(shop, "status pesanan", chat="siti") == [shop.wording.say("jual_belum_ada")]


async def test_an_order_is_called_off_while_nothing_is_paid(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi")
    order = await last_order(shop)
    assert await talk(shop, "batal pesanan kak") == [
        f"Oke Kak, pesanan *{order.id}* (1x Paket 20 Mbps) sudah kubatalkan. Nggak ada yang perlu dibayar."
    ]
    assert (await last_order(shop)).state == "cancelled"


async def test_a_paid_order_is_called_off_by_a_person_only(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi", "sudah transfer")
    await shop.owner("lunas", quote=shop.last_id(containing="Cek transfer"))
    order = await last_order(shop)
    assert await talk(shop, "batal pesanan") == [shop.wording.say("jual_batal_lunas", pesanan=order.id)]
    assert "Mau batal, padahal sudah dibayar" in shop.heard("owner")[-1]
    assert (await last_order(shop)).state == "paid"


async def test_who_says_that_he_paid_hears_what_midtrans_says(
    open_shop: OpenShop, cashier: FakeCashier
) -> None:
    shop = await open_shop(midtrans=True)
    await talk(shop, "pesan ih20", "jadi", "qris")
    order = await last_order(shop)
    [told] = await talk(shop, "sudah bayar kak")
    assert "belum masuk" in told
    assert f"{URL}/{order.id}" in told
    cashier.money = Money.NOBODY_KNOWS
    assert await talk(shop, "sudah bayar kak") == [shop.wording.say("jual_cek_gangguan")]
    cashier.money = Money.PAID
    assert await talk(shop, "sudah tf") == [shop.wording.say("jual_sudah_lunas", pesanan=order.id)]
    assert [what for what, _ in cashier.asked].count("look") == 3
    # It is Midtrans that makes it paid, not the customer: the fake one committed nothing.
    assert (await last_order(shop)).state == "pending"


async def test_an_open_link_is_called_off_at_midtrans_first(
    open_shop: OpenShop, cashier: FakeCashier
) -> None:
    shop = await open_shop(midtrans=True)
    await talk(shop, "pesan ih20", "jadi", "1")
    order = await last_order(shop)
    cashier.money = Money.NOBODY_KNOWS
    assert await talk(shop, "batal pesanan") == [shop.wording.say("jual_batal_nanti", pesanan=order.id)]
    assert (await last_order(shop)).state == "pending"
    cashier.money = Money.OVER
    [told] = await talk(shop, "batal pesanan")
    assert "sudah kubatalkan" in told
    assert (await last_order(shop)).state == "cancelled"


async def test_without_a_link_the_order_stays_and_a_person_is_told(
    open_shop: OpenShop, cashier: FakeCashier
) -> None:
    shop = await open_shop(midtrans=True)
    cashier.works = False
    [told] = await talk(shop, "pesan ih20", "jadi", "link aja")
    order = await last_order(shop)
    assert told == shop.wording.say("jual_link_gagal", pesanan=order.id)
    assert "Link Midtrans gagal dibuat" in shop.heard("owner")[-1]
    assert order.state == "created"
    cashier.works = True
    [told] = await talk(shop, "kirim ulang link")
    assert f"{URL}/{order.id}" in told
    [again] = await talk(shop, "linknya mana kak?")
    assert f"{URL}/{order.id}" in again
    assert await shop.count(orders) == 1


async def test_a_shop_without_a_way_to_pay_hands_the_order_over(open_shop: OpenShop) -> None:
    shop = await open_shop(files={"toko.toml": 'nama = "Toko Uji"\n'})
    [told] = await talk(shop, "pesan ih20", "jadi")
    assert told.endswith(shop.wording.say("jual_tanpa_cara"))
    assert "isi MIDTRANS_SERVER_KEY" in shop.heard("owner")[-1]
    assert (await last_order(shop)).state == "created"


async def test_too_large_an_order_is_for_a_person(open_shop: OpenShop) -> None:
    shop = await open_shop(files={"katalog.csv": "kode,nama,harga\nA1,Server,900000000\n"})
    assert await talk(shop, "pesan server") == [shop.wording.say("jual_terlalu_besar")]
    assert "terlalu besar" in shop.heard("owner")[-1]
    assert await shop.count(orders) == 0


async def test_the_invoice_is_sent_once_more_when_he_asks(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi")
    order = await last_order(shop)
    [told] = await talk(shop, "minta invoice")
    assert told == shop.wording.say(
        "jual_invoice_belum", pesanan=order.id, status="Menunggu transfer, lalu dicek admin."
    )
    await talk(shop, "sudah transfer")
    await shop.owner("lunas", quote=shop.last_id(containing="Cek transfer"))
    told = await talk(shop, "kirim ulang invoice dong")
    [number] = await shop.store.read(lambda c: c.execute(select(invoice_rows.c.number)).scalars().all())
    assert told[-1] == f"Itu invoice {number} ya Kak, kukirim ulang."
    assert len(told) == 2


async def test_a_sale_of_many_short_answers_is_no_loop(open_shop: OpenShop, cashier: FakeCashier) -> None:
    shop = await open_shop(midtrans=True, LOOP_ANSWERS="6")
    texts = ("menu", "3", "ya", "Budi", "Jl. Merapi 2, Klaten", "1", "status pesanan")
    told = await talk(shop, *texts)
    assert "Menunggu pembayaran" in told[0]
    assert not [text for text in shop.heard("owner") if "berputar-putar" in text]


async def test_a_death_between_order_and_answer_goes_on_with_the_same_order(
    open_shop: OpenShop, cashier: FakeCashier, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await open_shop(midtrans=True, files={"toko.toml": 'nama = "Toko Uji"\n'})
    await talk(shop, "pesan ih20")
    link, died = cashier.link, []

    async def dying(order_id: str) -> Link | None:
        made = await link(order_id)
        if not died:
            died.append(order_id)
            # The order may have its link by now, and nobody was told of it.
            raise Retry("the process dies here")
        return made

    monkeypatch.setattr(cashier, "link", dying)
    [told] = await talk(shop, "ya")
    assert await shop.count(orders) == 1
    assert f"{URL}/{died[0]}" in told


async def test_in_practice_nothing_is_ordered(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="practice")
    for text in ("menu", "pesan ih20", "jadi"):
        assert await shop.says("budi", text) == []
    assert await shop.count(proposals) == await shop.count(orders) == 0
    assert any("Rp250.000" in text for text in shop.heard("owner"))


async def test_a_read_back_that_still_waits_for_approval_cannot_be_agreed_to(open_shop: OpenShop) -> None:
    shop = await open_shop(BALAS_MODE="approve")
    await talk(shop, "pesan ih20", "ya")
    assert await shop.count(orders) == 0


async def test_the_owner_sees_what_waits_to_be_paid(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await shop.owner("pesanan") == [shop.wording.say("admin_pesanan_kosong")]
    await talk(shop, "pesan ih20", "jadi")
    order = await last_order(shop)
    [told] = await shop.owner("pesanan")
    assert re.fullmatch(
        r"🧾 \*1 pesanan belum dibayar, Rp250\.000\*\n"
        r"🏦 \*Transfer bank\* \(kalau uangnya sudah masuk, ketik \*lunas\* dan nomor pesanannya\):\n"
        rf"• {order.id} Budi \(.+\): 1x Paket 20 Mbps, Rp250\.000\. Menunggu transfer, lalu dicek admin\.",
        told,
    )


async def test_what_a_person_must_check_is_listed_before_what_customers_still_owe(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    # Not finished yet: where it is to be sent is still asked.
    await talk(shop, "pesan kabel lan", "ya")
    await talk(shop, "pesan ih20", "jadi", chat="siti")
    told = (await shop.owner("pesanan"))[0].splitlines()
    assert "2 pesanan belum dibayar" in told[0]
    assert [line[0] for line in told] == ["🧾", "🏦", "•", "⏳", "•"]
    assert "dicek admin" in told[2]
    assert "dilengkapi" in told[4]


async def test_behind_more_links_than_a_list_holds_no_transfer_is_lost(open_shop: OpenShop) -> None:
    shop = await open_shop()
    customer = await shop.customer("budi")

    def order(connection: Connection, state: State) -> str:
        made = order_store.create(
            connection,
            account="utama",
            customer_id=customer.id,
            transport="uji",
            chat="budi",
            lines=[Line(kind=LineKind.ITEM, code="LAN", name="Kabel LAN", quantity=1, unit_idr=95_000)],
            expires_in_ms=3_600_000,
        )
        order_store.move(connection, made.id, was=State.CREATED, to=state)
        return made.id

    await shop.write(lambda c: [order(c, State.PENDING) for _ in range(22)])
    waiting = await shop.write(lambda c: order(c, State.WAITING_CONFIRMATION))
    told = (await shop.owner("pesanan"))[0].splitlines()
    assert told[0] == "🧾 *23 pesanan belum dibayar, Rp2.185.000*"
    assert told[2].startswith(f"• {waiting}")
    assert told[-1] == "…dan 2 lainnya"
    assert len(told) == 1 + 2 + 1 + 20 + 1
    [question] = await shop.owner("lunas")
    assert f"Pesanan {waiting}:" in question
    await shop.write(lambda c: [order(c, State.WAITING_CONFIRMATION) for _ in range(20)])
    told = (await shop.owner("lunas"))[0].splitlines()
    assert told[0] == "Ada beberapa pesanan yang menunggu transfer:"
    assert told[21] == "…dan 1 lainnya"


async def test_a_picture_of_the_parcel_behind_an_orders_notice_goes_to_its_customer(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Merapi 2, Klaten", "sudah transfer")
    notice = shop.last_id(containing="Cek transfer")
    shop.channel.files["resi"] = b"\xff\xd8 resi"
    file = {"mimetype": "image/jpeg", "filename": "", "size_bytes": 7}
    sent = {"message_id": "resi", "kind": "image", "file": file, "quote": notice}
    await shop.says("owner", "Resinya ya Kak", **sent)
    assert shop.heard("budi")[-1] == "(Resinya ya Kak)"
    # A picture of the bank's page with the word that counts is that word.
    assert (await last_order(shop)).state == "waiting_confirmation"
    await shop.says("owner", "lunas", **{**sent, "message_id": "mutasi"})
    assert (await last_order(shop)).state == "waiting_confirmation"
    shop.channel.files["mutasi2"] = b"\xff\xd8 mutasi"
    await shop.says("owner", "lunas", **{**sent, "message_id": "mutasi2"})
    assert (await last_order(shop)).state == "paid"


async def test_deleting_the_customer_leaves_an_order_without_him(open_shop: OpenShop) -> None:
    from store import customers

    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Merapi 2, Klaten", "sudah transfer")
    notice = shop.last_id(containing="Cek transfer")
    customer = await shop.customer("budi")
    await shop.write(lambda c: customers.forget(c, customer.id))
    order = await last_order(shop)
    assert (order.customer_id, order.chat, order.details) == (None, None, "{}")
    # His notice is gone with him; quoting it finds nothing to act on.
    before = len(shop.heard("budi"))
    await shop.owner("lunas", quote=notice)
    assert (await last_order(shop)).state == "waiting_confirmation"
    assert len(shop.heard("budi")) == before


async def test_an_ordinary_question_costs_no_further_job(open_shop: OpenShop, store: Store) -> None:
    shop = await open_shop()
    await talk(shop, QUESTION)
    jobs: list[str] = []
    read, write = store.read, store.write

    async def counted_read(job: Any, **options: Any) -> Any:
        jobs.append("read")
        return await read(job, **options)

    async def counted_write(job: Any) -> Any:
        jobs.append("write")
        return await write(job)

    conversation = shop.running.inbox_worker
    store.read, store.write = counted_read, counted_write  # type: ignore[method-assign] # counts, and nothing else
    try:
        await shop.record("budi", "jam buka toko kak?")
        while not any("08.00" in text for text in shop.heard("budi")):
            await shop.settled()
    finally:
        store.read, store.write = read, write  # type: ignore[method-assign] # as it was
    assert conversation is shop.running.inbox_worker
    assert jobs.count("write") >= 1
    assert await shop.count(turns, turns.c.asked == "jam buka toko kak?") == 1


async def test_the_catalogue_is_not_read_for_an_ordinary_question(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing import live

    def refuse(*_: Any) -> Any:
        raise AssertionError("the price list was read for a question")

    shop = await open_shop()
    monkeypatch.setattr(live.LiveGoods, "_read", refuse)
    assert await talk(shop, QUESTION) == ["Bisa COD untuk daerah Klaten, Kak."]


async def test_a_broken_price_list_sells_what_was_last_read(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "menu")
    rewrite(shop, "bukan,katalog\n1,2\n")
    assert await talk(shop, "pesan ih20") == ["1x Paket 20 Mbps, total *Rp250.000*. Benar, Kak?"]


async def _orders_in(store: Store) -> int:
    return await store.read(lambda c: int(c.execute(select(func.count()).select_from(orders)).scalar_one()))


async def test_an_unpaid_transfer_that_expired_is_not_open_any_more(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi")
    await shop.write(lambda c: c.execute(update(orders).values(state="expired")) and None)
    [told] = await talk(shop, "status pesanan")
    assert "Batas bayarnya sudah lewat" in told
    assert await _orders_in(shop.store) == 1


async def test_a_thumb_on_what_was_just_read_back_is_a_yes_and_on_nothing_else(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20")
    read_back = shop.last_id("budi", containing="Benar, Kak?")
    await shop.says("budi", "👍", kind="reaction", quote=shop.last_id("budi", containing="selamat datang"))
    await shop.says("budi", "😂", kind="reaction", quote=read_back)
    assert await shop.count(orders) == 0
    [told] = await shop.says("budi", "👍", kind="reaction", quote=read_back)
    assert "4570112233" in told
    assert await shop.count(orders) == 1
    await shop.says("budi", "👍", kind="reaction", quote=read_back)
    assert await shop.count(orders) == 1


async def test_a_picture_pays_nothing_and_is_shown_to_the_admins(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi")
    told = await shop.says("budi", "", kind="image")
    assert told == [shop.wording.say("jual_cek_transfer")]
    assert (await last_order(shop)).state == "waiting_confirmation"
    assert any("Cek transfer" in text for text in shop.heard("owner"))


class _Awake(Shop):
    """A shop in which it is never night, whenever the test runs."""

    def is_quiet_time(self, at: datetime) -> bool:
        return False


async def test_the_owner_is_reminded_of_an_order_until_nobody_is_needed(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan kabel lan", "ya", "Budi", "Jl. Sudirman 1, Sorong")
    profile = _Awake.load(shop.settings.data_dir, name=None)
    people = People(room=shop.running.room, shop=profile, wording=shop.wording, remind_after_s=60)

    async def reminded() -> list[str]:
        await age(shop.store, handoff_rows, "due_ms", by_ms=3 * 60 * 60 * 1000)
        before = len(shop.heard("owner"))
        await chores.remind(shop.store, people, profile)
        await shop.settled()
        return shop.heard("owner")[before:]

    [told] = await reminded()
    assert "belum dibalas" in told
    # The reminder is quoted like the notice itself.
    await shop.owner("ongkir 20rb", quote=shop.last_id(containing="belum dibalas"))
    assert "Ongkirnya Rp20.000" in shop.heard("budi")[-1]
    assert await reminded() == []
    await talk(shop, "lanjut", "sudah transfer", "batal pesanan")
    assert await reminded() == []
    assert await shop.count(handoff_rows, handoff_rows.c.finished_ms.is_(None)) == 0


@pytest.mark.parametrize("text", ["ok saya pesan 2 ya", "mau 2 bulan", "ambil dua kak"])
async def test_right_behind_a_price_a_few_words_order_that_thing(open_shop: OpenShop, text: str) -> None:
    shop = await open_shop()
    [priced] = await talk(shop, "harga paket 20 mbps berapa kak?")
    assert "Rp250.000" in priced
    assert await talk(shop, text) == ["2x Paket 20 Mbps, total *Rp500.000*. Benar, Kak?"]
    assert await shop.count(orders) == 0


async def test_who_never_ordered_is_told_so(open_shop: OpenShop) -> None:
    shop = await open_shop()
    for text in ("status pesanan saya", "batal pesanan"):
        assert await talk(shop, text) == [shop.wording.say("jual_belum_ada")]
    await talk(shop, "pesan ih20")
    assert await talk(shop, "batal pesanan") == [shop.wording.say("jual_tidak_jadi")]
    assert await talk(shop, "jadi") != []
    assert await shop.count(orders) == 0


async def test_not_yet_and_not_there_are_answers_and_no_calling_off(open_shop: OpenShop) -> None:
    rows = 'A1,Paket Bisnis,100000,,,ya,"foto KTP, NPWP kalau ada",\n'
    shop = await open_shop(files={"katalog.csv": CATALOGUE + rows})
    await talk(shop, "pesan paket bisnis", "ya", "nanti ya kak")
    assert "NPWP" in (await talk(shop, "halo"))[-1]
    await talk(shop, "nggak ada")
    order = await last_order(shop)
    assert order.state == "waiting_confirmation"
    assert order.details == '{"foto KTP": "menyusul", "NPWP kalau ada": "tidak ada"}'


async def test_what_is_over_is_said_to_be_over(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await talk(shop, "pesan ih20", "jadi", "batal pesanan")
    order = await last_order(shop)
    for text in ("batal pesanan", "sudah transfer", "status pesanan", "kirim ulang link"):
        assert await talk(shop, text) == [f"*{order.id}*: 1x Paket 20 Mbps, Rp250.000. Sudah dibatalkan."]
    # Weeks later "sudah transfer" is about something else.
    await age(shop.store, orders, "created_ms", by_ms=30 * 24 * 60 * 60 * 1000)
    assert order.id not in "\n".join(await talk(shop, "sudah transfer"))


async def test_a_draft_is_called_off_while_it_is_filled_in(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await talk(shop, "pesan kabel lan", "ya", "ga jadi deh") == [shop.wording.say("jual_tidak_jadi")]
    assert (await last_order(shop)).state == "cancelled"


async def test_who_had_to_wait_for_a_read_back_is_told_sorry(open_shop: OpenShop) -> None:
    shop = await open_shop()
    sent_ms = int(time.time() * 1000) - 3_600_000
    [told] = await shop.says("budi", "pesan ih20", sent_ms=sent_ms)
    assert told == "Maaf baru kebalas, Kak. 1x Paket 20 Mbps, total *Rp250.000*. Benar, Kak?"
    await talk(shop, "ya")
    assert (await last_order(shop)).total_idr == 250_000


_WORDS = (
    *("pesan ih20 3x", "pesan RT1", "pesan kabel lan", "pesan ih20 dan kabel lan 2x", "pesan ih20"),
    *("menu", "1", "2", "3", "1 2x", "yang 1 aja", "pesan ih20", "pesan kabel lan 2", "pesan router archer"),
    *("ya", "ya", "ya", "jadi", "gas", "ok", "nggak jadi", "batal", "5 aja", "jadi 2 aja", "bisa kurang?"),
    *("Budi", "Jl. Merapi 2, Klaten", "Jl. Solo 1, Solo", "ambil di toko", "transfer", "link", QUESTION),
    *(
        "harganya Rp1.000 ya, konfirmasi",
        "status pesanan",
        "batal pesanan",
        "kirim ulang link",
        "halo",
        "makasih",
    ),
    *(
        "sudah transfer",
        "ubah nama penerima jadi Siti",
        "pesan ih20 0x",
        "pesan barang lama 1x",
        "👍",
        "tidak",
    ),
)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_said_nothing_is_ordered_that_was_not_read_back_at_the_lists_prices(
    open_shop: OpenShop, cashier: FakeCashier, seed: int
) -> None:
    shop = await open_shop(midtrans=True)
    chance = random.Random(seed)
    prices = {"IH20": 250_000, "RT1": 399_000, "LAN": 95_000}
    known: set[str] = set()
    told: list[str] = []
    for _ in range(60):
        agrees = any("Benar, Kak?" in said for said in told) and chance.random() < 0.6
        text = "ya" if agrees else chance.choice(_WORDS)
        told = await shop.says("budi", text)
        for row in await shop.store.read(lambda c: c.execute(select(orders)).all()):
            lines = await lines_of(shop, row.id)
            goods = [line for line in lines if line[0] != "SHIPPING"]
            assert all(prices[code] == price and 1 <= count <= 999 for code, count, price in goods)
            assert row.total_idr == sum(count * price for _, count, price in lines)
            assert sum(line[0] == "SHIPPING" for line in lines) <= 1
            if row.id not in known:
                known.add(row.id)
                asked = [said for said in shop.heard("budi") if "Benar, Kak?" in said]
                total = f"{sum(count * price for _, count, price in goods):,}".replace(",", ".")
                assert f"*Rp{total}*" in asked[-1], (text, told, asked[-1])
    # The customer's words alone paid nothing.
    assert await shop.count(invoice_rows) == 0
    assert known


@pytest.mark.parametrize("text", ["ya", "tidak", "gas kak"])
async def test_a_yes_or_no_to_nothing_is_asked_about_and_bothers_nobody(
    open_shop: OpenShop, text: str
) -> None:
    shop = await open_shop()
    assert await talk(shop, text) == [shop.wording.say("jual_maksud")]
    assert await shop.count(handoff_rows) == 0


async def test_a_number_that_is_not_in_the_menu_is_asked_for_again(open_shop: OpenShop) -> None:
    shop = await open_shop()
    assert await talk(shop, "menu", "9") == [shop.wording.say("jual_nomor", sampai=3)]
    assert await talk(shop, "1") == ["1x Paket 20 Mbps, total *Rp250.000*. Benar, Kak?"]
    assert await shop.count(handoff_rows) == 0
