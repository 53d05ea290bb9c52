"""What a customer asks about selling in so many words: the menu, his order, his link. Pure.

The *whole* message must be such words: "status pesanan" is answered by code, "status pesanan lama ya kak
kalau hari Minggu" goes to the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from billing.spoken import CALLS, PARTICLES, spoken, without, word_set


class Ask(Enum):
    """What is asked for."""

    MENU = auto()  # what is there to buy, or "mau pesan" without saying what
    STATUS = auto()  # how his order stands
    CANCEL = auto()  # he does not want it any more
    LINK = auto()  # the payment link or the account numbers once more
    INVOICE = auto()  # the invoice once more
    PAID = auto()  # he says that he has paid


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The request, and the order's number when the message names one."""

    ask: Ask
    order_id: str | None = None


# As store.orders makes them: "B" and nine characters of Crockford's alphabet.
_ORDER_ID = re.compile(r"(?<![0-9A-Za-z])B[0-9A-HJKMNP-TV-Z]{9}(?![0-9A-Za-z])", re.IGNORECASE)
_MOST_WORDS = 9
_ORDER = (
    r"(?:pesanan|pesenan|order|orderan|orderannya|pesananku|orderanku|pesanannya|pesananmu|belanjaan"
    r"|belanjaanku|transaksi)"
)
_MINE = r"(?: saya| aku| ku| sy| gue| gw| kami| tadi| td| yang tadi| yg tadi| ini| itu)*"
_LINK = r"(?:link|linknya|tautan|tautannya|linkny|qris|qrisnya|(?:kode )?qr|qrnya|barcode|barcodenya)"
_INVOICE = (
    r"(?:invoice|invoicenya|nota|notanya|struk|struknya|kwitansi|kuitansi|kwitansinya|faktur|bukti bayar)"
)
_ASK = r"(?:minta|mau|kirim|kirimin|kirimkan|kasih|tolong|boleh|bisa|mana|mn|cek|lihat|liat)"
_AGAIN = r"(?: ulang| lagi| ulangi)*"
_HAVE = r"(?:sudah|sdh|udah|udh|dah|telah|barusan|baru|habis|abis)"
_PAY = (
    r"(?:transfer|tf|trf|tranfer|bayar|dibayar|ditransfer|byr|lunas|kutransfer|kubayar|tak transfer"
    r"|tak bayar)"
)

_PATTERNS: tuple[tuple[Ask, re.Pattern[str]], ...] = tuple(
    (ask, re.compile(rf"(?:{'|'.join(patterns)})\Z"))
    for ask, patterns in {
        Ask.MENU: (
            r"(?:lihat |liat |minta |kirim |mau lihat |mau liat )?(?:menu|menunya|katalog|katalognya"
            r"|price ?list|pricelistnya|daftar harga|daftar harganya|list harga|daftar menu|daftar produk"
            r"|list produk)(?: lengkap| semua)?",
            r"(?:mau|pengen|pingin|saya mau|aku mau|bisa|boleh) (?:pesan|pesen|order|beli|belanja)",
            r"(?:cara|gimana cara) (?:pesan|pesen|order|beli)nya",
            r"(?:jual|jualan|jualannya) apa",
            r"order|pesan|pesen|belanja",
        ),
        Ask.STATUS: (
            r"(?:cek |status |lihat |liat |info |kabar |tanya |mau cek |cek status |tanya status )"
            rf"{_ORDER}{_MINE}",
            rf"{_ORDER}{_MINE} (?:gimana|gmn|bagaimana|sampai mana|sampe mana|sudah sampai mana"
            r"|udah sampe mana|apa kabar|statusnya(?: gimana| apa)?|sudah masuk belum|udah masuk belum"
            r"|sudah diproses belum|udah diproses belum)",
            r"status (?:pembayaran|bayar|pembayarannya)(?: saya| aku)?",
            r"(?:pembayaran|pembayarannya|bayarnya|transferan|transferannya|transfernya|pembayaranku|transferanku)"
            rf"{_MINE} (?:sudah|udah|sdh|udh) (?:masuk|diterima|terima|sampai|sampe)(?: belum| blm)?",
            rf"{_ORDER}(?: saya| aku| ku)?",
        ),
        Ask.CANCEL: (
            rf"(?:{_ASK} )?(?:batal|batalkan|batalin|dibatalkan|cancel|cancelin|hapus|stop) (?:saja )?"
            rf"{_ORDER}{_MINE}",
            rf"{_ORDER}{_MINE} (?:batal|dibatalkan|dibatalin|batalin|batalkan|cancel)",
            r"(?:tidak|gak|ga|nggak|enggak|ngga|gk) jadi (?:pesan|pesen|order|beli|pesanannya)",
        ),
        Ask.LINK: (
            rf"(?:{_ASK} )*(?:ulang )?{_LINK}(?: bayar| pembayaran| bayarnya| pembayarannya)?{_AGAIN}",
            rf"{_LINK}(?: bayar| pembayaran| bayarnya)? (?:mana|mn|hilang|kehapus|expired|kadaluarsa"
            r"|kedaluwarsa|tidak bisa|gak bisa|ga bisa|nggak bisa|mati|error)(?: dibuka| diklik)?",
            r"(?:minta |kirim |berapa |nomor |no )*(?:rekening|norek|rek|rekeningnya|noreknya)"
            r"(?: berapa| mana)?(?: lagi)?",
            r"(?:bayar|bayarnya|transfer|transfernya) (?:kemana|ke mana|kmn|gimana|gmn|lewat mana"
            r"|di mana|dimana)",
        ),
        Ask.INVOICE: (rf"(?:{_ASK} )*(?:ulang )?{_INVOICE}{_AGAIN}(?: mana)?{_MINE}",),
        Ask.PAID: (
            rf"(?:saya |aku |sy |ini )?{_HAVE} (?:saya |aku |sy |di ?|ku ?|tak )?{_PAY}"
            r"(?: tadi| barusan| ke (?:bca|bri|bni|mandiri|bsi|rekening))*",
            r"(?:ini |berikut )?(?:bukti|bukti transfer|bukti tf|bukti bayar|bukti transfernya"
            r"|buktinya)(?: transfer| bayar)?",
        ),
    }.items()
)
# "sudah" alone is an answer to many things; "order" alone is one of the menu's words.
_TOO_SHORT_FOR_PAID = word_set("sudah sdh udah udh dah telah barusan baru habis abis")


def order_id_in(text: str) -> str | None:
    """The first order's number in the text, as it is stored; None when there is none.

    Of the text as it was written: what is normalised may have lost one of three equal letters.
    """
    found = _ORDER_ID.search(text)
    return found[0].upper() if found else None


def without_order_id(text: str) -> str:
    """The text without the numbers of orders."""
    return _ORDER_ID.sub(" ", text)


def asked(text: str) -> Asked | None:
    """The request that the whole message makes; a question mark changes nothing."""
    order_id = order_id_in(text)
    rest = without_order_id(text)
    words = without(spoken(rest), CALLS, PARTICLES)
    if not words or len(words) > _MOST_WORDS:
        # An order's number alone asks how it stands.
        return Asked(ask=Ask.STATUS, order_id=order_id) if order_id and not words else None
    if len(words) == 1 and words[0] in _TOO_SHORT_FOR_PAID:
        return None
    line = " ".join(word for word in words if word not in ("nomor", "no") or order_id is None)
    for ask, pattern in _PATTERNS:
        if pattern.match(line):
            return Asked(ask=ask, order_id=order_id)
    return None
