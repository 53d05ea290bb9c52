"""The question set is only worth measuring with if its labels are right, so the labels are tested themselves.

The sample shop in `data/` is parsed here with nothing but json and csv: a mistake in the product's own
readers must not be able to hide a mistake in the labels. Only the chunk numbers of prose come from the
product's chunker.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.sources import read_folder

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
QUESTIONS = Path(__file__).resolve().parent / "questions"

HELD_OUT = tuple(f"heldout/{name}.jsonl" for name in ("answerable", "slang", "unknown"))

Row = dict[str, Any]


def rows_of(name: str) -> list[Row]:
    lines = (QUESTIONS / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def faq() -> list[Row]:
    entries: list[Row] = json.loads((DATA / "faq_data.json").read_text(encoding="utf-8"))
    return entries


def catalogue() -> list[dict[str, str]]:
    with (DATA / "katalog.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def passages() -> list[Row]:
    entries: list[Row] = json.loads((DATA / "retrieval_data.json").read_text(encoding="utf-8"))
    return entries


def folded(text: str) -> str:
    return " ".join(text.split())


def prose() -> dict[str, str]:
    """The text of each long document, whitespace folded, under its file stem."""
    return {path.stem: folded(path.read_text(encoding="utf-8")) for path in DATA.glob("*.md")}


def bare(text: str) -> str:
    """Lower case and without punctuation, so that a copied question is found even with its "?" left off."""
    return " ".join(re.findall(r"\w+", text.lower()))


def turns() -> Iterator[Row]:
    for dialogue in rows_of("dialogues.jsonl"):
        yield from dialogue["turns"]


def labelled() -> list[Row]:
    return [
        *rows_of("answerable.jsonl"),
        *rows_of("slang.jsonl"),
        *(turn for turn in turns() if turn["gold"] is not None),
    ]


def repeated(values: list[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def words_shared(one: str, other: str) -> float:
    """Jaccard similarity of the two sets of words, 0.0 to 1.0."""
    first, second = set(bare(one).split()), set(bare(other).split())
    return len(first & second) / len(first | second)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("answerable.jsonl", 120),
        ("slang.jsonl", 40),
        ("unknown.jsonl", 40),
        ("dialogues.jsonl", 20),
        *zip(HELD_OUT, (80, 30, 40), strict=True),
    ],
)
def test_each_file_has_its_number_of_questions(name: str, count: int) -> None:
    assert len(rows_of(name)) == count


def test_every_question_id_is_unique_over_all_files() -> None:
    names = ("answerable.jsonl", "slang.jsonl", "unknown.jsonl", "dialogues.jsonl", *HELD_OUT)
    assert repeated([row["id"] for name in names for row in rows_of(name)]) == []


def test_no_two_questions_have_the_same_words() -> None:
    names = ("answerable.jsonl", "slang.jsonl", "unknown.jsonl", *HELD_OUT)
    assert repeated([bare(row["text"]) for name in names for row in rows_of(name)]) == []


def test_every_faq_id_is_unique() -> None:
    assert repeated([entry["id"] for entry in faq()]) == []


def test_no_faq_question_or_paraphrase_is_written_twice() -> None:
    assert repeated([bare(text) for e in faq() for text in (e["question"], *e["paraphrases"])]) == []


def test_every_catalogue_code_is_unique() -> None:
    assert repeated([row["kode"].strip().upper() for row in catalogue()]) == []


def test_every_passage_id_is_unique() -> None:
    assert repeated([entry["metadata"]["id"] for entry in passages()]) == []


def test_the_sample_shop_is_large_enough_to_measure_with() -> None:
    assert len(catalogue()) == 25
    assert len(faq()) >= 60
    assert len(passages()) >= 10
    assert all(2 <= len(entry["paraphrases"]) <= 8 for entry in faq())
    assert all(800 <= len(text.split()) <= 1500 for text in prose().values())


def test_faq_answers_fit_into_one_bubble() -> None:
    assert [entry["id"] for entry in faq() if len(entry["answer"]) > 600] == []


def test_the_catalogue_has_an_item_that_is_sold_out_and_one_that_is_withdrawn() -> None:
    assert [row["kode"] for row in catalogue() if row["stok"] == "habis"] == ["RTAC8"]
    assert [row["kode"] for row in catalogue() if row["aktif"] == "tidak"] == ["STB1"]


def test_every_gold_id_exists_in_the_data() -> None:
    known = {f"faq:{entry['id']}" for entry in faq()}
    known |= {f"katalog:{row['kode'].strip().upper()}" for row in catalogue()}
    known |= {f"data:{entry['metadata']['id']}" for entry in passages()}
    stems = "|".join(map(re.escape, prose()))
    wrong = [
        (row["text"], gold)
        for row in labelled()
        for gold in row["gold"]
        if gold not in known and not re.fullmatch(rf"(?:{stems}):[1-9]\d*", gold)
    ]
    assert wrong == []


def test_every_held_out_question_that_can_be_answered_names_passages_that_exist() -> None:
    known = {chunk.id for chunk in read_folder(DATA).chunks}
    rows = [*rows_of(HELD_OUT[0]), *rows_of(HELD_OUT[1])]
    assert [row["id"] for row in rows if not row["gold"] or repeated(row["gold"])] == []
    assert [(row["id"], gold) for row in rows for gold in row["gold"] if gold not in known] == []


def test_a_held_out_slang_question_has_the_labels_of_the_question_it_rewrites() -> None:
    clean = {row["id"]: row for row in rows_of(HELD_OUT[0])}
    assert [row["id"] for row in rows_of(HELD_OUT[1]) if row["gold"] != clean[row["of"]]["gold"]] == []


def test_held_out_unknown_questions_are_mostly_near_misses() -> None:
    kinds = Counter(row["kind"] for row in rows_of(HELD_OUT[2]))
    assert set(kinds) == {"near", "far"}
    assert kinds["near"] > kinds["far"] >= 5


def test_nothing_withdrawn_from_sale_is_a_gold_answer() -> None:
    withdrawn = {f"katalog:{row['kode']}" for row in catalogue() if row["aktif"] == "tidak"}
    assert [row["text"] for row in labelled() if withdrawn & set(row["gold"])] == []


def test_every_labelled_question_has_a_gold_id_and_none_twice() -> None:
    assert [row["text"] for row in labelled() if not row["gold"] or repeated(row["gold"])] == []


def test_every_kind_of_source_is_asked_about() -> None:
    kinds = {gold.partition(":")[0] for row in rows_of("answerable.jsonl") for gold in row["gold"]}
    assert kinds == {"faq", "katalog", "data", *prose()}


def test_a_question_with_a_prose_label_quotes_the_fact_that_answers_it() -> None:
    stems = tuple(f"{stem}:" for stem in prose())
    for row in labelled():
        has_label = any(gold.startswith(stems) for gold in row["gold"])
        assert has_label == bool(row.get("facts")), row["text"]


def test_no_question_is_copied_from_the_faq() -> None:
    known = {bare(text) for entry in faq() for text in (entry["question"], *entry["paraphrases"])}
    asked = [row["text"] for name in ("answerable", "slang", "unknown") for row in rows_of(f"{name}.jsonl")]
    asked += [turn["text"] for turn in turns()]
    assert [text for text in asked if bare(text) in known] == []


def test_no_question_is_nearly_copied_from_its_own_faq_entry() -> None:
    # One changed word would pass the verbatim test. Sixty per cent of the words in common is still a copy.
    by_id = {f"faq:{entry['id']}": (entry["question"], *entry["paraphrases"]) for entry in faq()}
    near = [
        (row["text"], text)
        for row in rows_of("answerable.jsonl")
        for gold in row["gold"]
        for text in by_id.get(gold, ())
        if words_shared(row["text"], text) >= 0.6
    ]
    assert near == []


def test_a_slang_question_has_the_labels_of_the_question_it_rewrites_but_not_its_words() -> None:
    clean = {row["id"]: row for row in rows_of("answerable.jsonl")}
    slang = rows_of("slang.jsonl")
    assert repeated([row["of"] for row in slang]) == []
    for row in slang:
        original = clean[row["of"]]
        assert row["gold"] == original["gold"]
        assert row.get("facts") == original.get("facts")
        assert words_shared(row["text"], original["text"]) < 0.75, row["id"]


def test_unknown_questions_are_mostly_near_misses() -> None:
    kinds = Counter(row["kind"] for row in rows_of("unknown.jsonl"))
    assert set(kinds) == {"near", "far"}
    assert kinds["near"] > kinds["far"] >= 5


def test_each_dialogue_goes_on_after_its_first_turn_with_something_to_check() -> None:
    for dialogue in rows_of("dialogues.jsonl"):
        first, *later = dialogue["turns"]
        assert first["text"]
        assert later, dialogue["id"]
        assert all(turn["gold"] or turn.get("recall") for turn in later), dialogue["id"]


def test_what_a_recall_expects_was_said_by_the_customer_in_an_earlier_turn() -> None:
    recalls = 0
    for dialogue in rows_of("dialogues.jsonl"):
        for place, turn in enumerate(dialogue["turns"]):
            if "recall" not in turn:
                continue
            recalls += 1
            said = " ".join(earlier["text"] for earlier in dialogue["turns"][:place])
            assert turn["expects"] in said, dialogue["id"]
            assert turn["expects"] not in turn["text"], dialogue["id"]
    assert recalls >= 4


def test_every_quoted_fact_stands_in_a_labelled_document() -> None:
    documents = prose()
    for row in labelled():
        for fact in row.get("facts", ()):
            stems = {gold.rpartition(":")[0] for gold in row["gold"]}
            assert any(fact in documents[stem] for stem in stems & set(documents)), (row["text"], fact)


def test_prose_labels_are_exactly_the_chunks_that_contain_the_facts() -> None:
    stems = tuple(f"{stem}:" for stem in prose())
    chunks = {
        chunk.id: folded(chunk.text) for chunk in read_folder(DATA).chunks if chunk.id.startswith(stems)
    }
    assert chunks
    for row in labelled():
        labels = {gold for gold in row["gold"] if gold.startswith(stems)}
        having = {id for id, text in chunks.items() if any(fact in text for fact in row.get("facts", ()))}
        assert labels == having, row["text"]


def test_what_a_turn_expects_stands_in_every_one_of_its_gold_chunks() -> None:
    chunks = {chunk.id: f"{chunk.text}\n{chunk.answer or ''}" for chunk in read_folder(DATA).chunks}
    wrong = [
        (turn["text"], gold)
        for turn in turns()
        if turn["gold"] is not None and "expects" in turn
        for gold in turn["gold"]
        if turn["expects"] not in chunks[gold]
    ]
    assert wrong == []


def test_the_product_reads_the_sample_shop_without_a_complaint() -> None:
    reports = read_folder(DATA).reports
    assert [problem for report in reports for problem in report.problems] == []
    assert sum(report.taken for report in reports) >= 110
