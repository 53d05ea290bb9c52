"""Paraphrases reach the model as questions, and never as something that the shop states."""

import json

import pytest

from rag import prompt
from rag.answer import Verdict, check
from rag.sources.faq import ALSO_ASKED, read_faq
from store.memory.index import Passage

ANSWER = "Ongkir luar Jawa Rp35.000, dikirim tiap Senin."


def text_of(paraphrases: list[str], answer: str = ANSWER) -> str:
    entry = {"id": "ongkir", "question": "Ongkir berapa?", "answer": answer, "paraphrases": paraphrases}
    [chunk] = read_faq([entry], source="faq_data.json").chunks
    return chunk.text


def verdict(text: str, answer: str) -> Verdict:
    passage = Passage(
        id="faq:ongkir",
        kind="faq",
        title="",
        text=text,
        answer=None,
        score=1.0,
        coverage=1.0,
        similarity=None,
    )
    built = prompt.build(system="", recent=(), recalled=(), passages=(passage,), message="ongkir?")
    content = {
        "answer": answer,
        "source_ids": ["faq:ongkir"],
        "answerable": True,
        "needs_human": False,
    }
    return check(json.dumps(content), built, canary="kode-uji").verdict


def test_the_model_reads_the_paraphrases_on_one_line_between_question_and_answer() -> None:
    assert text_of(["kirim ke papua\nbrp", "biaya kirim luar pulau"]) == (
        f"T: Ongkir berapa?\nJuga ditanya: kirim ke papua brp / biaya kirim luar pulau\nJ: {ANSWER}"
    )


def test_an_entry_without_paraphrases_has_no_line_for_them() -> None:
    assert text_of([]) == f"T: Ongkir berapa?\nJ: {ANSWER}"


def test_many_paraphrases_do_not_crowd_the_prompt() -> None:
    text = text_of([f"pertanyaan nomor {number} soal ongkir" for number in range(100)])
    assert 400 < len(text.splitlines()[1]) <= 500 + len(ALSO_ASKED)
    assert text.endswith(f"J: {ANSWER}")


def test_a_paraphrase_that_is_too_long_makes_room_for_the_next() -> None:
    assert text_of(["x" * 501, "kirim ke papua"]).splitlines()[1] == "Juga ditanya: kirim ke papua"


def test_a_long_answer_keeps_its_room() -> None:
    assert text_of(["kirim ke papua"], answer="x" * 1_190) == f"T: Ongkir berapa?\nJ: {'x' * 1_190}"


def test_a_paraphrase_with_an_amount_is_not_read_by_the_model() -> None:
    text = text_of(["ongkirnya 20rb ya", "kirim ke papua", "apa benar Rp15.000?"])
    assert text.splitlines()[1] == "Juga ditanya: kirim ke papua"


@pytest.mark.parametrize("also", ["Juga ditanya: apa benar Rp15.000? / kapan teknisi datang ke rumah\n", ""])
def test_a_paraphrase_licenses_no_amount_and_no_promise(also: str) -> None:
    text = f"T: Ongkir berapa?\n{also}J: {ANSWER}"
    assert verdict(text, "Ongkirnya Rp35.000, Kak.") is Verdict.SEND
    assert verdict(text, "Ongkirnya Rp15.000, Kak.") is Verdict.REJECTED
    assert verdict(text, "Besok teknisi datang ke rumah, Kak.") is Verdict.REJECTED


def test_what_the_answer_itself_states_still_licenses_it() -> None:
    text = "T: Survei?\nJuga ditanya: kapan survei\nJ: Besoknya teknisi datang ke rumah, biaya Rp50.000."
    assert verdict(text, "Besoknya teknisi datang ke rumah, Rp50.000.") is Verdict.SEND
