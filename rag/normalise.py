"""Customer text to comparable words: pure, no I/O but the slang table's one-time load."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rag.slang import dictionary, plain_words

_TOKEN = re.compile(r"[^\W_]+")
_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}")
# A seventh of the other's time, and most texts have no run of anything.
_ANY_RUN = re.compile(r"(.)\1\1")
# Runs that mean something: web addresses, clothes sizes (XXL), Roman numerals.
_MEANT_RUN = re.compile(r"www|x{3,}[ls]?|[vx]{0,3}i{3}")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})


# The rules, the search and the check of the answer ask for the same message's in turn.
@lru_cache(maxsize=64)
def normalise(text: str) -> str:
    """One line, lower case, NFKC, without control and bidi characters; "kakkkk" becomes "kak". Idempotent."""
    # A text has few different characters, so each of them is looked at once.
    hidden = [c for c in set(text) if not c.isspace() and unicodedata.category(c) in _DROPPED_CATEGORIES]
    # Before NFKC, for a hidden character can stand between a letter and its accent.
    visible = text.translate(dict.fromkeys(map(ord, hidden))) if hidden else text
    if visible.isascii():
        text = visible.lower()
    else:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).lower())
    if _ANY_RUN.search(text) and _LONG_RUN.search(text):
        text = _TOKEN.sub(_squeeze, text)
    return " ".join(text.split())


def _squeeze(match: re.Match[str]) -> str:
    token = match[0]
    return token if _MEANT_RUN.fullmatch(token) else _LONG_RUN.sub(r"\1", token)


_DIGIT = re.compile(r"\d")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{3})+)(?:,(?:00|-))?(?![.,]?\d)")
_SCALED = re.compile(
    r"(?<![\w.,])(?P<rp>rp\.?\s?)?(?P<number>\d+(?:[.,]\d{1,2})?)(?P<scale>\s?(?:rb|ribu|jt|juta)|k)(?:an)?\b"
)
_RP = re.compile(r"\brp\.?\s?(?=\d)")
_UNIT = re.compile(
    r"(?<![^\W_])(\d+)(mbps|kbps|mb|gb|tb|kg|gram|gr|ml|liter|ltr|cm|mm|meter|m|inch|watt|w|volt|v|mah"
    r"|hari|hr|bulan|bln|tahun|thn|th|jam|menit|mnt|pcs|lusin|orang|org|pax)\b"
)
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’`ʼ](?=[^\W\d_])")


def words(text: str) -> list[str]:
    """Lower-case tokens of letters and digits without diacritics.

    Numbers meet however they are written: "275.000", "Rp275.000" and "275rb" all give "275000", and
    "20mbps" gives "20" and "mbps". Codes such as "IH20" stay whole.
    """
    text = text.lower()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    if _DIGIT.search(text):
        text = _GROUPED.sub(lambda m: m[1].replace(".", "").replace(",", ""), text)
        text = _SCALED.sub(_written_out, text)
        text = _UNIT.sub(r"\1 \2", _RP.sub("rp ", text))
    return _TOKEN.findall(_APOSTROPHE.sub("", text))


def _written_out(match: re.Match[str]) -> str:
    factor = 1_000_000 if match["scale"].strip().startswith("j") else 1_000
    whole, _, part = match["number"].replace(",", ".").partition(".")
    # Decimal digits shifted by hand: no float may come near an amount.
    amount = int(whole) * factor + (int(part) * factor // 10 ** len(part) if part else 0)
    return f"{'rp ' if match['rp'] else ''}{amount}"


# Two ways to say one thing; the right side is what is searched for, in questions and passages alike.
_PHRASES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("ongkos", "kirim"): ("ongkir",),
    ("biaya", "kirim"): ("ongkir",),
    ("biaya", "pengiriman"): ("ongkir",),
    ("ongkos", "pengiriman"): ("ongkir",),
    ("cash", "on", "delivery"): ("cod",),
    ("bayar", "di", "tempat"): ("cod",),
    ("matur", "terima", "kasih"): ("terima", "kasih"),
    ("hatur", "terima", "kasih"): ("terima", "kasih"),
    ("wi", "fi"): ("wifi",),
    ("pre", "order"): ("preorder",),
    ("check", "out"): ("checkout",),
}
_PHRASE_HEADS = frozenset(phrase[0] for phrase in _PHRASES)
_LONGEST_PHRASE = max(map(len, _PHRASES))


def expand_slang(words: Sequence[str]) -> list[str]:
    """Plain words for chat ones: "brp" is "berapa", "ongkirnya" and "ongkos kirim" are "ongkir"."""
    plain = [part for word in words for part in _plain(word)]
    if _PHRASE_HEADS.isdisjoint(plain):
        return plain
    result: list[str] = []
    at = 0
    while at < len(plain):
        for length in range(_LONGEST_PHRASE, 1, -1):
            if replacement := _PHRASES.get(tuple(plain[at : at + length])):
                result.extend(replacement)
                at += length
                break
        else:
            result.append(plain[at])
            at += 1
    return result


def search_text(text: str) -> str:
    """What the word index stores and what is looked up in it. Stop words stay: the index weighs them."""
    return " ".join(expand_slang(words(normalise(text))))


_DOUBLED = re.compile(r"([^\W\d_])\1")
_REPEATED = re.compile(r"([^\W\d_]{3,})2")
# Endings that look like suffixes but belong to the word.
_WHOLE_TEXT = """
bertanya ditanya adalah masalah sekolah berlaku selaku perilaku pelaku tungku bangku tengku pangku ketemu
bertemu bertamu langkah berkah nikah company
"""
_WHOLE = frozenset(_WHOLE_TEXT.split())
# Stems that take the Javanese -e / -ne / -ipun and our suffixes in shop chat.
_SHOP_STEMS_TEXT = """
harga ongkir paket stok barang toko warna ukuran alamat nomor rekening jam bayar kirim promo diskon
garansi produk jenis motif bahan kualitas layanan wifi internet kode resi admin menu rasa isi berat ongkos
biaya tarif invoice model merk foto katalog jadwal syarat cara lokasi cabang voucher tagihan pesanan
"""
_SHOP_STEMS = frozenset(_SHOP_STEMS_TEXT.split())
_NEVER_STRIPPED_SHORTER_THAN = 3


@lru_cache(maxsize=16_384)
def _plain(word: str) -> tuple[str, ...]:
    table = dictionary()
    if word in table:
        return table[word]
    if not word.isalpha():
        # "kira2" is "kira-kira", but "paket2" may be a name: both are kept.
        repeated = _REPEATED.fullmatch(word)
        return (word, *_plain(repeated[1])) if repeated else (word,)
    if _is_plain(word) or word in _WHOLE:
        return (word,)
    single = _DOUBLED.sub(r"\1", word)
    if single != word and (_is_plain(single) or single in table):
        return _plain(single)
    stem = _stem(word)
    return _plain(stem) if stem else (word,)


def _stem(word: str) -> str | None:
    """The word without a light suffix, or None where that would be a guess."""
    if word.endswith("nya") and len(word) - 3 >= _NEVER_STRIPPED_SHORTER_THAN:
        return word[:-3]
    for suffix in ("ku", "mu"):
        # Long enough to be a word of its own ("pesananku"); short ones only when the stem is known.
        if word.endswith(suffix) and (len(word) >= 7 or _is_plain(word[:-2])):
            return word[:-2]
    for suffix in ("nye", "kah", "lah", "ny", "x"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 2 and _is_known(word[: -len(suffix)]):
            return word[: -len(suffix)]
    for suffix in ("ipun", "ne", "e"):
        if word.endswith(suffix) and word[: -len(suffix)] in _SHOP_STEMS:
            return word[: -len(suffix)]
    return None


def _is_known(word: str) -> bool:
    return _is_plain(word) or word in dictionary()


def _is_plain(word: str) -> bool:
    return word in _SHOP_STEMS or (word in plain_words() and not word.endswith("nya"))
