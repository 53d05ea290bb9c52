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
    r"\b(?:nama|alamat|nomor|kode|pesanan|order(?:an)?|ukuran|pilihan|jadwal|kecamatan|desa)"
    r"(?:ku\b|\s\w{3,}ku\b|\s?(?:nya )?(?:\w+ )?(?:saya|aku|gue|gw|kami)\b)[^.!]{0,40}"
    r"\b(?:apa|berapa|siapa|mana|kapan|dimana|inget|ingat|tadi)\b",
    r"\b(?:apa|berapa|siapa|mana|kapan|dimana|inget|ingat|tadi)\b[^.!]{0,40}"
    r"\b(?:nama|alamat|nomor|kode|pesanan|order(?:an)?|ukuran|pilihan|jadwal)(?:ku\b|\s(?:saya|aku|gue|gw|kami)\b)",
)
SAID = _any_word(
    r"bilang|ngomong|tanya\w*|nanya\w*|sebut\w*|cerita\w*|minta|pesan|pesen|order|beli|tulis|kasih tahu"
)
# How this customer's own order, payment or visit stands: no shop's texts can say that.
ABOUT_STATUS = _pattern(
    r"\b(?:su?dah|udah|udh|sdh|dah)\b(?: \w+){0,3} (?:belum|blm|blom)\b.{0,20}$",
    r"\b(?:su?dah|udah|udh|sdh) (?:sampai|sampe|nyampe|di) ?mana\b",
    r"\bkok (?:belum|blm) (?:juga )?(?:sampai|sampe|datang|dateng|masuk|diproses|dikirim)\b",
)
STATUS_OWN = _any_word(
    r"saya|sy|aku|ak|gue|gw|kami|\w{3,}(?:ku|an (?:saya|aku))|tadi|td|kemar[ie]n|kmrn|pesanan\w*|orderan\w*"
    r"|transferan\w*|paketku|teknisinya|kurirnya|janjinya|barangnya"
)
SELF_QUOTE = _pattern(
    r"\b(?:saya|sy|aku|ak|gue|gw)\b(?: \w+)? (?:bilang|ngomong|sebut\w*|cerita\w*)\b[^.!]*"
    r"\b(?:apa|berapa|brp|siapa|mana|kapan|dimana|dmn)\b",
    r"\b(?:apa|berapa|brp|siapa|mana|kapan|dimana|dmn)\b[^.!]*"
    r"\b(?:saya|sy|aku|ak|gue|gw)\b(?: \w+)? (?:bilang|ngomong|sebut\w*)\b",
)
SHOP_SAID = _pattern(
    r"\b(?:katanya|kata (?:kak\w*|admin|toko)|(?:kakak|admin|toko) (?:tadi )?(?:bilang|jawab))\b"
)
ASKING = _pattern(
    r"\?",
    r"\b(?:apa|apakah|berapa|brp|siapa|kapan|mana|dimana|gimana|bagaimana|kenapa|inget|ingat)\b",
)
# Beside the wish for a person or a complaint something is asked that texts can answer.
ASKS_MORE = _any_word(
    r"berapa|brp|kapan|kpn|jam|dimana|di mana|dmn|gimana|gmn|bagaimana|kalau|kalo|klo|misal\w*"
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
# A question after an amount, a time, a name is answered only by a passage that states one.
WANTS_MONEY = _pattern(
    r"\b(?:harga|tarif\w*|biaya\w*|ongkos\w*|ongkir\w*|bayar\w*|kena|habis|jadinya|jatuhnya)\b"
    r"[^.?!\n]{0,40}\bberapa\b(?!\s+(?:lama|hari|jam|menit|minggu))",
    r"\bberapa (?:rupiah|uang|harga|biaya|tarif|ongkos|ongkir)",
)
WANTS_TIME = _pattern(
    r"\b(?:(?:berapa|seberapa) (?:lama|hari|jam|menit|minggu|bulan|tahun)"
    r"|(?:jam|pukul|tanggal|hari) (?:berapa|apa))\b"
)
WANTS_NAME = _pattern(r"\b(?:nama|pemilik|pimpinan|direktur|ceo|bos|pendiri)\w*\b")
WANTS_PLACE = _pattern(
    r"(?<!entah )\bdimana\b(?! (?:mana|pun))",
    r"\b(?:sebelah|bagian|daerah|alamat\w*|lokasi\w*) (?:mana|dimana)\b",
)
WANTS_PHONE = _pattern(
    r"\bnomor (?:telepon|hp|whatsapp|kontak|cs|admin|teknisi)\b", r"\b(?:telepon|whatsapp)(?:nya)? berapa\b"
)
WANTS_ACCOUNT = _pattern(r"\b(?:nomor rekening|rekening(?:nya)? (?:berapa|apa|mana|atas))\b")
STATES_MONEY = _pattern(r"\bRp\.?\s?\d", r"\b(?:gratis|persen|bebas biaya|tanpa (?:biaya|tambahan))\b", "%")
_NUMBER_WORDS = (
    r"(?:\d+|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|sepuluh|setengah|beberapa|tiap|setiap)"
)
STATES_AMOUNT = _pattern(r"\d", rf"\b{_NUMBER_WORDS}\b|\bse(?:per\w+|tengah|paruh|lembar|buah|orang)\b")
STATES_TIME = _pattern(
    rf"\b{_NUMBER_WORDS} ?(?:hari|jam|menit|minggu|bulan|tahun)\b",
    r"\bse(?:hari|jam|minggu|bulan|tahun)(?:an)?\b|\b24 ?jam\b",
    r"\b(?:jam|pukul|tanggal|tgl|H[-+]) ?\d|\d[.:]\d\d\b",
    r"\b(?:senin|selasa|rabu|kamis|jumat|sabtu|minggu|besok|lusa|langsung|seketika)\b",
    r"\b(?:hari|bulan|minggu) (?:ini|yang sama|kerja|depan|berikutnya|libur)\b",
)
STATES_MOMENT = _pattern(
    STATES_TIME.pattern, r"\b(?:setelah|sesudah|sebelum|begitu|saat|ketika|sejak|selama|kapan saja|sewaktu)\b"
)
STATES_NAME = re.compile(
    r"\b(?:Pak|Bu|Mas|Mbak|Bapak|Ibu|nama|namanya|bernama|oleh|adalah) (?:[Aa]dalah )?[A-Z]"
)
STATES_PERSON = re.compile(
    STATES_NAME.pattern + r"|\b(?:orang|admin|pemilik|pelanggan|teknisi|kurir|petugas|anak|warga|karyawan)\b"
)
STATES_PLACE = re.compile(
    r"\b(?:Jl|Jalan|jalan|Ruko|ruko|Gedung|Blok|Desa|Kelurahan|Kecamatan|dekat|seberang|sebelah|samping|lantai"
    r"|alamat|depan|belakang|tengah|atas|bawah|luar|dalam|lewat|toko|rumah)\b|\b(?:di|ke|lewat) \w{3,}"
)
STATES_PHONE = _pattern(r"(?:\+62|\b62|\b0)\d{2,3}[- ]?\d{3,}|wa\.me/|\bnomor ini\b|\bchat ini\b")
STATES_ACCOUNT = _pattern(r"\b\d{8,}\b|\b(?:bca|bri|bni|mandiri|bsi|qris)\b")
# Words by which a shop says that something is for sale, or to be had at all, or that it is not.
SELLS = _any_word(r"jual|menjual|dijual|tersedia|menyediakan|disediakan|stok|Rp ?\d+")
OFFERS = _any_word(
    r"ada|adanya|jual|menjual|dijual|sedia|tersedia|menyediakan|disediakan|terima|menerima|diterima|punya",
    r"bisa|boleh|dapat|gratis|melayani|membuat|buat|pilihan|belum|tidak|hanya|Rp ?\d+",
)
THANKS = _any_word(r"makasi\w*|terima ?kasi\w*|thanks?|thx|tengkyu|suwun")
ADDRESSED = _any_word(r"kak(?:ak)?")


def wants_person(message: str) -> bool:
    """True when the customer asks for a person, complains strongly, or disputes a payment."""
    if COMPLAINT.search(message) or _PAYMENT_DISPUTE.search(message):
        return True
    return ASKS_PERSON.search(message) is not None and not _ABOUT_ADMIN.search(message)


def about_own_words(message: str) -> bool:
    """True when the customer asks what was said or ordered before ("tadi aku bilang alamatku di mana?")."""
    if not ASKING.search(message):
        return False
    if SHOP_SAID.search(message) or SELF_QUOTE.search(message) or OWN_THING.search(message):
        return True
    past = PAST.search(message) is not None
    return past and SAID.search(message) is not None and OWN.search(message) is not None


def about_status(message: str) -> bool:
    """True when a customer asks how their own order or payment stands ("uangku sudah masuk belum?")."""
    return ABOUT_STATUS.search(message.strip(" ?!.")) is not None and STATUS_OWN.search(message) is not None
