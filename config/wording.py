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
        "masih_menunggu": (),
        "pesan_panjang": (),
        "terlambat": (),
        "suara": (),
        "suara_tutup": ("buka",),
        "foto": (),
        "kiriman": (),
        "admin_butuh_jawaban": _CUSTOMER,
        "admin_minta_orang": _CUSTOMER,
        "admin_kiriman": _CUSTOMER,
        "admin_kiriman_hilang": ("apa", "nama", "nomor", "sebab", "tautan"),
        "admin_menunggu": _CUSTOMER,
        "admin_terlambat": _CUSTOMER,
        "admin_pengingat": ("menit", *_CUSTOMER),
        "admin_pengingat_terakhir": ("menit", *_CUSTOMER),
        "admin_terkirim": ("nama",),
        "admin_sudah_dijawab": ("nama",),
        "admin_tawaran_faq": ("tanya", "jawab"),
        "admin_faq_tersimpan": (),
        "admin_faq_batal": (),
        "admin_perintah": ("perintah",),
        "admin_bantuan_status": (),
        "admin_bantuan_daftar": (),
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
            *("biaya", "batas", "kurang"),
        ),
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
        "admin_abaikan": ("nama", "nomor"),
        "admin_lanjut": ("nama", "nomor"),
        "admin_tidak_ketemu": ("cari",),
        "admin_pilih": ("daftar", "contoh"),
        "admin_cari": ("nama", "nomor", "percakapan"),
        "admin_cari_kosong": ("nama", "nomor"),
        "admin_belajar": ("daftar", "hari"),
        "admin_belajar_kosong": (),
        "admin_tidak_ada_lagi": (),
        "admin_status": ("mode", "pesan", "jawaban", "menunggu", "biaya", "batas", "catatan"),
        "admin_daftar_kosong": (),
        "admin_loop": ("nama", "nomor"),
        "admin_berhenti": (),
        "admin_mulai": (),
        "admin_latihan": ("nama", "nomor", "tanya", "jawab"),
        "admin_draf": ("nama", "nomor", "tanya", "jawab"),
        "admin_draf_terkirim": (),
        "admin_draf_dibuang": (),
        "admin_draf_lewat": (),
        "admin_gagal_kirim": ("nama", "nomor", "isi"),
        "admin_pesan_rusak": ("nama", "nomor"),
        "admin_wa_bisnis": ("isi",),
        "admin_model_salah": ("sebab",),
        "admin_model_pulih": (),
        "admin_gagal_simpan": ("sebab",),
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
        """The sentence, its placeholders filled in. Raises KeyError for a missing sentence or value."""
        # What is filled in is not searched for placeholders again: a customer may well write "{toko}".
        return self.sentences[sentence].format_map({**values, **self.shop}).strip()


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
