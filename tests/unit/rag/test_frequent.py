"""What a shop was asked most often: one question in other words, and answers that may stand alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.frequent import MOST, Exchange, frequent, is_question

_TIMES = itertools.count(1)


def said(chat: str, asked: str, replied: str) -> Exchange:
    return Exchange(chat=chat, asked=asked, replied=replied, asked_ms=next(_TIMES))


COD = [
    said("a", "halo kak, bisa cod?", "Bisa kak, area Klaten"),
    said("b", "cod bisa gak min", "bisa kak, area klaten"),
    said("c", "Bisa COD ga ya kak", "COD hanya Klaten kota"),
    said("c", "bisa cod", "COD hanya Klaten kota"),
]


def test_one_question_in_many_words_is_one_with_the_answer_that_was_given_most() -> None:
    [found] = frequent(COD)
    assert found.chats == 3
    # As often as the other one, and newer.
    assert found.answer == "COD hanya Klaten kota"
    assert found.question == "Bisa cod?"
    assert found.chat == "c"


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        ("jam buka brp ya", "buka jam berapa kak?"),
        ("dmn alamat tokonya?", "alamat toko di mana kak"),
        ("brp lama garansi router", "garansi router berapa lama ya min?"),
        ("bayar di tempat bisa?", "bisa cod kak?"),
    ],
)
def test_order_slang_and_politeness_make_no_other_question(asked: str, again: str) -> None:
    [found] = frequent([said("a", asked, "Begini Kak, ya"), said("b", again, "Begini Kak, ya")])
    assert found.chats == 2


@pytest.mark.parametrize(
    ("asked", "other"),
    [("bisa kirim ke Solo?", "bisa kirim ke Sorong?"), ("ada router?", "ada kabel?")],
)
def test_what_the_answer_depends_on_makes_another_question(asked: str, other: str) -> None:
    assert frequent([said("a", asked, "Bisa Kak"), said("b", other, "Belum bisa Kak")]) == []


def test_one_customer_who_asks_often_is_no_frequent_question() -> None:
    assert frequent([said("a", "bisa cod?", "Bisa Kak")] * 5) == []


@pytest.mark.parametrize(
    "replied",
    [
        "Rp275.000 per bulan Kak",
        "150rb kak",
        "Bentar ya Kak, aku cek dulu",
        "Nanti dikabari admin ya",
        "Telepon 0812 3456 7890 saja Kak",
        "BCA 1234567890 a.n. Rina",
        "ya",
        "x " * 300,
    ],
)
def test_what_may_not_stand_as_it_is_becomes_no_entry(replied: str) -> None:
    assert frequent([said("a", "bisa cod?", replied), said("b", "bisa cod kak", replied)]) == []


def test_a_greeting_that_a_program_sends_is_nobodys_answer() -> None:
    automatic = "Terima kasih sudah menghubungi kami"
    asked = ["bisa cod?", "jam buka berapa?", "alamat di mana?", "ada garansi?"]
    some = [said(chat, question, automatic) for chat in "ab" for question in asked]
    assert frequent(some) == []
    [found] = frequent([*some, said("a", "bisa cod?", "Bisa Kak"), said("b", "bisa cod?", "Bisa Kak")])
    assert found.answer == "Bisa Kak"


def test_the_most_frequent_come_first_and_no_more_than_asked_for() -> None:
    wares = [f"barang{number}x" for number in range(MOST + 5)]
    some = [
        said(f"chat {chat}", f"ada {ware}?", f"Ada Kak, {ware} lengkap")
        for rank, ware in enumerate(wares)
        for chat in range(2 + rank)
    ]
    found = frequent(some)
    assert len(found) == MOST
    assert [one.chats for one in found] == sorted((one.chats for one in found), reverse=True)
    assert found[0].question == f"Ada {wares[-1]}?"


@pytest.mark.parametrize(
    "text", ["halo kak", "ok", "makasih ya", "", "kak?", "p", "08123456789 ini wa ku?", "a? " * 200]
)
def test_what_asks_nothing_is_no_question(text: str) -> None:
    assert not is_question(text)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=40), st.text(max_size=40)), max_size=12))
def test_any_words_give_short_questions_of_one_line(chats: list[tuple[str, str, str]]) -> None:
    for one in frequent([said(*chat) for chat in chats]):
        assert one.question.endswith("?")
        assert len(one.question.splitlines()) == 1
        assert one.chats >= 2
