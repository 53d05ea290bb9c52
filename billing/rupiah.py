"""Rupiah amounts: strict for what is charged, generous for what is read in prose."""

import math
import re
from decimal import Decimal

# No single price is near this; a larger one is a slip of the keyboard.
MAX_IDR = 1_000_000_000_000

# A leading zero means that a phone number or a code stands in the price column.
_PLAIN = re.compile(r"0|[1-9]\d*")
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{3})+")
# Three decimals of a rupiah do not exist, so "275,000" can only be the English way of grouping.
_COMMAED = re.compile(r"\d{1,3}(?:,\d{3})+")
_PREFIX = re.compile(r"^(?:rp|idr)\.?\s*", re.IGNORECASE)
# "275.000,-", "275.000,00" and "275.000.-" all say "and no cents".
_NO_CENTS = re.compile(r"(?:,00?|[.,]\s*[-–—]+)$")

_SCALE = {
    "k": 1_000,
    "rb": 1_000,
    "rbu": 1_000,
    "ribu": 1_000,
    "jt": 1_000_000,
    "juta": 1_000_000,
    "miliar": 1_000_000_000,
    "milyar": 1_000_000_000,
    # Customers write English, Javanese and Sundanese as well.
    "thousand": 1_000,
    "ewu": 1_000,
    "rebu": 1_000,
    "rébu": 1_000,
    "million": 1_000_000,
    "yuta": 1_000_000,
    "billion": 1_000_000_000,
}
# Spaces are bounded in these patterns, so that a message of twenty thousand of them costs nothing.
_RP = r"(?:\b(?:rp|idr)\.?\s{0,3})"
# A number of prose: grouped by dots or commas (and perhaps cents), or plain with at most two decimals.
_NUMBER = r"(?:\d{1,3}(?:[.,]\d{3})+(?:,00)?|\d+(?:[.,]\d{1,2})?)(?![.,]?\d)"
# "k" only counts when it is glued to its number ("150k"); "150 k" is rarely money.
_WORD = (
    r"(?:\s?(?:ribu|rbu|rb|juta|jt|miliar|milyar|ewu|rebu|rébu|yuta|(?:thousand|million|billion)"
    r"(?!\s(?:\w+\s)?(?:people|customers|users|buyers|followers|orders|units|pcs|pieces|items|reviews))"
    r")|k)(?:-?an)?\b"
)
# After these a bare number is a price; elsewhere it may be a year, an order number or a postcode.
_CUE_WORDS = (
    "harga|seharga|biaya|total|bayar|tarif|ongkir|sebesar|diskon|cicilan|deposit|dp"
    "|prices?|costs?|fee|shipping|pay|discount|regi|regane|pangaos"
)
_CUE = rf"(?:{_CUE_WORDS})(?:nya)?(?:\s(?:is|of|only))?\s{{0,3}}[:=]?\s{{0,3}}"
# A grouped number in front of one of these counts things, not rupiah.
_COUNTED = (
    r"(?:orang|pelanggan|pengguna|pembeli|unit|pcs|buah|kali|km|meter|m2|mah|mbps|kbps|gb|mb|kg|gram|gr"
    r"|ml|liter|watt|hari|jam|menit|poin|point|lembar|kata|follower|followers|people|customers?|users?|buyers?"
    r"|pieces?|items?|orders?|times|days?|hours?|minutes?|points?|words?|reviews?|mm|cm|wh|volt)\b"
)
_AMOUNT = re.compile(
    # Nothing below begins otherwise, and seven attempts at every letter take four times as long as this one.
    rf"(?=\d|\b(?:rp|idr|{_CUE_WORDS}))(?:"
    rf"(?P<compound>{_RP}?(?<![\w.,])(?P<jt>\d+)\s?(?:juta|jt|yuta|million)\s(?P<rb>\d{{1,3}})\s?"
    r"(?:ribu|rbu|rb|ewu|rebu|rébu|thousand)\b)"
    rf"|(?P<range>{_RP}?(?<![\w.,])(?P<low>{_NUMBER})\s?(?:-|–|—|s/d|sampai|hingga)\s?{_RP}?"
    rf"(?P<high>{_NUMBER})(?P<rscale>{_WORD}))"
    rf"|(?P<scaled>(?:{_RP}|(?<![\w.,]))(?P<sval>{_NUMBER})(?P<sscale>{_WORD}))"
    rf"|(?P<marked>{_RP}(?P<mval>{_NUMBER}))"
    rf"|(?P<named>(?<![\w.,])(?P<nval>{_NUMBER})\s?(?:rupiah|perak)\b)"
    rf"|(?P<cued>\b{_CUE}(?P<cval>\d{{4,9}})(?![.,]?\d)(?!\w))"
    rf"|(?P<grouped>(?<![\w.,+-])(?P<gval>[1-9]\d{{0,2}}(?:[.,]\d{{3}})+)(?![.,]?\d)(?!\w)"
    rf"(?!\s{{0,3}}{_COUNTED})))",
    re.IGNORECASE,
)


