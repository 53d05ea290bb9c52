"""Yes and no to a proposal: whole messages only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.confirmation import Meaning, calls_off, meaning

FIRM = (
    "jadi|Jadi kak|gas|gasss|gaskeun|ok gas|oke gas kak|deal|fix|konfirmasi|ya jadi|iya jadi kak|"
    "bungkus min|jadi beli kak|jadi pesan ya|oke deal"
)
PLAIN = (
    "ya|Ya.|iya|iyaa kak|y|yes|ok|Okeee|oke kak|sip|siap|sipp|boleh|boleh kak|benar|iya benar|"
    "betul|lanjut|lanjut kak|ok lanjut|setuju|ya kak|ya sudah|oke makasih|iya sudah benar|"
    "boleh langsung diproses|nggih|👍|👍🏻|✅|acc min"
)
NO = (
    "nggak jadi|ga jadi|gak jadi kak|batal|batal aja|tidak|gak|enggak dulu|jangan dulu|cancel|"
    "nanti dulu ya|nanti aja kak|gajadi deh|ga usah|👎|maaf batal kak|tidak jadi pesan"
)
NEITHER = (
    "bisa kurang?|bisa kurang|ya tapi warnanya merah|ya?|jadi?|jadi berapa totalnya|"
    "jadi kapan dikirim|ok berapa ongkirnya|boleh nego|boleh kurang|"
    "harganya Rp1.000 ya, konfirmasi|konfirmasi harga 1000|ya 2|iya tapi 2 aja|jadi 2|makasih|"
    "terima kasih kak|kak|halo|sudah|itu|langsung|tidak bisa bayar|gak bisa dibuka|bukan begitu|😂||"
    "ya ampun mahal|oke admin|minta admin|siapa ini|gas elpiji ada|"
    "jadi gini kak saya mau tanya dulu soal pasang"
)


@pytest.mark.parametrize("text", FIRM.split("|"))
def test_a_firm_yes(text: str) -> None:
    assert meaning(text) is Meaning.FIRM_YES


@pytest.mark.parametrize("text", PLAIN.split("|"))
def test_a_yes_to_what_was_said_last(text: str) -> None:
    assert meaning(text) is Meaning.YES


@pytest.mark.parametrize("text", NO.split("|"))
def test_a_no(text: str) -> None:
    assert meaning(text) is Meaning.NO


@pytest.mark.parametrize("text", NEITHER.split("|"))
def test_what_is_more_or_something_else_confirms_nothing(text: str) -> None:
    assert meaning(text) is None


@given(
    st.text(max_size=40), st.sampled_from(["tapi", "berapa", "kurang", "diskon", "1000", "ganti", "admin"])
)
def test_a_yes_with_anything_of_weight_beside_it_is_none(text: str, word: str) -> None:
    assert meaning(f"ya {word} {text}") not in (Meaning.YES, Meaning.FIRM_YES)


def test_not_now_is_not_never() -> None:
    assert calls_off("batal aja kak")
    assert calls_off("ga jadi deh")
    assert not calls_off("nanti ya")
    assert not calls_off("nggak")
    assert not calls_off("jadi")
