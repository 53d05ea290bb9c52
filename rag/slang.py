"""Chat spelling to plain Indonesian: our own short list, and the long one of indoNLP behind it."""

import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

# One line per plain word: what customers type for it. Ours wins over indoNLP's, whose source is Instagram
# comments ("cd" is underwear there, "bca" is to read). Javanese and Sundanese are here because people who
# write to a shop in them expect an answer.
_OWN = """
kak: kk kaka kakak ka kakk sis sist sista gan agan
berapa: brp brapa brpa berpa brapaan piro pinten sabaraha
bagaimana: gmn gmna gimana gmana gimna bgmn bgmna bgaimana piye pripun kepiye kumaha
tidak: ga gak nggak enggak gk g gx ngga ngak kagak kaga nda ndak ora mboten boten teu tdk tdak tak engga indak
ada: ad ono enek wonten adaa
bisa: bs bsa bsaa biza iso isa saged saget tiasa bza
apa: ap opo nopo naon apaan
siapa: sp syp sopo sinten saha
mana: mn mna ndi endi ngendi pundi
di mana: dmn dmna dimana dmana nengendi nangendi
ke mana: kmn kmna kemana kmana
dari mana: drmn darimana drimana
kapan: kpn kpan kapn iraha
kenapa: knp knpa knapa napa mengapa ngopo kenopo
sudah: udh udah sdh dah uda udeh sdah wis wes sampun atos ud
belum: blm blum belom blom blon durung dereng
masih: msh msih masi isih tasih
sekarang: skrg skrng skg skr saiki sakniki skarang ayeuna skrang
besok: bsk bsok sesuk benjing
nanti: nnt nti ntar entar ntr mengko mangke
ini: ni nih iki niki inih
itu: tu tuh kuwi niku kae ituh
mau: mo mw maw mao pgn pingin pengen pengin pgin kepengen kepingin hoyong pengn
beli: bli tuku tumbas meser beliin bl
pesan: psn pesen psen mesen memesan pesn
bayar: byr bayr mbayar byar
harga: hrg hrga harg harge rega regane pengaos prais price
ongkir: ongkr onkir ongkirr onkr ongkoskirim ogkir
kirim: krm kirm ngirim krimin kirimin dikirim dikrm dkirim
barang: brg brng barng
paket: pket pkt pakt paketan
promo: prmo promosi
diskon: disc discount diskn dskon
stok: stock stk stokk
ready: redi redy rdy rady redii
ukuran: size sz ukurn ukrn
warna: wrn wrna warnae
alamat: almt alamt almat
nomor: no nmr nomer nmer
rekening: rek rekning
nomor rekening: norek nrek
transfer: tf trf tfr trsf transper trnsfr trasfer trnsfer
cod: codd
checkout: co cekout chekout
admin: mimin adm atmin
whatsapp: wa whatsap wasap watsap
invoice: inv invois
garansi: garanti garnsi grnsi waranty warranty
rusak: rsk rusk
tukar: tuker tker
asli: ori orisinal original orsinil orisinil
murah: mrh murh murahan
lambat: lemot lelet lola
konfirmasi: konfirm confirm konfirmsi
pasang: psng masang pasng
buka: bukak bka
tutup: tutp
toko: tko
rumah: rmh rumh omah
jam: jm
hari: hr dinten
minggu: mggu mgg
bulan: bln bulanan sasi
tahun: thn taun
ribu: rb rbu ewu
juta: jt
banyak: byk bnyk bnyak akeh
lebih: lbh lbih
dapat: dpt dapet dpet entuk olih
boleh: blh bole bleh
tolong: tlg tlong tulung
terima kasih: mksh makasih makasi mksih maksih trims trimakasih terimakasih tengkyu thx thanks
terima kasih: tq ty suwun nuwun nuhun tks makaci mkasih
maaf: mf maf maap punten ngapunten maav
iya: iy nggih inggih njih enggih iyaa iyh
saja: aja aj ae sj ajah wae bae
juga: jg jga
lagi: lg lgi meneh
terus: trs trus teros
kalau: klo kl kalo klu klw kalu nek menawi
karena: krn karna krna
dengan: dgn dg kaleh
untuk: utk tuk buat bwt bt gawe kanggo kangge
pakai: pke pake pk pakek
yang: yg yng sing ingkang
dari: dr dri
sampai: smp sampe nyampe smpe smpai nyampai
bukan: bkn dudu sanes
saya: sy sya kulo kula
aku: aq ak q gw gue gua
anda: sampeyan panjenengan
orang: org orng wong
hanya: hny cuma cm cuman cmn
semua: smua smw kabeh sadaya
seperti: kyk kayak kek spt koyo kados
begitu: gt gitu gtu ngono
begini: gini gni ngene
sama: sm ama
banget: bgt bgtt banged
ingin: pngn pngen
izin: ijin
wifi: wipi
internet: inet intrnet
cepat: cpt cepet cpet
langsung: lgsg lsg lngsung lgsung
lewat: lwt liwat
minta: mnt mnta njaluk nyuwun menta
tanya: tny tnya nanya takon tanglet bertanya
tanggal: tgl
jakarta: jkt
surabaya: sby
bandung: bdg
yogyakarta: jogja jogjakarta yogya jogya djogja
semarang: smg
"""