def parse_rupiah(value: str | int | float) -> int:
    """Whole rupiah from a price as an owner writes it: 275000, "275.000", "Rp275.000", "Rp 275.000,-".

    Raises ValueError with an Indonesian sentence that says what to write instead. It never guesses:
    "150rb" or "1,5 juta" are refused, for a misread price would be charged.
    """
    if isinstance(value, bool):
        raise ValueError("bukan harga; tulis angka saja, misalnya 275000")
    if isinstance(value, str):
        return _within_bounds(_parse_text(value))
    if isinstance(value, float):
        if not math.isfinite(value) or value != int(value):
            raise ValueError("harus rupiah bulat tanpa sen; tulis misalnya 275000")
        value = int(value)
    if value < 0:
        raise ValueError("tidak boleh minus; tulis misalnya 275000")
    return _within_bounds(value)


def format_rupiah(amount_idr: int) -> str:
    """150000 as "Rp150.000", the way Indonesian receipts write it."""
    sign = "-" if amount_idr < 0 else ""
    return f"{sign}Rp{abs(amount_idr):,}".replace(",", ".")


def amounts_in(text: str) -> list[int]:
    """Every rupiah amount in prose, in order: "Rp150.000", "150rb", "1,5 juta", "150-200 ribu".

    Plain counts ("20 Mbps", "2026", "10.000 pelanggan") are left out. Used to check that a price in an
    answer also stands in its source, so an amount that only looks like money errs on the safe side.
    """
    amounts: list[int] = []
    for match in _AMOUNT.finditer(text):
        amounts.extend(_amounts_of(match))
    return amounts


def _amounts_of(match: re.Match[str]) -> list[int]:
    if match["compound"]:
        return [int(match["jt"]) * 1_000_000 + int(match["rb"]) * 1_000]
    if match["range"]:
        scale = _scale_of(match["rscale"])
        low, high = _whole(match["low"], scale), _whole(match["high"], scale)
        # "Rp150.000 - 1 juta": the lower end is already written out, its own scale is one.
        return [_whole(match["low"], 1) if low > high else low, high]
    if match["scaled"]:
        # "TV 4K" and "video 8K" are resolutions, unless somebody wrote Rp in front.
        if match["scaled"].lower() in {"4k", "8k"}:
            return []
        return [_whole(match["sval"], _scale_of(match["sscale"]))]
    if match["cued"]:
        amount = int(match["cval"])
        return [] if 1990 <= amount <= 2099 else [amount]  # "Tarif 2026" names a year.
    return [_whole(match["mval"] or match["nval"] or match["gval"], 1)]


def _scale_of(word: str) -> int:
    word = word.strip().lower()
    return _SCALE.get(word) or _SCALE[word.removesuffix("an").removesuffix("-")]


def _whole(number: str, scale: int) -> int:
    number = number.removesuffix(",00")
    if _DOTTED.fullmatch(number) or _COMMAED.fullmatch(number):
        return int(number.replace(".", "").replace(",", "")) * scale
    return int(Decimal(number.replace(",", ".")) * scale)


def _parse_text(value: str) -> int:
    text = value.strip()
    bare = _NO_CENTS.sub("", _PREFIX.sub("", text)).strip()
    if not bare:
        raise ValueError("kosong; tulis angka saja, misalnya 275000")
    if bare.startswith(("-", "−")):
        raise ValueError("tidak boleh minus; tulis misalnya 275000")
    # isascii keeps digits of other scripts out: they are never typed on purpose in a price list.
    if bare.isascii() and (_PLAIN.fullmatch(bare) or _DOTTED.fullmatch(bare) or _COMMAED.fullmatch(bare)):
        return int(bare.replace(".", "").replace(",", ""))
    meant = amounts_in(text)
    example = str(meant[0]) if len(meant) == 1 and meant[0] >= 1_000 else "275000"
    raise ValueError(f"tidak bisa dibaca sebagai harga; tulis angka lengkapnya, misalnya {example}")


def _within_bounds(amount: int) -> int:
    if amount > MAX_IDR:
        raise ValueError("terlalu besar untuk sebuah harga; periksa jumlah nolnya")
    return amount
