"""How much a word of a question tells about its subject."""

from __future__ import annotations

# Words of asking, politeness and address, and the commonest function words, in their normalised form.
# They say that something is asked, hardly ever what. Their rarity in a shop's texts (answers never say
# "kak, numpang tanya") would otherwise make them count as if they named the subject.
_LIGHT_WORDS = """
ada adakah adalah agan agar aja aku amat anda apa apakah apalagi assalamualaikum atau bagaimana bang
banget bantu begini begitu belum berapa berapakah biar bisa bisakah boleh bolehkah bos bro bu buat bund
bunda caranya cuma dan dari deh dengan di dia diberi dimana dimohon dong dulu gan gini gitu hai halo
hanya harap harus hi iya izin info infokan jadi jika juga ka kabar kah kak kaka kakak kalau kalian kami
kamu kan kapan karena kasih kasihan kayak ke kenapa kepada ketika kira kita kok lagi lah lalu langsung
lho loh mana masih mas mau mba mbak memang mengapa menjadi mengenai min minta misal misalnya mohon nah
namun ngapain nih numpang oh oke om orang pada paginya pagi pak para per permisi pernah pun punya saat
saja salam sama sampai saya sebagai sebuah sedang sekali sekarang sekalian selamat seperti sering setelah
siang siapa siapakah sih sis sore suatu sudah supaya tadi tahu tanya tapi tau tentang terima tersebut
terus tidak tolong tuh untuk wa waalaikumsalam ya yaitu yakni yang
"""
_LIGHT = frozenset(_LIGHT_WORDS.split())
_LIGHT_WEIGHT = 0.45


def weight_of(word: str) -> float:
    """1 for a word that may name the subject, less for one that is only asking or polite."""
    return _LIGHT_WEIGHT if word in _LIGHT or len(word) == 1 else 1.0
