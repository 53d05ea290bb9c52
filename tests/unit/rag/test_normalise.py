import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import slang
from rag.normalise import expand_slang, normalise, search_text, words


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Kakkkk", "kak"),
        ("  Halo\n\n kak\t ", "halo kak"),
        ("BISAAAA???", "bisa???"),
        ("saat maaf google", "saat maaf google"),
        ("www.toko.id XXXL bagian III 10000", "www.toko.id xxxl bagian iii 10000"),
        ("har\u200bga\u202e \u2066IH20\u2069", "harga ih20"),
        ("a\x00b\x07c\x7f", "abc"),
        ("１０ Ｍbps", "10 mbps"),
        ("𝗛𝗔𝗥𝗚𝗔", "harga"),
        ("e\u200b\u0301", "é"),
        ("", ""),
    ],
)
def test_spelling_for_show_and_hidden_characters_disappear(raw: str, clean: str) -> None:
    assert normalise(raw) == clean


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in once)


@given(st.text())
def test_words_are_plain_letters_and_digits_and_none_is_empty(text: str) -> None:
    assert all(re.fullmatch(r"[^\W_]+", word) for word in words(normalise(text)))


@pytest.mark.parametrize(
    ("raw", "tokens"),
    [
        ("Café, kak!", ["cafe", "kak"]),
        ("Rp275.000", ["rp", "275000"]),
        ("Rp 275.000,- / 275rb / 275 ribu / 275k", ["rp", "275000", "275000", "275000", "275000"]),
        ("1,5jt", ["1500000"]),
        ("0,29 juta", ["290000"]),
        ("20mbps 500gr", ["20", "mbps", "500", "gr"]),
        ("IH20 DMJ-3 4G", ["ih20", "dmj", "3", "4g"]),
        ("jum'at ma’af", ["jumat", "maaf"]),
        ("08.00-16.30", ["08", "00", "16", "30"]),
        ("👍🏽 🙏", []),
    ],
)
def test_words_meet_however_they_are_written(raw: str, tokens: list[str]) -> None:
    assert words(raw) == tokens


@pytest.mark.parametrize(
    ("chat", "plain"),
    [
        ("Brp harganyaaa kakkkk??", "berapa harga kak"),
        ("gmn cara ordernya sis", "bagaimana cara order kak"),
        ("ongkirny ke jkt brp", "ongkir ke jakarta berapa"),
        ("ongkos kirimnya brp", "ongkir berapa"),
        ("udh tf ya kk, blm dibls", "sudah transfer ya kak belum dibalas"),
        ("bs bayar di tempat gak", "bisa cod tidak"),
        ("bisakah cod", "bisa cod"),
        ("tokonya dmn", "toko di mana"),
        ("kpn dikirim? lg nunggu trs nih", "kapan kirim lagi nunggu terus ini"),
        ("utk yg 20mbps krn dgn klo", "untuk yang 20 mbps karena dengan kalau"),
        ("pesananku blm nyampe", "pesanan belum sampai"),
        ("mksh bnyk", "terima kasih banyak"),
        ("no rek bca brp", "nomor rekening bca berapa"),
        ("bissa hargaa mantappp", "bisa harga mantap"),
        ("kira2 kpn", "kira2 kira kapan"),
        # Javanese, as customers in Klaten write it.
        ("piro regane paket IH20", "berapa harga paket ih20"),
        ("iso cod ora", "bisa cod tidak"),
        ("ono wifi saiki? piye carane tuku", "ada wifi sekarang bagaimana cara beli"),
        ("ongkire pinten nggih", "ongkir berapa iya"),
        ("nopo saget", "apa bisa"),
        ("matur nuwun", "terima kasih"),
    ],
)
def test_shop_chat_becomes_plain_indonesian(chat: str, plain: str) -> None:
    assert search_text(chat) == plain


@pytest.mark.parametrize(
    "sentence",
    [
        "tas sling warna pink",
        "kak slamet pesan selai kaya dan minyak pala",
        "jus kale dan mie ginting",
        "week end buka",
        "ulan cantika samara rana",
        "fans bola minta make up",
        "masalah sekolah adalah langkah",
        "kamu ketemu tamu jamu ilmu buku",
        "hanya punya tanya",
        "transfer bca atau bri",
        "nama indah maya",
        "tahu isi dan tempe",
        "layangan kite merk bird",
        "bangku dan tungku",
        "kaki nenek",
        "perilaku berlaku",
        "cd player dan x banner",
        "kode ib200 ih20 b2",
    ],
)
def test_real_words_names_products_and_banks_stay_as_they_are(sentence: str) -> None:
    assert search_text(sentence) == sentence


