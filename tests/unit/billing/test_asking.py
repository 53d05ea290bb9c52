"""Requests about selling that a whole message makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.asking import Ask, Asked, asked

CASES = {
    Ask.MENU: (
        "menu|Menu kak|minta katalog dong|pricelist|price list kak|daftar harga|mau pesan|"
        "mau order kak|aku mau beli|order|jual apa aja kak?|lihat menu"
    ),
    Ask.STATUS: (
        "status pesanan|cek pesanan saya|pesanan saya gimana?|pesananku gmn kak|status order|"
        "orderan saya sampai mana ya|pembayaran saya sudah masuk belum?|"
        "transferannya udah masuk kak?|cek status pesanan saya dong|pesanan saya"
    ),
    Ask.CANCEL: (
        "batal pesanan|batalkan pesanan saya|cancel order kak|pesanannya dibatalin aja|"
        "nggak jadi pesan|mau batalin pesanan"
    ),
    Ask.LINK: (
        "kirim ulang link|link bayarnya mana kak?|minta link lagi|linknya gak bisa dibuka|"
        "kirim ulang link pembayaran dong|nomor rekening berapa?|minta norek kak|"
        "kirim ulang qris|qrisnya mana kak?|"
        "bayarnya kemana kak?|transfer ke mana"
    ),
    Ask.INVOICE: (
        "kirim ulang invoice|minta invoice|minta nota kak|invoicenya mana|kirim ulang nota dong|"
        "boleh minta kwitansi?"
    ),
    Ask.PAID: (
        "sudah transfer|udah tf kak|sudah bayar ya min|sudah saya transfer|udah ditransfer|"
        "barusan transfer|sdh tf ke bca|ini bukti transfernya|bukti transfer|aku sudah bayar tadi"
    ),
}
NEITHER = (
    "menu hari ini apa?|pesanan minimal berapa?|sudah|sudah transfer tapi internet masih mati|"
    "batal puasa kapan|ada nota pajak?|bisa transfer ke bca?|cara pesan gimana kalau di luar kota|"
    "link youtube|halo|makasih|pesan mie ayam|bisa cod||ada apa kak?"
)


@pytest.mark.parametrize(
    ("ask", "text"), [(ask, text) for ask, texts in CASES.items() for text in texts.split("|")]
)
def test_what_is_asked(ask: Ask, text: str) -> None:
    assert asked(text) == Asked(ask=ask)


@pytest.mark.parametrize("text", NEITHER.split("|"))
def test_what_is_something_else(text: str) -> None:
    assert asked(text) is None


def test_an_order_s_number_is_read_wherever_it_stands() -> None:
    assert asked("status pesanan B7K3M9Q2XA") == Asked(ask=Ask.STATUS, order_id="B7K3M9Q2XA")
    assert asked("b7k3m9q2xa") == Asked(ask=Ask.STATUS, order_id="B7K3M9Q2XA")
    assert asked("batalkan pesanan nomor B7K3M9Q2XA kak") == Asked(ask=Ask.CANCEL, order_id="B7K3M9Q2XA")


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    asked(text)
