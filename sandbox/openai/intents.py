"""What a customer's message is after, as patterns: a person, a complaint, their own words, a list."""

from __future__ import annotations

import re


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL)


def _any_word(*alternatives: str) -> re.Pattern[str]:
    return _pattern(rf"\b(?:{'|'.join(alternatives)})\b")


_PERSON = (
    r"(?:admin(?:nya)?|mimin|cs|customer service|operator|manusia|orang(?:nya)? (?:asli|beneran|langsung)"
    r"|owner(?:nya)?|pemilik(?:nya)?|staf+(?:nya)?)"
)
_APPROACH = (
    r"(?:mau|minta|tolong|hubung\w*|sambung\w*|bicara|ngobrol|chat|ngomong|panggil\w*|ketemu|(?:di)?alihkan)"
)
_PAID = r"(?:su?dah|udah|udh|sdh|dah|habis) (?:saya |aku |di)?(?:transfer|tf|trf|bayar|lunas|byr)\w*"
_BUT = r"(?:tapi|tp|kok|knp|kenapa|belum|blm|blum|gak|ga|tidak|ditagih|masih)"

ASKS_PERSON = _pattern(
    rf"\b{_APPROACH}\b[^.?!\n]{{0,30}}\b{_PERSON}\b",
    r"\bbukan (?:bot|robot)\b",
    rf"\A\W*{_PERSON}(?: (?:dong|donk|please|kak|ya|min))*\W*\Z",
)
# "Biaya admin berapa?" and "jam kerja admin" are ordinary questions.
_ABOUT_ADMIN = _any_word(r"(?:biaya|ongkos|tarif|fee|jam|potongan)\s+(?:kerja\s+)?admin")
COMPLAINT = _any_word(
    r"kecewa\w*",
    r"penipu\w*|nipu|ditipu|tertipu|bohong\w*|pembohong",
    r"parah banget|ga(?:k)? becus",
    r"lapor(?:kan|in)? (?:ke )?polisi",
    r"(?:kapok|kesal|kesel|marah) (?:banget|sekali|saya|aku)",
    r"(?:kembali(?:kan|in)|balik(?:in|kan)) (?:uang|duit)\w*",
)
_PAYMENT_DISPUTE = _pattern(
    rf"\b{_PAID}\b.{{0,80}}?\b{_BUT}\b",
    r"\b(?:saldo|uang|duit)\w*(?: \w+){0,2} (?:ke|ter)potong\b",
    r"\b(?:ke|ter|di)?(?:bayar|tagih|charge)\w* (?:dua|2)\s?(?:kali|x)\b",
)

PAST = _any_word(
    r"tadi|kemar[ie]n|kemaren|kmrn|dulu|sebelumnya|terakhir|waktu itu",
    r"(?:minggu|bulan) lalu|pernah|(?:masih )?ingat|inget",
)
OWN = _any_word(r"saya|sy|aku|ak|gue|gw|gua|kami|kita|\w{3,}ku")
OWN_THING = _pattern(
    r"\b(?:nama|alamat|nomor|pesanan|order(?:an)?|ukuran|pilihan)"
    r"(?:ku\b|\s?(?:nya )?(?:saya|aku|gue|gw|kami)\b)"
)
SAID = _any_word(
    r"bilang|ngomong|tanya\w*|nanya\w*|sebut\w*|cerita\w*|minta|pesan|pesen|order|beli|tulis|kasih tahu"
)
ASKING = _pattern(
    r"\?",
    r"\b(?:apa|apakah|berapa|brp|siapa|kapan|mana|dimana|gimana|bagaimana|kenapa|inget|ingat)\b",
)
REFERS_BACK = _pattern(
    r"\b(?:itu|tadi|tersebut|yang (?:ini|satunya|lain)|kalau|kalo|klo|terus|trus|lalu|segitu)\b|\w{3,}nya\b"
)
WANTS_LIST = _any_word(
    r"apa (?:saja|aja|ajah)|daftar|list|price ?list|semua|pilihan(?:nya)?|macam(?:nya|-macam)?",
    r"varian(?:nya)?|jenis(?:nya)?|katalog(?:nya)?",
)
ASKS_STOCK = _any_word(r"stok\w*|stock|ready|redi|tersedia|sisa|habis|kosong|masih ada")
SAYS_GONE = _any_word(r"habis|kosong")
# A question after an amount or a time is answered only by a passage that states one.
WANTS_MONEY = _pattern(
    r"\b(?:harga|harganya|tarif\w*|biaya\w*|ongkos\w*|ongkir\w*|bayar\w*|kena|habis|jadinya|jatuhnya)\b"
    r"[^.?!\n]{0,40}\bberapa\b(?!\s+(?:lama|hari|jam|menit|minggu))",
    r"\bberapa (?:rupiah|duit|uang|harga|biaya|tarif|ongkos|ongkir)",
)
WANTS_TIME = _pattern(
    r"\b(?:kapan|berapa (?:lama|hari|jam|menit|minggu)|(?:jam|pukul|tanggal) berapa|hari apa)\b"
)
STATES_MONEY = _pattern(r"\bRp\.?\s?\d", r"\b(?:gratis|persen|bebas biaya|tanpa (?:biaya|tambahan))\b", "%")
STATES_TIME = _pattern(
    r"\b(?:\d+|satu|dua|tiga) ?(?:hari|jam|menit|minggu|bulan|tahun)\b",
    r"\b(?:jam|pukul|tanggal|tgl) \d|\d[.:]\d\d\b",
    r"\b(?:senin|selasa|rabu|kamis|jumat|sabtu|minggu|besok|lusa|langsung|seketika)\b",
    r"\bhari (?:ini|yang sama|kerja)\b",
)
THANKS = _any_word(r"makasi\w*|terima ?kasi\w*|thanks?|thx|tengkyu|suwun")
ADDRESSED = _any_word(r"kak(?:ak)?")


def wants_person(message: str) -> bool:
    """True when the customer asks for a person, complains strongly, or disputes a payment."""
    if COMPLAINT.search(message) or _PAYMENT_DISPUTE.search(message):
        return True
    return ASKS_PERSON.search(message) is not None and not _ABOUT_ADMIN.search(message)


def about_own_words(message: str) -> bool:
    """True when the customer asks what they said or ordered before ("tadi aku bilang alamatku di mana?")."""
    if not ASKING.search(message):
        return False
    past = PAST.search(message) is not None and OWN.search(message) is not None
    return (past and SAID.search(message) is not None) or OWN_THING.search(message) is not None
