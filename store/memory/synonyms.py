"""Which words customers and shops use for the same thing."""

from __future__ import annotations

# One group a line: words that customers and shops use for the same thing. Only what holds for any shop.
_SAME_THING = """
acara event hajatan kawin lamaran nikah pengantin pesta resepsi wisuda
adik anak balita bayi bocah
admin cs karyawan pegawai staf
admin operator
adu aduan keluhan komplain kritik lapor laporan protes saran
agen cabang dropship mitra partner reseller sales
ahli alami berpengalaman jago pengalaman profesional
air basah cebur celup cemplung ciprat lembap rendam siram tumpah
ajak referral teman undang
ajar belajar bimbing kelas kursus latih les training
akhir batal berhenti cabut cancel copot stop tutup
aki baterai batre
akses login masuk
aktif berlaku hidup nyala on
akun profil user
alamat letak lokasi patokan posisi tempat
alat device gadget perangkat
alat mesin perangkat unit
alergi batuk sakit
alih boyong migrasi mutasi pindah
alkohol arak halal haram muslim rum
alur cara langkah prosedur tahap urut
aman bahaya lindung terjamin
ambil angkut jemput pickup tarik
ambil cabut tarik
anggota langganan member pelanggan
anggur cuti istirahat libur merah off
angsur cicil cicilan kredit paylater tempo
anjing hewan kucing peliharaan
antar delivery ekspedisi jasa kirim kurir
antre antri giliran tunggu
anyar baru
aplikasi app situs web website
area cakup coverage daerah desa jangkau kampung kawasan kecamatan kelurahan wilayah
asing bule turis wna
asli ori original orisinal resmi
asuransi lindung proteksi tanggung
atm bank bca bni bri mandiri rekening
atur aturan kebijakan ketentuan syarat tata
atur konfigurasi pengaturan setel setting ubah
audio bunyi mik suara
auto autodebet otomatis
awal mula mulai pertama start
awam baru pemula pertama
awas kontrol pantau
awet kuat tahan
awet simpan tahan
badai banjir bencana cuaca hujan petir
bagi cukup porsi
bagi salur sebar share tetangga
bagus kualitas mutu
bahan campur isi kandung komposisi material
bahasa jawa sunda
bahasa terjemah
baju kaos pakaian seragam
balik kembali pulang refund retur
banding beda selisih
bangun renovasi
bangunan gedung hunian kontrakan kos kosan ruko rumah tinggal
banting jatuh
banyak borongan grosir massal partai
bapak ibu istri keluarga orangtua ortu saudara suami wali
barang produk
baret cacat gores lecet penyok retak
basi expired kadaluarsa kedaluwarsa
batas fup kuota limit maksimal maksimum
batas kuota limit
batas kuota unlimited
bawa pegang
bayar lunas setor transfer
bayar tagih tagihan
bayaran biaya harga iuran kena ongkos tarif
beban tanggung
bebas cuma free gratis
bekas second seken
beku blokir isolir nonaktif tutup
beku cuti jeda sementara
beku dingin es freezer kulkas
beli order pesan
beling kaca
benah benar betul perbaiki reparasi servis
berat bobot gram kg kilo timbang
beres jadi kelar rampung selesai tuntas
berhenti putus udahan
beritahu info kabar umum
berkas data dokumen file
berkas dokumen syarat
bersih cuci
besar dewasa
besar gede jumbo luas
besi logam
biasa reguler standar
bicara ngomong obrol telepon
bisnis kantor niaga perusahaan toko usaha warung
blur buram burem kabur ngeblur
bocah kampus kuliah mahasiswa murid pelajar sekolah siswa
bocor jebol rembes
bocor privasi rahasia
bohong hoaks palsu penipuan scam tipu
bonus hadiah kado
booking pesan reservasi
bos owner pemilik pimpinan
browsing internetan
buang hapus
bubar pulang tutup
buffering lag lambat lelet lemot lola ngelag pelan
buka operasional
bukti konfirmasi
bukti kuitansi nota resi struk
buku manual panduan petunjuk
bulan bulanan perbulan sebulan
bungkus dus kardus kemas kemasan kotak packing
buru dadak dadakan kebut mendesak mepet segera urgent
buruk jelek
cabang gerai outlet
cacat rusak
cair kembali refund uang
cakup jangkau tembus
camilan jajanan konsumsi kudapan snack
cas charger pengisi
cash kontan tunai
cctv kamera
cek coba lihat pantau periksa survei tes uji
cepat ekspres express kebut kencang kilat laju ngebut
cepat kecepatan kencang mbps speed
cermin kaca
cetak print
cewek perempuan wanita
chat hubungi kontak telepon whatsapp
cocok pas sesuai
colok hubung pasang sambung
colong copet curi hilang maling rampok
connect konek nyambung sambung
contoh sampel tester
corak motif warna
cowok laki pria
daftar gabung langganan registrasi
dalam indoor
dana digital dompet ewallet gopay linkaja ovo qris shopeepay
dana duit uang
darurat piket
datang kunjung mampir sambang
datang kunjung survei
datang sampai tiba
deadline jatuh tempo tenggat
debu kotor noda
dekat jarak jauh meter radius
denda penalti sanksi
deposit jaminan titip
detail info informasi rinci
diabetes gula manis
dilarang larang pantang
dimensi lebar panjang tinggi ukuran
dinding tembok
dini lembur malam subuh
diskon kupon murah potongan promo voucher
donasi sumbang
down eror error gangguan kendala macet masalah mati putus rewel rusak trouble
downgrade kurang turun
download torrent unduh
dp muka panjar uang
durasi jangka lama masa periode
durasi lama
edit ganti tukar ubah
ekonomis hemat murah terjangkau
ekstra lebih tambah
email surel
emas kalung perhiasan
enteng ringan
extend lanjut panjang perpanjang sambung terus
faktur invoice nota tagihan
favorit laris populer rekomendasi suka unggulan
fee komisi laba untung
film netflix nonton streaming tv youtube
foto gambar jepret motret potret
full penuh
gabung ikut serta
gagal tolak
gaji karyawan kerja loker lowongan
gaji tanggal tempo
game gim main
gangguan hilang lampu merah sinyal
ganti jadwal mundur reschedule tunda undur
garansi jaminan tanggung
garap kerja tangani
gawai handphone hp ponsel
genset listrik
gerai kantor outlet toko
getar goyang guncang
gigit semut tikus
gratis ongkir
gratis subsidi
grup komunitas
guna manfaat pakai
guna pakai
habis kosong sold
hadiah kado
hadiah poin reward
hama semut tikus
hari harian sehari
harus mesti perlu wajib
hilang lenyap selip tercecer tinggal
hubungi kontak nomor telepon
hutang tunggak utang
identitas kk ktp paspor sim
ijazah sertifikat
ijin izin
ikat janji kontrak minimal perjanjian
indikator lampu led
instalasi pasang pemasangan rakit setup
internet jaringan koneksi sinyal wifi
isi kapasitas muat tampung
isi pulsa saldo token topup
jadwal jam waktu
jaga pelihara rawat
jalur kabel tarik
janji kasbon ngutang tempo
janji kelonggaran tempo tunda
jasa layanan
jebol rusak
jemur kering
jenis macam model rasa tipe varian
jual lego lepas
jual reseller
jumpa temu
kabel kawat
kamar ruang ruangan
kambuh kumat ulang
kantong tas
kantor kerja meeting proyek rapat tugas wfh zoom
kantor toko
kapan kira lama tanggal
karyawan lowongan magang
kata kode kunci password pin sandi
keburu sempat
kecil mini mungil sempit
kelebihan unggul
keliru salah
kelola urus
kemarau kering panas
kenal tahu
kendaraan mobil motor parkir
ketik tulis
kolam renang
kompensasi potongan rugi
komputer laptop pc
konsultasi tanya
kota luar
kotak odp tiang
kuasa mewakili titip wakil
kuliner makan menu santap
kurang nego tawar
kurang potong
lambat lewat molor telat terlambat tunggak
lantai tingkat
lapak marketplace online shopee tokopedia
layar lcd monitor
lebaran mudik pulang
legal resmi sah
lengkap set
level tingkat
listrik mati padam pln
listrik mcb meteran
lokasi maps peta share
luar outdoor
lunas tunggak
mahal tinggi
meninggal wafat
milik punya
minggu mingguan pekan seminggu weekend
minimal minimum
modem ont router
montir pekerja petugas teknisi tukang
naik tambah tingkat upgrade
nama pemilik
nebeng numpang titip
npwp pajak ppn
nyasar salah
padat penuh ramai sibuk
pecah retak
pengguna penghuni user
pengunjung tamu
pinjam rental sewa
proposal sponsor
publik statis
ready sisa stok tersedia
rekam video
reset restart tombol
retur tukar
saat waktu
sandal sepatu
sayur vegan vegetarian
sebelah tetangga warga
sedia siap
selalu terus
seluruh semua total
setahun tahun tahunan
susu telur
tangguh tunda
televisi tv
ulang ultah
umur usia
unggah upload
"""


def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in _SAME_THING.strip().splitlines():
        group = frozenset(line.split())
        for word in group:
            found[word] = found.get(word, frozenset()) | (group - {word})
    return found


_SYNONYMS = _groups()
# Words that customers may have meant although the shop's texts lack them.
COMMON = frozenset(_SYNONYMS)


def synonyms(word: str) -> frozenset[str]:
    """Other words for the same thing."""
    return _SYNONYMS.get(word, frozenset())
