"""What of the model's answer may be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import MAX_ANSWER_CHARS, CheckedAnswer, Verdict, Wanted, check, whatsapp_text
from rag.prompt import Prompt, build
from store.memory.index import Passage, Recalled
from store.turns import Author, Turn

CANARY = "c0ffee123456"
ONGKIR = "T: Ongkir ke luar Jawa berapa?\nJ: Ongkir luar Jawa Rp35.000, dikirim tiap Senin."


def _passage(text: str = ONGKIR, id: str = "faq:ongkir") -> Passage:
    return Passage(
        id=id, kind="faq", title="Ongkir", text=text, answer=None, score=1, coverage=1, similarity=None
    )


def _prompt(*passages: Passage, recent: tuple[Turn, ...] = (), recalled: tuple[Recalled, ...] = ()) -> Prompt:
    return build(
        system="s", recent=recent, recalled=recalled, passages=passages or (_passage(),), message="ongkir?"
    )


def _content(**changed: Any) -> str:
    good = {
        "answer": "Ongkirnya Rp35.000, Kak.",
        "source_ids": ["faq:ongkir"],
        "answerable": True,
        "needs_human": False,
    }
    return json.dumps(good | changed)


def _checked(prompt: Prompt | None = None, **changed: Any) -> CheckedAnswer:
    return check(_content(**changed), prompt or _prompt(), canary=CANARY)


def test_an_answer_that_passes_everything_is_sent_with_its_sources() -> None:
    assert _checked(source_ids=["faq:ongkir", "faq:ongkir"]) == CheckedAnswer(
        verdict=Verdict.SEND, text="Ongkirnya Rp35.000, Kak.", source_ids=("faq:ongkir",)
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        '"Halo"',
        "Tentu! {}",
        "{}",
        '{"answer": "x"',
        "[" * 100_000,
        _content(answer=None),
        _content(answer=["x"]),
        _content(source_ids="faq:ongkir"),
        _content(source_ids=[1]),
        _content(source_ids=None),
        _content(answerable="true"),
        _content(answerable=1),
        _content(needs_human=None),
    ],
)
def test_anything_but_the_agreed_shape_is_rejected(content: str) -> None:
    assert check(content, _prompt(), canary=CANARY).verdict is Verdict.REJECTED


@given(st.text(max_size=100))
def test_no_content_whatever_raises(content: str) -> None:
    assert check(content, _prompt(), canary=CANARY).verdict is Verdict.REJECTED


@given(st.text(alphabet=st.characters(), max_size=300))
def test_what_is_sent_can_be_stored_and_shown(text: str) -> None:
    checked = _checked(answer=text)
    checked.text.encode()
    assert "\x00" not in checked.text


def test_a_person_is_needed_before_anything_else_is_judged() -> None:
    assert _checked(needs_human=True, answerable=False, source_ids=[]).verdict is Verdict.HUMAN


def test_an_unanswerable_question_is_no_rejection() -> None:
    assert _checked(answerable=False, source_ids=[], answer="").verdict is Verdict.UNANSWERABLE


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"answer": ""}, "empty"),
        ({"answer": " \n\x00 "}, "empty"),
        ({"source_ids": []}, "names no source"),
        ({"source_ids": ["faq:ongkir", "faq:karangan"]}, "not given: faq:karangan"),
        ({"source_ids": ["percakapan"]}, "not given: percakapan"),
        ({"answer": "Ongkirnya Rp30.000 ya Kak."}, "amount of money"),
        ({"answer": "Cukup 30rb Kak."}, "amount of money"),
        ({"answer": "Rp35.000, dua jadi Rp70.000."}, "amount of money"),
        ({"answer": "It is 30 thousand rupiah."}, "amount of money"),
        ({"answer": "Shipping is $10."}, "foreign money"),
        ({"answer": "Sudah kuteruskan ke admin ya Kak."}, "promises"),
        ({"answer": "We will contact you shortly."}, "promises"),
        ({"answer": "Admin bakal ngubungi sampeyan."}, "promises"),
        ({"answer": "Sebagai AI, aku tidak tahu."}, "machine"),
        ({"answer": "Berdasarkan   informasi yang tersedia, Rp35.000."}, "machine"),
        ({"answer": "Terjadi kesalahan sistem."}, "machine"),
        ({"answer": f"Kodenya {CANARY}."}, "leaks"),
        ({"answer": f"Kodenya {CANARY}.", "needs_human": True}, "leaks"),
    ],
)
def test_each_broken_rule_rejects_and_says_why(changed: dict[str, Any], reason: str) -> None:
    checked = _checked(**changed)
    assert checked.verdict is Verdict.REJECTED
    assert checked.text == ""
    assert reason in checked.reason


@pytest.mark.parametrize(
    "written",
    ["Rp35.000", "Rp 35.000,-", "35rb", "35 ribu", "35.000", "35k", "35 thousand", "35,000", "35 ewu"],
)
def test_an_amount_counts_however_it_is_written(written: str) -> None:
    assert _checked(answer=f"Ongkirnya {written} ya Kak.").verdict is Verdict.SEND


def test_foreign_money_that_a_source_names_may_be_said() -> None:
    prompt = _prompt(_passage("Kirim ke Singapura SGD 15."))
    assert _checked(prompt, answer="It is S$15 to Singapore.").verdict is Verdict.SEND
    assert _checked(prompt, answer="It is $15 to Singapore.").verdict is Verdict.REJECTED


def test_an_amount_that_only_the_customer_named_supports_nothing() -> None:
    asked = Turn(
        id=1, asked="Katanya Rp5.000?", replied="Ongkirnya Rp35.000.", author=Author.BOT, created_ms=0
    )
    prompt = _prompt(recent=(asked,))
    assert _checked(prompt, answer="Iya Kak, Rp5.000.").verdict is Verdict.REJECTED
    assert _checked(prompt, answer="Tadi Rp35.000 Kak.", source_ids=["percakapan"]).verdict is Verdict.SEND


def test_the_bots_own_earlier_promise_is_no_licence_to_promise_again_but_a_persons_words_are() -> None:
    sentence = "Sudah kuteruskan ke admin, jawabannya menyusul."
    for author, verdict in ((Author.BOT, Verdict.REJECTED), (Author.HUMAN, Verdict.SEND)):
        recent = (Turn(id=1, asked="Bisa?", replied=sentence, author=author, created_ms=0),)
        recalled = (
            Recalled(turn_id=2, asked="?", replied=sentence, author=author.value, created_ms=0, score=1),
        )
        for prompt in (_prompt(recent=recent), _prompt(recalled=recalled)):
            assert _checked(prompt, answer=sentence).verdict is verdict


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**Rp35.000** ya", "*Rp35.000* ya"),
        ("# Ongkir\n## Luar Jawa\nRp35.000", "Ongkir\nLuar Jawa\nRp35.000"),
        ("* satu\n* dua\n• tiga", "- satu\n- dua\n- tiga"),
        ("Halo\n\n* satu", "Halo\n\n- satu"),
        ("*tebal* tetap", "*tebal* tetap"),
        ("[peta](https://maps.example/x)", "peta: https://maps.example/x"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("  rapi \r\n", "rapi"),
        ("Rp\u202e000.53\u202c \x07bel", "Rp000.53 bel"),
        ("harga #1 di kelasnya", "harga #1 di kelasnya"),
    ],
)
def test_markdown_becomes_what_whatsapp_shows(markdown: str, shown: str) -> None:
    assert whatsapp_text(markdown) == shown


def test_a_long_answer_is_cut_after_a_sentence_and_not_after_an_abbreviation() -> None:
    sentence = "Toko kami di Jl. Merapi No. 27 dan buka tiap hari. "
    cut = whatsapp_text(sentence * 40)
    assert len(cut) <= MAX_ANSWER_CHARS
    assert cut.endswith("buka tiap hari.")


def test_one_endless_sentence_is_cut_and_not_reduced_to_its_greeting() -> None:
    cut = whatsapp_text("Halo Kak! " + "kata " * 1000)
    assert len(cut) <= MAX_ANSWER_CHARS
    assert len(cut) > MAX_ANSWER_CHARS // 2
    assert cut.endswith("…")


@given(st.text(max_size=3000))
def test_no_answer_is_longer_than_a_bubble(text: str) -> None:
    assert len(whatsapp_text(text)) <= MAX_ANSWER_CHARS


def _price_list() -> Prompt:
    return _prompt(
        _passage(),
        _passage("Paket 20 Mbps (kode IH20): Rp250.000 per bulan.", "katalog:IH20"),
        _passage("Kartu perdana (kode 77): Rp15.000.", "katalog:77"),
    )


def test_an_order_is_proposed_and_the_model_s_own_words_about_it_are_not_sent() -> None:
    checked = _checked(
        _price_list(),
        answer="Totalnya cuma Rp1.000 dan sudah kami proses, Kak!",
        source_ids=[],
        order=[{"code": "IH20", "quantity": 3}],
    )
    assert checked == CheckedAnswer(verdict=Verdict.ORDER, order=(Wanted(code="IH20", quantity=3),))


@pytest.mark.parametrize("code", ["ih20", " IH20 ", "77"])
def test_a_code_of_the_sources_is_an_order_however_good_the_words_beside_it_are(code: str) -> None:
    checked = _checked(
        _price_list(), order=[{"code": "MANGGA", "quantity": 1}, {"code": code, "quantity": 1}]
    )
    assert checked.verdict is Verdict.ORDER
    assert len(checked.order) == 2


@pytest.mark.parametrize("code", ["K7", "IH2", "20", "", " ", "(.*"])
def test_a_good_answer_is_sent_though_the_model_wrote_down_a_code_that_it_was_not_given(code: str) -> None:
    """Seen of a small real model: it fills the order in for every question."""
    order = [{"code": code, "quantity": 7}]
    assert _checked(_price_list(), order=order).verdict is Verdict.SEND


@pytest.mark.parametrize(
    "changed",
    [{"answerable": False}, {"source_ids": []}, {"answer": "Baik Kak, segera kami proses!"}],
)
def test_an_invented_code_beside_no_good_answer_is_left_to_the_price_list(changed: dict[str, Any]) -> None:
    order = [{"code": "KULKAS", "quantity": 1}]
    assert _checked(order=order, **changed) == CheckedAnswer(
        verdict=Verdict.ORDER, order=(Wanted(code="KULKAS", quantity=1),)
    )


def test_a_server_that_knows_no_order_and_an_empty_one_mean_an_answer() -> None:
    assert _checked(order=[]).verdict is Verdict.SEND
    assert _checked(order=None).verdict is Verdict.SEND


def test_a_person_and_the_canary_come_before_an_order() -> None:
    order = [{"code": "IH20", "quantity": 3}]
    assert _checked(order=order, needs_human=True).verdict is Verdict.HUMAN
    assert _checked(order=order, answer=f"Kodenya {CANARY}.").verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    "order",
    [
        "IH20",
        {"code": "IH20", "quantity": 1},
        ["IH20"],
        [{"code": "IH20"}],
        [{"code": "IH20", "quantity": "3"}],
        [{"code": "IH20", "quantity": 1.5}],
        [{"code": "IH20", "quantity": True}],
        [{"code": None, "quantity": 1}],
        [{"code": "IH20", "quantity": 1}] * 21,
    ],
)
def test_what_is_no_list_of_codes_and_whole_quantities_is_rejected(order: Any) -> None:
    assert _checked(order=order).verdict is Verdict.REJECTED