# Entries of indoNLP that turn a real word, a name or a product word into another: a sling bag is not
# "saling", nutmeg not a head, and Slamet wants to stay Slamet.
_DROPPED = """
akau alak aloh amen anugrah anyeng apal ayank bangcat bangke bird biri boker bund cabol cali cans canti
cantika capa cewer cini cino cock dede dedek diksi fans gans gile ginting haru hiri hotx idung indo ityl
jendes jing kale kana kareno kasi kate kebagi kecik kelus kemakan kerjaan ketarik kite klas kobul konsul
kostom kren krus make mamas mang maso mato mayan mblo modes muna nahan nambah nari narik nerima niru njir
njirr nonton nunggu nyet pala pans pass past pling poko rana rempong rezki sabal sabaro samara santab
sendeng sexi shat sinet slam slamet sling smog smvk soga stress sukam suko sumai suru taek taik tapo teru
than tium trun tukan ulan univ wado walik week yank yayang zama
"""
_PLAIN_KEY = re.compile(r"[a-z]{4,}")


@lru_cache(maxsize=1)
def dictionary() -> MappingProxyType[str, tuple[str, ...]]:
    """Chat spelling to one or more plain words. Loaded at the first use (about 15 ms)."""
    own = own_words()
    entries: dict[str, tuple[str, ...]] = {}
    borrowed, dropped = _indonlp_pairs(), frozenset(_DROPPED.split())
    targets = {word for target in borrowed.values() for word in re.findall(r"[a-z]+", target)}
    for slang, target in borrowed.items():
        # Shorter ones collide with codes, banks and brands, and what is somebody's plain word stays itself.
        if not _PLAIN_KEY.fullmatch(slang) or slang in dropped or slang in targets:
            continue
        words = re.findall(r"[a-z0-9]+", target)
        entries[slang] = tuple(part for word in words for part in own.get(word, (word,)))
    return MappingProxyType(entries | own)


@lru_cache(maxsize=1)
def plain_words() -> frozenset[str]:
    """Words that are known to be spelt well: what the dictionary points to."""
    return frozenset(word for target in dictionary().values() for word in target) | {"cod"}


@lru_cache(maxsize=1)
def own_words() -> MappingProxyType[str, tuple[str, ...]]:
    """Our own list, one entry per chat spelling."""
    entries: dict[str, tuple[str, ...]] = {}
    for line in _OWN.strip().splitlines():
        plain, _, spellings = line.partition(":")
        for spelling in spellings.split():
            entries[spelling] = tuple(plain.split())
    return MappingProxyType(entries)


def _indonlp_pairs() -> dict[str, str]:
    """indoNLP's table alone: importing the package would also load its emoji tables and its downloader."""
    package = importlib.util.find_spec("indoNLP")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("indoNLP is missing: pip install -r requirements.txt")
    path = Path(package.submodule_search_locations[0]) / "preprocessing" / "slang_data.py"
    spec = importlib.util.spec_from_file_location("_indonlp_slang_data", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"indoNLP has no {path.name}; use the version in requirements.txt")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.SLANG_DATA)
