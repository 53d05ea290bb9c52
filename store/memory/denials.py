"""What a word is called that a customer denies: "tidak jadi" is "batal"."""

from __future__ import annotations

from collections.abc import Sequence

from store.memory.stems import possible_stems

# What customers deny, and what shops call the state that they then are in: "tidak jadi" is "batal".
_DENIED_TEXT = """
ada: habis kosong
aktif: mati rusak gangguan isolir
bayar: tunggak denda isolir
betah: berhenti kembali
cepat: lambat
cocok: tukar retur kembali
cukup: kurang tambah
dapat: gagal
datang: terlambat
fungsi: rusak gangguan
gratis: biaya
gerak: rusak macet
hidup: mati rusak gangguan
internetan: gangguan
jadi: batal
jalan: rusak macet gangguan
jauh: dekat
jelas: kabur
kencang: lambat
kerja: libur
keluar: macet
kenal: asing
konek: gangguan putus
kunjung: terlambat
kuat: lemah
lancar: gangguan lambat putus
lanjut: berhenti batal
lengkap: kurang hilang
masuk: gagal gangguan
muat: kecil tukar
muncul: hilang gangguan
normal: gangguan rusak
nyambung: gangguan putus
nyala: mati rusak gangguan
pakai: berhenti
pas: tukar retur
perpanjang: berhenti
puas: keluhan kembali refund
pulang: hilang
rusak: aman awet
sambung: gangguan putus
sampai: terlambat hilang
sempat: terlambat
sesuai: tukar retur salah
setuju: tolak
stabil: gangguan lambat putus
suka: tukar kembali
temu: hilang
terima: hilang terlambat
tahan: rusak
tinggal: pindah
utuh: rusak pecah kurang
"""
_DENIED = {
    denied: frozenset(state.split())
    for denied, _, state in (line.partition(": ") for line in _DENIED_TEXT.strip().splitlines())
}
_DENIALS = frozenset(("tidak", "belum", "bukan", "tanpa", "kurang", "jangan"))
# "tidak mau nyala", "belum juga sampai": so many words may stand between.
_DENIAL_REACH = 2
_NOTHING: frozenset[str] = frozenset()


def with_denials(asked: Sequence[str]) -> list[tuple[str, frozenset[str]]]:
    """Each different word once, with what "not" this word is called where it is denied."""
    found: dict[str, frozenset[str]] = {}
    for at, word in enumerate(asked):
        denied = not _DENIALS.isdisjoint(asked[max(0, at - _DENIAL_REACH) : at])
        states = (_DENIED.get(stem, _NOTHING) for stem in possible_stems(word)) if denied else ()
        found[word] = found.get(word, _NOTHING).union(*states)
    return list(found.items())