@pytest.mark.parametrize(
    ("chat", "plain"),
    [
        # Javanese, everyday and polite.
        ("regane sego kucing pira mas", "harga nasi kucing berapa mas"),
        ("kulo badhe tumbas klambi anyar, pinten nggih", "saya mau beli baju baru berapa iya"),
        ("pripun carane mbayar, saged transfer mboten", "bagaimana cara bayar bisa transfer tidak"),
        ("mbak dodolan katok ireng ora", "mbak jual celana hitam tidak"),
        ("stoke wis entek durung", "stok sudah habis belum"),
        ("nggo tonggo anyar iso njaluk diskon", "untuk tetangga baru bisa minta diskon"),
        ("barange rusak wingi, kudu piye", "barang rusak kemarin harus bagaimana"),
        ("iki larange, ono sing murah", "ini mahal ada yang murah"),
        ("dikirimke sesuk isuk iso", "kirim besok pagi bisa"),
        ("suwe durung rawuh kurire", "lama belum datang kurire"),
        # Sundanese.
        ("sabaraha hargana baju hideung", "berapa harga baju hitam"),
        ("bade meuli sapatu, aya ukuran leutik teu", "mau beli sepatu ada ukuran kecil tidak"),
        ("kumaha carana mayar, tiasa cod henteu", "bagaimana cara bayar bisa cod tidak"),
        ("barang ruksak tiasa ditukeur", "barang rusak bisa tukar"),
        ("enjing tiasa dikintun teu", "besok bisa kirim tidak"),
        ("punten kunaon paket acan dongkap", "maaf kenapa paket belum datang"),
        # Betawi.
        ("gimane pesennye bang", "bagaimana pesan bang"),
        ("ane kudu bayar ntar", "saya harus bayar nanti"),
        ("pegimane kalo barangnye rusak", "bagaimana kalau barang rusak"),
        ("kelar jam berape, dimane tokonye", "selesai jam berapa di mana toko"),
        ("free ongkir goceng gpp", "gratis ongkir 5000 tidak apa apa"),
        # Dropped vowels.
        ("plnggn lma dpt diskon brp", "pelanggan lama dapat diskon berapa"),
        ("tgihan bln ini blm dbyr, bs byr bsk", "tagihan bulan ini belum dibayar bisa bayar besok"),
        ("biaya pmasangan hrs byr brp", "biaya pemasangan harus bayar berapa"),
        ("jgn krm ke kntr, jl melati gg 3", "jangan kirim ke kantor jalan melati gang 3"),
        ("tlg hubngi tmn sy", "tolong hubungi teman saya"),
        ("mhn info jdwal buka sbt mlm", "mohon info jadwal buka sabtu malam"),
        ("biaya pngiriman brp hr", "ongkir berapa hari"),
        ("psnan sy blm dtg, bs cancel gk", "pesanan saya belum datang bisa batal tidak"),
        ("klo rsk stlh dipsng gmn", "kalau rusak setelah dipasang bagaimana"),
    ],
)
def test_regional_words_and_dropped_vowels_become_plain_indonesian(chat: str, plain: str) -> None:
    assert search_text(chat) == plain


@pytest.mark.parametrize(
    "sentence",
    [
        "barang yang kami larang dan yang dilarang",
        "tangga aluminium dua meter",
        "teko keramik dan teka teki silang",
        "boneka dino dan wayang golek",
        "dodol garut untuk oleh oleh",
        "jeruk karo dan mangga manis",
        "kaos logo nu dan ansor",
        "jalan urip sumoharjo gunung kidul",
        "rak dapur dan kayu sono",
        "dorong pintu lalu tekan tombol",
        "oli sae 40 dan kamera poe",
        "ajeng ulan dan wulan pesan kue ape",
        "durian montong satu tong",
        "koyo cabe dan minyak angin",
        "hirup aroma bunga dari awan",
        "kos abdi negara dekat kampus",
        "telur orak arik",
        "kabel hub usb dan router tp link",
        "tata boga dan knalpot gaduh",
        "kami tinggali rumah tetangga",
        "sapa pelanggan setiap pagi",
        "kartu amex dan jaket annex",
    ],
)
def test_regional_words_that_mean_something_else_in_indonesian_stay_as_they_are(sentence: str) -> None:
    assert search_text(sentence) == sentence


def test_a_question_and_its_passage_meet_in_the_same_words() -> None:
    passage = set(search_text("Ongkos kirim ke luar Jawa Rp35.000 per kg, bisa bayar di tempat.").split())
    question = search_text("ongkirny luar jawa 35rb ya? bs cod gk").split()
    assert {"ongkir", "luar", "jawa", "35000", "bisa", "cod"} <= passage & set(question)


def test_slang_is_expanded_word_by_word_and_nothing_else_is_touched() -> None:
    assert expand_slang(["brp", "gmn", "ongkirnya", "zyx"]) == ["berapa", "bagaimana", "ongkir", "zyx"]
    assert expand_slang([]) == []


def test_our_own_list_wins_and_every_dropped_entry_is_one_that_indonlp_has() -> None:
    theirs = slang._indonlp_pairs()
    assert theirs["kk"] == "kakak"
    assert slang.dictionary()["kk"] == ("kak",)
    assert slang.dictionary()["kangenn"] == ("kangen",)
    assert set(slang._DROPPED.split()) <= theirs.keys()
    assert slang.dictionary().keys().isdisjoint(slang._DROPPED.split())


def test_no_spelling_of_our_own_list_is_given_two_meanings_or_leads_to_another_spelling() -> None:
    spellings = [
        spelling for line in slang._OWN.strip().splitlines() for spelling in line.partition(":")[2].split()
    ]
    assert len(spellings) == len(set(spellings))
    own = slang.own_words()
    assert [word for target in own.values() for word in target if word in own] == []


def test_borrowed_entries_end_at_our_own_plain_words() -> None:
    own = slang.own_words()
    assert [word for target in slang.dictionary().values() for word in target if word in own] == []
