"""The sentences that the bot says by itself: the packaged defaults and what the owner put in their place."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from config.shop import Shop
from config.tomlfile import did_you_mean, read_toml

DEFAULTS = Path(__file__).with_name("kalimat.toml")
ALWAYS = frozenset({"toko", "sapaan", "panggilan"})

_CUSTOMER = ("nama", "nomor", "pertanyaan", "tautan")
_PAYMENT = ("pesanan", "total", "nama", "nomor", "tautan")
# What happened, what it means and what to do, a line each; ``store.alert_kinds`` says when they are raised.
ALARMS = tuple(
    f"admin_alarm_{kind}"
    for kind in (
        *("whatsapp_logged_out", "whatsapp_replaced", "whatsapp_banned", "whatsapp_outdated"),
        *("whatsapp_unusable", "whatsapp_restricted", "offline", "process_down", "process_crashed"),
        *("process_stuck", "unanswered", "dead_letters", "database", "messages_waited", "disk", "budget"),
        *("paid_without_invoice", "backup", "memory", "midtrans", "payment", "starsender"),
        *("model_misconfigured", "whatsapp_business_answers", "other"),
    )
)
# Each sentence with the placeholders that it needs; without them it would leave out what it is there for.
SENTENCES: Mapping[str, frozenset[str]] = {
    name: frozenset(placeholders)
    for name, placeholders in {
        "pengantar": (),
        "salam": (),
        "salam_islam": (),
        "bot": (),
        "belum_tahu": (),
        "belum_tahu_tutup": ("buka",),
        "minta_admin": (),
        "minta_admin_tutup": ("buka",),
        "gangguan": (),
        "gangguan_tutup": ("buka",),
        "privasi": (),
        "hapus_data_tanya": (),
        "hapus_data": (),
        "ekspor_data": (),
        "ekspor_isi": ("nama", "nomor", "percakapan", "pesanan", "berkas"),
        "masih_menunggu": (),
        "pesan_panjang": (),
        "terlambat": (),
        "suara": (),
        "suara_tutup": ("buka",),
        "keranjang": (),
        "keranjang_tutup": ("buka",),
        "foto": (),
        "kiriman": (),
        "minta_ulang": (),
        "admin_butuh_jawaban": _CUSTOMER,
        "admin_minta_orang": _CUSTOMER,
        "admin_kiriman": _CUSTOMER,
        "admin_keranjang": _CUSTOMER,
        "admin_kiriman_hilang": ("apa", "nama", "nomor", "sebab", "tautan"),
        "admin_menunggu": _CUSTOMER,
        "admin_terlambat": _CUSTOMER,
        "admin_diubah": _CUSTOMER,
        "admin_hanya_teks": (),
        "admin_berkas_belum_terkirim": ("sebab",),
        "admin_pengingat": ("lama", *_CUSTOMER),
        "admin_pengingat_terakhir": ("lama", *_CUSTOMER),
        "admin_terkirim": ("nama",),
        "admin_sudah_dijawab": ("nama",),
        "admin_harga_tetap": ("jumlah",),
        "admin_riwayat_tanya": ("hari",),
        "admin_riwayat_cari": (),
        "admin_riwayat_dihapus": (),
        "admin_riwayat_faq": ("nomor", "jumlah", "chat", "tanya", "jawab"),
        "admin_riwayat_semua": ("jumlah",),
        "admin_riwayat_kosong": (),
        "admin_riwayat_tersimpan": ("jumlah",),
        "admin_tawaran_faq": ("tanya", "jawab"),
        "admin_faq_tersimpan": (),
        "admin_faq_batal": (),
        "admin_perintah": ("perintah",),
        "admin_bantuan_status": (),
        "admin_bantuan_daftar": (),
        "admin_bantuan_pesanan": (),
        "admin_bantuan_lunas": (),
        "admin_bantuan_belajar": (),
        "admin_bantuan_cari": (),
        "admin_bantuan_harga": (),
        "admin_bantuan_habis": (),
        "admin_bantuan_batal": (),
        "admin_bantuan_berhenti": (),
        "admin_bantuan_mulai": (),
        "admin_bantuan_magang": (),
        "admin_bantuan_balas": (),
        "admin_bantuan_coba": (),
        "admin_bantuan_abaikan": (),
        "admin_bantuan_ringkasan": (),
        "admin_ringkasan": (
            *("hari", "pesan", "chat", "jawaban", "orang", "diteruskan", "belum"),
            *("jualan", "biaya", "batas", "kurang"),
        ),
        "admin_ringkasan_jualan": ("pesanan", "lunas", "belum"),
        "admin_ringkasan_cek": ("jumlah",),
        "admin_ringkasan_kurang": ("daftar",),
        "admin_data_dihapus": ("nomor",),
        "admin_data_diekspor": ("nama", "nomor"),
        "admin_batas_toko": ("batas",),
        "admin_batas_pelanggan": ("nama", "nomor"),
        "admin_boleh_sendiri": ("jumlah", "jenis"),
        "admin_sendiri": ("jenis",),
        "admin_tetap_magang": ("jenis",),
        "admin_selamat_datang": ("ruang",),
        "admin_buat_ruang": ("kode",),
        "admin_ruang_jadi": (),
        "admin_coba": ("jawab",),
        "admin_coba_butuh_orang": (),
        "admin_mulai_pertama": (),
        "admin_magang": (),
        "admin_istirahat": ("sampai",),
        "admin_istirahat_sampai": ("sampai",),
        "admin_istirahat_cara": (),
        "admin_balas_cara": (),
        "admin_balas_semua": (),
        "admin_balas_nomor_baru": (),
        "admin_balas_daftar": (),
        "admin_bantuan_lanjut": (),
        "admin_ubah_barang": ("nama", "kode", "lama", "baru", "catatan"),
        "admin_ubah_berkas": ("berkas", "beda"),
        "admin_berkas_sama": ("berkas",),
        "admin_berkas_ditolak": ("berkas", "sebab"),
        "admin_harga_kecil": ("mungkin",),
        "admin_barang_nonaktif": (),
        "admin_sudah_begitu": ("nama", "kode", "nilai"),
        "admin_kode_tidak_ada": ("kode", "berkas"),
        "admin_sudah_diubah": (),
        "admin_tidak_diubah": (),
        "admin_gagal_ubah": ("sebab",),
        "admin_ubah_lewat": (),
        "admin_dibatalkan": ("apa",),
        "admin_tidak_ada_batal": (),
        "admin_cari": ("nama", "nomor", "percakapan"),
        "admin_cari_kosong": ("nama", "nomor"),
        "admin_belajar": ("daftar", "hari"),
        "admin_belajar_kosong": (),
        "admin_tidak_ada_lagi": (),
        "admin_status": ("mode", "pesan", "jawaban", "menunggu", "biaya", "batas", "catatan"),
        "admin_daftar": ("jumlah", "daftar"),
        "admin_daftar_kosong": (),
        "admin_loop": ("nama", "nomor"),
        "admin_berhenti": (),
        "admin_mulai": (),
        "admin_latihan": ("nama", "nomor", "tanya", "jawab"),
        "admin_draf": ("nama", "nomor", "tanya", "jawab"),
        "admin_draf_terkirim": (),
        "admin_draf_dibuang": (),
        "admin_draf_lewat": (),
        "admin_abaikan": ("nama", "nomor"),
        "admin_lanjut": ("nama", "nomor"),
        "admin_tidak_ketemu": ("cari",),
        "admin_pilih": ("daftar", "contoh"),
        "admin_dibatasi": (),
        "admin_dilepas": ("jumlah",),
        "admin_tidak_tertahan": (),
        "admin_basi": ("nama", "nomor", "isi"),
        "admin_riwayat": ("jumlah", "daftar"),
        "admin_gagal_kirim": ("nama", "nomor", "isi"),
        "admin_pesan_rusak": ("nama", "nomor"),
        "admin_wa_bisnis": ("isi",),
        "admin_model_salah": ("sebab",),
        "admin_model_kunci": (),
        "admin_model_alamat": (),
        "admin_model_model": (),
        "admin_model_saldo": (),
        "admin_model_permintaan": (),
        "admin_model_pulih": (),
        "admin_ingatan_mati": ("sebab",),
        "admin_ingatan_pulih": (),
        "admin_gagal_simpan": ("sebab",),
        "jual_menu": ("daftar",),
        "jual_menu_kelompok": ("daftar",),
        "jual_nomor": ("sampai",),
        "jual_menu_sisa": ("sisa",),
        "jual_tawar": ("isi", "total", "catatan"),
        "jual_tawar_banyak": ("isi", "total", "catatan"),
        "jual_belum_ongkir": (),
        "jual_tawar_lewat": (),
        "jual_harga_berubah": (),
        "jual_tidak_jadi": (),
        "jual_maksud": (),
        "jual_tidak_ada": (),
        "jual_habis": ("barang",),
        "jual_kurang": ("barang", "sisa"),
        "jual_jumlah": ("barang",),
        "jual_terlalu_besar": (),
        "jual_dicatat": ("isi", "pesanan"),
        "jual_dicatat_singkat": ("pesanan",),
        "jual_tanya": ("perlu",),
        "jual_tanya_alamat": ("perlu",),
        "jual_tanya_kirim": ("perlu",),
        "jual_tanya_opsional": ("perlu",),
        "jual_diganti": ("perlu", "isi"),
        "jual_ganti_alamat_lewat": (),
        "jual_ada_foto": (),
        "jual_ada_lokasi": (),
        "jual_baris_ongkir": (),
        "jual_metode": ("rincian", "total", "bank"),
        "jual_link": ("rincian", "total", "tautan", "batas"),
        "jual_qris": ("rincian", "total", "tautan", "batas"),
        "jual_transfer": ("rincian", "total", "rekening"),
        "jual_link_gagal": ("pesanan",),
        "jual_tanpa_cara": (),
        "jual_tanpa_cara_tutup": ("buka",),
        "jual_ongkir_admin": (),
        "jual_ongkir_admin_tutup": ("buka",),
        "jual_ongkir_kabar": ("ongkir", "rincian", "total"),
        "jual_status": ("pesanan", "isi", "total", "status"),
        "status_created": (),
        "status_pending": ("batas",),
        "status_waiting_confirmation": (),
        "status_paid": ("invoice",),
        "status_review": (),
        "status_expired": (),
        "status_cancelled": (),
        "status_failed": (),
        "status_part_refunded": (),
        "status_refunded": (),
        "status_reversed": (),
        "status_chargeback": (),
        "status_overpaid": (),
        "jual_pesanan_tidak_ada": ("pesanan",),
        "jual_belum_ada": (),
        "jual_batal": ("pesanan", "isi"),
        "jual_batal_lunas": ("pesanan",),
        "jual_batal_nanti": ("pesanan",),
        "jual_belum_masuk": ("total", "pesanan", "tautan"),
        "jual_cek_gangguan": (),
        "jual_cek_transfer": (),
        "jual_cek_transfer_tutup": ("buka",),
        "jual_masih_dicek": (),
        "jual_sudah_lunas": ("pesanan",),
        "jual_transfer_ditolak": ("total", "pesanan"),
        "jual_invoice": ("invoice",),
        "jual_invoice_belum": ("pesanan", "status"),
        "admin_ongkir": ("nama", "nomor", "pesanan", "isi", "alamat", "tautan"),
        "admin_cek_transfer": ("total", "nama", "nomor", "pesanan", "isi", "tautan"),
        "admin_pesanan_bantu": ("nama", "nomor", "isi", "total", "sebab", "tautan"),
        "admin_sebab_link": (),
        "admin_sebab_tanpa_cara": (),
        "admin_sebab_besar": (),
        "admin_sebab_batal_lunas": (),
        "admin_lunas_tanya": ("total", "nama", "nomor", "pesanan", "isi", "tautan"),
        "admin_lunas_geser": (),
        "admin_lunas_batal": ("pesanan",),
        "admin_lunas_jawab": (),
        "admin_lunas_pilih": ("daftar", "contoh"),
        "admin_lunas_kosong": (),
        "admin_lunas_orang": ("nama", "nomor"),
        "admin_lunas_tidak_ada": ("pesanan",),
        "admin_pengingat_pesanan": ("lama", "nama", "nomor", "pertanyaan", "tautan"),
        "admin_ongkir_ok": ("ongkir", "nama", "total"),
        "admin_ongkir_salah": (),
        "admin_pesanan_lewat": ("pesanan", "status"),
        "admin_tolak_ok": ("nama",),
        "admin_pesanan": ("jumlah", "total", "daftar"),
        "admin_pesanan_cek": (),
        "admin_pesanan_tunggu": (),
        "admin_pesanan_baris": ("pesanan", "nama", "nomor", "isi", "total", "status"),
        "admin_pesanan_kosong": (),
        "bayar_lunas": ("total",),
        "bayar_pengingat": ("total", "pesanan", "batas"),
        "bayar_habis": ("total", "pesanan"),
        "admin_lunas": (*_PAYMENT, "barang", "invoice", "cara", "jam", "rincian"),
        "admin_meterai": (),
        "admin_bayar_terlambat": _PAYMENT,
        "admin_bayar_ganda": (*_PAYMENT, "transaksi"),
        "admin_bayar_tinjau": _PAYMENT,
        "admin_bayar_ditarik": _PAYMENT,
        "admin_bayar_kembali": (*_PAYMENT, "jumlah"),
        "admin_bayar_sengketa": _PAYMENT,
        "admin_bayar_status": (*_PAYMENT, "status"),
        "admin_bayar_aneh": (*_PAYMENT, "status"),
        "admin_bayar_beda": (*_PAYMENT, "beda"),
        "admin_midtrans_mati": ("sebab",),
        "admin_midtrans_kunci": ("dunia", "lain", "nilai"),
        "admin_midtrans_pulih": (),
        "admin_notifikasi_mati": ("sebab",),
        "invoice_keterangan": ("nomor",),
        "invoice_nomor_lain": ("nomor",),
        "invoice_menyusul": ("nomor",),
        "invoice_starsender": ("nama", "total", "nomor"),
        "kirim_ulang": ("isi",),
        "admin_starsender": ("sebab",),
        "admin_starsender_pulih": (),
        "admin_sebab_starsender_tak_terhubung": (),
        "admin_sebab_starsender_diam": (),
        "admin_sebab_starsender_galat": (),
        "admin_sebab_starsender_dibatasi": (),
        "admin_sebab_starsender_kunci": (),
        "admin_sebab_starsender_ditolak": ("kata",),
        "admin_sebab_starsender_mati": (),
        "admin_sebab_starsender_gagal": (),
        **dict.fromkeys(ALARMS, ("rincian",)),
        "admin_rincian_log": (),
        "admin_rincian_lain": ("isi",),
        "admin_rincian_offline": ("lama",),
        "admin_rincian_macet": ("program", "lama"),
        "admin_rincian_mati": ("program",),
        "admin_rincian_berhenti": ("program", "kode"),
        "admin_rincian_menunggu": ("jumlah", "lama"),
        "admin_rincian_gagal": ("isi",),
        "admin_rincian_lunas": ("jumlah",),
        "admin_rincian_disk": ("sisa", "folder"),
        "admin_rincian_biaya": ("terpakai", "batas"),
        "admin_rincian_cadangan": ("lama",),
        "admin_alarm_pulih": ("judul", "lama"),
        "admin_alarm_lewat": ("judul", "lama", "rincian"),
        "admin_alarm_kode": ("kode",),
        "admin_alarm_tautan": ("tautan",),
        "admin_alarm_pair": (),
        "admin_cek_model_kunci": ("alamat",),
        "admin_cek_model_alamat": ("alamat",),
        "admin_cek_model_model": ("alamat", "model"),
        "admin_cek_model_saldo": ("alamat",),
        "admin_cek_model_permintaan": ("alamat", "kode"),
        "admin_cek_model_jauh": ("alamat",),
        "admin_cek_model_diam": ("alamat", "lama"),
        "admin_cek_model_ramai": ("alamat",),
        "admin_cek_model_galat": ("alamat", "kode"),
        "admin_cek_model_aneh": ("alamat",),
        "admin_cek_teknisi": ("kata",),
        "admin_cek_telegram_token": (),
        "admin_cek_telegram_jauh": (),
        "admin_cek_ping": (),
        "masuk_judul": (),
        "masuk_buka": (),
        "masuk_tombol": (),
        "masuk_pindai": (),
        "masuk_ketik": (),
        "masuk_tunggu": (),
        "masuk_berhasil": (),
        "masuk_habis": (),
        "masuk_ditolak": (),
        "masuk_sering": (),
        "masuk_sisa": ("detik",),
        "masuk_ganti": ("detik",),
    }.items()
}


@dataclass(frozen=True, kw_only=True)
class Wording:
    """All sentences, checked: `say` can't fail for a sentence and the values it needs."""

    sentences: Mapping[str, str]
    shop: Mapping[str, str]

    @classmethod
    def load(cls, data_dir: Path, shop: Shop) -> Wording:
        """The packaged sentences with those of `data_dir/kalimat.toml` in their place.

        Raises ConfigError with every unknown sentence and every wrong placeholder at once.
        """
        defaults, problems = _sentences(DEFAULTS)
        own, own_problems = _sentences(data_dir / "kalimat.toml")
        problems += own_problems
        if problems:
            raise ConfigError(problems)
        return cls(
            sentences={**defaults, **own},
            shop={"toko": shop.nama, "sapaan": shop.sapaan, "panggilan": shop.panggilan},
        )

    def say(self, sentence: str, **values: object) -> str:
        """The sentence, its placeholders filled in. Raises KeyError for a missing sentence or value.

        An empty value takes its brackets and the space before it along: "Budi ({nomor})" without a number is
        "Budi".
        """
        template = self.sentences[sentence]
        for name, value in values.items():
            if value == "":
                for around in (f" ({{{name}}})", f" {{{name}}}"):
                    template = template.replace(around, f"{{{name}}}")
        # What is filled in is not searched for placeholders again: a customer may well write "{toko}".
        return template.format_map({**values, **self.shop}).strip()


