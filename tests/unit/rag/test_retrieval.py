"""What is searched for when a message leans on the one before it."""

from __future__ import annotations

import numpy as np
import pytest

from rag.retrieval import FAQ_COVERAGE, FAQ_SIMILARITY, faq_that_fits, is_dependent, phrasings, query_from
from store.memory.index import Passage
from store.turns import Author, Turn


def _turn(asked: str) -> Turn:
    return Turn(id=1, asked=asked, replied="Iya.", author=Author.BOT, created_ms=0)


@pytest.mark.parametrize(
    "message",
    [
        "kalau luar Jawa?",
        "terus bayarnya gimana kak",
        "yang merah",
        "berapa?",
        "?",
        "",
        "itu yang tadi kakak sebut",
        "kalo yang isi dua belas berapa ya kak harganya",
    ],
)
def test_short_messages_and_pointers_lean_on_what_was_said(message: str) -> None:
    assert is_dependent(message)


@pytest.mark.parametrize(
    "message",
    ["berapa ongkos kirim ke Surabaya kota kak", "apakah bisa bayar di tempat untuk luar kota Klaten"],
)
def test_a_whole_question_stands_by_itself(message: str) -> None:
    assert not is_dependent(message)
    assert phrasings(message, [_turn("paket 20 Mbps berapa?")]) == (message,)


def test_a_follow_up_is_searched_as_written_and_with_its_topic() -> None:
    assert phrasings("kalau luar Jawa?", [_turn("ongkir ke Solo berapa kak harganya?")]) == (
        "kalau luar Jawa?",
        "ongkir ke Solo berapa kak harganya?\nkalau luar Jawa?",
    )


def test_a_topic_that_leans_itself_brings_the_one_before_it_and_no_more() -> None:
    recent = [_turn("halo"), _turn("ongkir ke Solo berapa kak harganya?"), _turn("kalau Jogja?")]
    assert phrasings("terus Sorong?", recent)[1] == (
        "ongkir ke Solo berapa kak harganya?\nkalau Jogja?\nterus Sorong?"
    )


def test_the_first_message_has_nothing_to_lean_on() -> None:
    assert phrasings("berapa?", []) == ("berapa?",)


def test_what_the_message_refers_to_always_joins() -> None:
    assert phrasings("masih ada kak?", [], context="Gamis Sarah 185rb") == (
        "Gamis Sarah 185rb\nmasih ada kak?",
    )


def test_a_long_story_before_a_short_question_does_not_drown_it() -> None:
    recent = [_turn("cerita " * 600), _turn("itu " * 1000)]
    assert all(len(text) < 1_500 for text in phrasings("jadi berapa?", recent))


def test_the_query_has_search_texts_and_vectors_in_the_same_order() -> None:
    vectors = [np.ones(2, np.float32), np.zeros(2, np.float32)]
    query = query_from(("Brp ongkirnya?", "x"), vectors)
    assert query.texts[0] == "berapa ongkir"
    assert len(query.texts) == len(query.vectors) == 2


def _faq(
    answer: str | None = "Bisa.", coverage: float = 0.0, similarity: float | None = None, id: str = "faq:a"
) -> Passage:
    return Passage(
        id=id,
        kind="faq",
        title="",
        text="",
        answer=answer,
        score=0,
        coverage=coverage,
        similarity=similarity,
    )


def test_an_faq_entry_fits_only_when_it_clearly_does() -> None:
    by_words, by_meaning = _faq(coverage=FAQ_COVERAGE), _faq(similarity=FAQ_SIMILARITY)
    assert faq_that_fits([by_words]) is by_words
    assert faq_that_fits([by_meaning]) is by_meaning
    assert faq_that_fits([_faq(answer=None, coverage=1.0), by_words]) is by_words
    assert faq_that_fits([_faq(coverage=FAQ_COVERAGE - 0.01, similarity=FAQ_SIMILARITY - 0.01)]) is None
    assert faq_that_fits([_faq(), _faq(), by_words]) is None
    assert faq_that_fits([]) is None
