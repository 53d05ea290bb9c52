from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.memory.denials import with_denials
from store.memory.ranking import best, fuse
from store.memory.spelling import Vocabulary
from store.memory.stems import possible_stems
from store.memory.synonyms import synonyms
from store.memory.weights import weight_of

WORDS = ["pengiriman", "bayar", "garansi", "router", "teknisi", "paket", "kirim", "ih20", "ih50", "biaya"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pengirman", "pengiriman"),
        ("garnasi", "garansi"),
        ("rooter", "router"),
        ("teknisii", "teknisi"),
        ("pkt", "paket"),
        ("dibayarkan", "bayar"),
        ("tarif", "biaya"),
        ("pketnya", "paket"),
        ("krimin", "kirim"),
        ("ngirim", "kirim"),
        ("bayarin", "bayar"),
        ("trf", "biaya"),
    ],
)
def test_a_word_written_differently_finds_what_it_stands_for(written: str, meant: str) -> None:
    [(first, trust), *_] = Vocabulary(WORDS).near(written)
    assert first == meant
    assert 0 < trust < 1


def test_a_known_word_stands_for_itself_first() -> None:
    assert Vocabulary(WORDS).near("kirim")[0] == ("kirim", 1.0)


@pytest.mark.parametrize("word", ["ih30", "275000", "xy", "zebrakuda"])
def test_codes_amounts_and_foreign_words_are_not_guessed(word: str) -> None:
    assert Vocabulary(WORDS).near(word) == []


@given(st.text(alphabet="abcdeiknp", min_size=4, max_size=10), st.data())
def test_every_single_slip_in_a_word_is_found(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("xyz"))
    slips = [word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]]
    if len(word) > 4:
        slips.append(word[:at] + word[at + 1 :])
    if at + 1 < len(word):
        slips.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    for slip in slips:
        assert word in dict(Vocabulary([word]).near(slip))


def test_words_of_one_family_share_a_stem() -> None:
    families = [("pembayaran", "dibayar", "bayarkan"), ("menulis", "tulisan"), ("pengiriman", "mengirim")]
    for family in families:
        assert frozenset.intersection(*(possible_stems(word) for word in family))


def test_a_stem_is_never_so_short_that_strangers_share_it() -> None:
    assert not possible_stems("dipan") & possible_stems("pani")
    assert all(len(stem) >= 4 for stem in possible_stems("kiriman"))


def test_words_of_asking_weigh_less_than_words_of_the_subject() -> None:
    assert weight_of("kak") == weight_of("berapa") < weight_of("router") == 1


@pytest.mark.parametrize(
    ("asked", "meant"), [("saya tidak jadi", "batal"), ("lampu tidak mau nyala", "mati"), ("jadi", None)]
)
def test_a_denied_word_also_means_the_state_that_shops_have_a_word_for(asked: str, meant: str | None) -> None:
    word, states = with_denials(asked.split())[-1]
    assert word in ("jadi", "nyala")
    assert states == frozenset() if meant is None else meant in states


def test_a_denial_reaches_the_next_words_only() -> None:
    found = dict(with_denials(["tidak", "usah", "kirim", "jadi", "nyala"]))
    assert found["jadi"] == found["nyala"] == frozenset()


def test_synonyms_go_both_ways() -> None:
    assert "tarif" in synonyms("harga")
    assert "harga" in synonyms("tarif")
    assert "harga" not in synonyms("harga")


@given(st.lists(st.integers(-3, 9), max_size=60), st.integers(1, 10))
def test_the_best_are_those_above_zero_in_falling_order_and_stable(scores: list[int], most: int) -> None:
    expected = sorted((at for at, score in enumerate(scores) if score > 0), key=lambda at: -scores[at])[:most]
    assert best(np.array(scores, dtype=np.float32), most).tolist() == expected


def test_what_two_rankings_agree_on_comes_first() -> None:
    fused = fuse([np.array([5, 7]), np.array([9, 7])])
    assert fused[0][0] == 7
    assert {position for position, _ in fused} == {5, 7, 9}