def _sentences(path: Path) -> tuple[dict[str, str], list[str]]:
    content, problems = read_toml(path)
    good: dict[str, str] = {}
    for name, text in content.items():
        problem = _problem(name, text)
        if problem:
            problems.append(f"{path}: {name}: {problem}")
        else:
            good[name] = text.strip()
    return good, problems


def _problem(name: str, text: object) -> str | None:
    if name not in SENTENCES:
        return f"tidak ada kalimat bernama ini.{did_you_mean(name, SENTENCES)}"
    if not isinstance(text, str) or not text.strip():
        return f'tulis {name} = "..." dengan teksnya di dalam kutip, atau hapus barisnya supaya pakai bawaan.'
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return "kurung kurawalnya tidak berpasangan; tulis {{ dan }} untuk menampilkan kurung kurawal."
    used = {field for _, field, _, _ in parts if field is not None}
    # "{nama!r}" and "{nama:>9}" mean something to Python only.
    if any(spec or conversion for _, _, spec, conversion in parts):
        return "di dalam kurung kurawal cukup nama isiannya, misalnya {sapaan}."
    allowed = SENTENCES[name] | ALWAYS
    unknown = sorted(used - allowed)
    if unknown:
        known = ", ".join(f"{{{field}}}" for field in sorted(allowed))
        return f"isian {{{unknown[0]}}} tidak dikenal di kalimat ini; yang ada: {known}."
    missing = sorted(SENTENCES[name] - used)
    if missing:
        return f"isian {', '.join(f'{{{field}}}' for field in missing)} harus tetap ada di kalimat ini."
    return None
