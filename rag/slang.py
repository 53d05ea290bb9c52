"""Chat spelling to plain Indonesian: our own short list, and the long one of indoNLP behind it."""

import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

# One line per plain word: what customers type for it. Ours wins over indoNLP's, whose source is Instagram
# comments ("cd" is underwear there, "bca" is to read). Javanese and Sundanese are here because people who
# write to a shop in them expect an answer. Left out, for a shop may sell it or an address hold it: "tangga"
# (ladder), "teko" (pot), "dino", "golek", "dodol", "awan", "sae" (oil grade), "nu", "tp" (Link), "karo",
# "kidul", "urip", "ajeng"; and what forbids or permits: "larang", "oleh".
_OWN = """
kak: kk kaka kakak ka kakk sis sist sista gan agan
berapa: brp brapa brpa berpa brapaan piro pinten sabaraha pira sabraha sabrahaan berape pironan
bagaimana: gmn gmna gimana gmana gimna bgmn bgmna bgaimana piye pripun kepiye kumaha kepripun priye gimane kmh
bagaimana: pegimane begimane
tidak: ga gak nggak enggak gk g gx ngga ngak kagak kaga nda ndak ora mboten boten teu tdk tdak tak engga indak
tidak: heunteu henteu
ada: ad ono enek wonten adaa onten enten onok aya
bisa: bs bsa bsaa biza iso isa saged saget tiasa bza isoh isok bisane
apa: ap opo nopo naon apaan menopo menapa punapa punopo
siapa: sp syp sopo sinten saha siape
mana: mn mna ndi endi ngendi pundi
di mana: dmn dmna dimana dmana nengendi nangendi dimane
ke mana: kmn kmna kemana kmana kemane
dari mana: drmn darimana drimana
kapan: kpn kpan kapn iraha
kenapa: knp knpa knapa napa mengapa ngopo kenopo kunaon naha ngapa ngapain
sudah: udh udah sdh dah uda udeh sdah wis wes sampun atos ud uwis uwes mpun geus parantos
belum: blm blum belom blom blon durung dereng durong gurung acan teuacan teacan tacan
masih: msh msih masi isih tasih keneh
sekarang: skrg skrng skg skr saiki sakniki skarang ayeuna skrang saniki sakiki samangke sakmeniko samenika
besok: bsk bsok sesuk benjing sesok mbenjing isukan enjing mbesuk
nanti: nnt nti ntar entar ntr mengko mangke engko mengke engke engkin
ini: ni nih iki niki inih ieu
itu: tu tuh kuwi niku kae ituh iku kui entu ntu
mau: mo mw maw mao pgn pingin pengen pengin pgin kepengen kepingin hoyong pengn arep badhe bade hayang
beli: bli tuku tumbas meser beliin bl meuli ngagaleuh galeuh mundhut mundut ngebeli
pesan: psn pesen psen mesen memesan pesn pesenin
bayar: byr bayr mbayar byar mayar mbayare mbayarke bayarke bayarin bayarna ngebayar
harga: hrg hrga harg harge rega regane pengaos prais price rego reregan reginipun hargana hargina pangaosna
ongkir: ongkr onkir ongkirr onkr ongkoskirim ogkir
kirim: krm kirm ngirim krimin kirimin dikirim dikrm dkirim ngirimi ngirimke ngirimake ngirimno kirimke kirimno
kirim: dikirimke dikirimno kintun ngintun dikintun kintunkeun kirimkeun dikirimkeun ngirimin
barang: brg brng barng
paket: pket pkt pakt paketan
promo: prmo promosi
diskon: disc discount diskn dskon
stok: stock stk stokk
ready: redi redy rdy rady redii
ukuran: size sz ukurn ukrn
warna: wrn wrna warnae werno warno
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
rusak: rsk rusk ruksak rusake
tukar: tuker tker tukeur ditukeur
asli: ori orisinal original orsinil orisinil
murah: mrh murh murahan
lambat: lemot lelet lola
konfirmasi: konfirm confirm konfirmsi
pasang: psng masang pasng masangke masangno pasangke pasangno dipasangke dipasangno pasangin
pasang: masangin masangkeun
buka: bukak bka mbukak mbuka
tutup: tutp nutup tutupe
toko: tko
rumah: rmh rumh omah griyo
jam: jm
hari: hr dinten hri
minggu: mggu mgg ahad mnggu
bulan: bln bulanan sasi blan sasih bulane
tahun: thn taun
ribu: rb rbu ewu
juta: jt
banyak: byk bnyk bnyak akeh kathah katah seueur loba
lebih: lbh lbih luwih langkung
dapat: dpt dapet dpet entuk olih pikantuk
boleh: blh bole bleh angsal kenging
tolong: tlg tlong tulung
terima kasih: mksh makasih makasi mksih maksih trims trimakasih terimakasih tengkyu thx thanks maturnuwun
terima kasih: tq ty suwun nuwun nuhun tks makaci mkasih matursuwun haturnuhun
maaf: mf maf maap punten ngapunten maav
iya: iy nggih inggih njih enggih iyaa iyh injih nggeh enggeh iyo muhun sumuhun enya
saja: aja aj ae sj ajah wae bae mawon doang thok
juga: jg jga oge ogeh
lagi: lg lgi meneh deui
terus: trs trus teros
kalau: klo kl kalo klu klw kalu nek menawi menowo upami pami
karena: krn karna krna
dengan: dgn dg kaleh sareng jeung
untuk: utk tuk buat bwt bt gawe kanggo kangge nggo ngge
pakai: pke pake pk pakek nganggo ngagem
yang: yg yng sing ingkang nyang
dari: dr dri seko
sampai: smp sampe nyampe smpe smpai nyampai mpe nganti ngantos nepi dugi
bukan: bkn dudu sanes
saya: sy sya kulo kula ane aye
aku: aq ak q gw gue gua
anda: sampeyan panjenengan jenengan njenengan sampean samean anjeun
orang: org orng wong
hanya: hny cuma cm cuman cmn mung namung
semua: smua smw kabeh sadaya sedoyo sedaya sadayana sakabeh
seperti: kyk kayak kek spt kados siga jiga sapertos
begitu: gt gitu gtu ngono ngoten mekaten kitu
begini: gini gni ngene ngeten kieu
sama: sm ama
banget: bgt bgtt banged
ingin: pngn pngen
izin: ijin
wifi: wipi
internet: inet intrnet
cepat: cpt cepet cpet gancang cepetan
langsung: lgsg lsg lngsung lgsung lngsg
lewat: lwt liwat
minta: mnt mnta njaluk nyuwun menta jaluk dijaluk nyuhunkeun nyungkeun
tanya: tny tnya nanya takon tanglet bertanya nanyain tumaros naros
tanggal: tgl
jakarta: jkt
surabaya: sby
bandung: bdg
yogyakarta: jogja jogjakarta yogya jogya djogja
semarang: smg
tidak bisa: gbisa gabs raiso gaiso
tidak apa apa: gpp gapapa gpapa rapopo
tidak mau: ogah
kemarin: wingi kolowingi kamari
tadi: tdi td
dulu: dlu dhisik disik rumiyin heula
jual: adol adolan dodolan sadean sadeyan ngajual ngejual icalan
dijual: djual
pesanan: psnan psanan
pemesanan: pmesanan pmsanan pemesann
dibayar: dbyr dibyr dbayar
pembayaran: pmbyrn pmbayaran pembyaran pembayarn
tagihan: tgihan tghan tgihn tghn tagihn
mahal: mhl mhal larange awis
uang: duit duwit artos
gratis: free grtis grts geratis gratisan
5000: goceng
10000: ceban
20000: noban
50000: goban
pengiriman: pngiriman pgiriman pengirimn pngirimn
antar: anter nganter anterin nganterin
ambil: ambl ambilin ngambil jupuk njupuk jikuk njikuk jukuk njukuk mendet pendhet
bawa: bwa bawain gowo nggowo nggawa mbeto nyandak
cari: nyari cariin nggolek nggoleki goleki pados madosi milari neangan
lihat: lht delok ndelok deleng ndeleng mirsani ningali
periksa: priksa mriksani
tunggu: enteni nteni ngenteni antos ngantosi ngentosi antosan
datang: dtg dtng dtang rawuh dongkap tekane
masuk: msk mlebu lebet
keluar: klr metu
punya: pny nduwe duwe ndue gadhah gadah
dipasang: dpasang dipsng dpsng
pemasangan: pmasangan pmsangan pmsngan pemasngan pmasngan
daftar: dftr daftr dftar daptar ndaftar
pendaftaran: pndaftaran pndftran pendftran
pelanggan: plnggn plggn plgn plnggan
langganan: lnggnan lngganan langgnan langgnn
petugas: ptgs ptugas petgas
teknisi: tknisi teknsi tehnisi
layanan: lyanan layann
gangguan: gngguan ganguan gguan
jaringan: jrngan jaringn
sinyal: snyal sinyl signal
jadwal: jdwal jadwl jadual
lokasi: loksi serlok sherlok sharelok shareloc
telepon: telp tlp tlpn tlpon telpon telfon telephone
hp: hape hpe
jalan: jl jln
gang: gg
kabupaten: kab
kantor: kntr kntor kantr
komplain: complain complaint komplen
batal: cancel cencel kensel
nyala: nyla murup murub urub hurung
mati: mti pejah pareum paeh
habis: hbs entek telas seep
selesai: slsai kelar rampung
baru: bru anyar
lama: lma suwe suwi lawas lami heubeul
tetangga: tonggo tatangga
teman: tmn konco kanca rencang babaturan rerencangan
anak: ank
nama: jeneng jenenge
hitam: ireng hideung
merah: beureum
putih: bodas
hijau: ijo hejo
kuning: koneng
baju: klambi kelambi
celana: katok kathok
nasi: sego
ikan: iwak
sehari: sedino sedinten sapoe
sebulan: sabulan sesasi sewulan
setahun: setaun sataun
jumat: jmt
sabtu: sbt septu
pagi: pgi esuk isuk
siang: siyang
sore: sonten
malam: mlm mbengi bengi wengi ndalu peuting
menit: mnit
detik: dtk
waktu: wkt
satu: siji hiji setunggal
tiga: telu tilu tigo
empat: papat opat
lima: gangsal
enam: enem
tujuh: pitu
delapan: wolu dalapan
sepuluh: sedoso sapuluh
sedikit: dikit sithik sitik sekedhik sekedik saeutik sakedik
besar: bsr bsar gede gedhe ageung
kecil: kcl cilik leutik
panjang: dowo
pendek: cendhek cendek
berat: abot
bagus: bgs
jelek: elek awon
dekat: dkt cedhak cedak cerak caket deukeut
jauh: adoh tebih
depan: dpn dpan
belakang: blkg mburi
atas: nduwur ndhuwur
bawah: bwh bwah ngisor handap
dalam: njero
luar: njobo
kanan: tengen
kiri: kiwo
sini: mrene mriki ngriki dieu kadieu
di sini: didieu
sana: mrono mriko ngriko
harus: hrs kudu kedah musti
jangan: jgn ojo
tapi: tpi
tentang: ttg
setiap: tiap saben unggal
setelah: stlah
sebelum: sebelom
sementara: smntara smntr
terakhir: trakhir trkhir
terdekat: trdekat trdkt
sekitar: sktr
sekalian: sklian
mulai: mulei mlai
jumlah: jml jmlh jumlh
benar: bnr bnar
salah: slh
beda: bda
kerja: krj krja kerjo
hubungi: hubngi hubgi
diterima: dtrima ditrima
aktif: aktf aktip
mungkin: mngkn
pasti: pst
balas: bls
kamu: kmu kowe koe ente elu loe
lain: liyane sejen
sendiri: dewe dhewe piyambak sorangan
mohon: mhn mhon
cara: carana
sepatu: sapatu
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
