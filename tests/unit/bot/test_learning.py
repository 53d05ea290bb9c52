"""The FAQ file that the bot writes: the old one or the new one, never half of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.learning import FILE_NAME, LearningError, learn
from rag.sources import read_folder


def _entries(folder: Path) -> object:
    return json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))


def test_an_entry_is_added_and_the_owners_own_ones_stay(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('["catatan", {"question": "a", "answer": "b"}]', encoding="utf-8")
    learn(tmp_path, entry_id="belajar-1", question="Bisa ke Sorong?", answer="Bisa, Kak 😊")
    assert _entries(tmp_path) == [
        "catatan",
        {"question": "a", "answer": "b"},
        {"id": "belajar-1", "question": "Bisa ke Sorong?", "answer": "Bisa, Kak 😊"},
    ]


def test_learning_twice_gives_the_same_file(tmp_path: Path) -> None:
    for _ in range(2):
        learn(tmp_path, entry_id="belajar-1", question="Bisa COD?", answer="Bisa.")
    learn(tmp_path, entry_id="belajar-1", question="Bisa COD?", answer="Bisa, Klaten saja.")
    assert _entries(tmp_path) == [
        {"id": "belajar-1", "question": "Bisa COD?", "answer": "Bisa, Klaten saja."}
    ]


def test_what_was_learnt_is_read_as_knowledge(tmp_path: Path) -> None:
    learn(tmp_path, entry_id="belajar-7", question="Bisa COD?", answer="Bisa.")
    reading = read_folder(tmp_path)
    assert [(chunk.id, chunk.answer) for chunk in reading.chunks] == [("faq:belajar-7", "Bisa.")]


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("[]", encoding="utf-8-sig")
    learn(tmp_path, entry_id="belajar-1", question="a", answer="b")
    assert _entries(tmp_path) == [{"id": "belajar-1", "question": "a", "answer": "b"}]


@pytest.mark.parametrize("content", [b"[{", b"\xff\xfe\x00", b'{"faq": []}', b"[" * 100_000])
def test_a_broken_file_is_left_alone_and_the_owner_is_told_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(LearningError, match=r"faq_belajar\.json .* lalu balas \*ya\* lagi"):
        learn(tmp_path, entry_id="belajar-1", question="a", answer="b")
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_missing_folder_is_an_error_for_the_owner(tmp_path: Path) -> None:
    with pytest.raises(LearningError, match="tidak bisa ditulis"):
        learn(tmp_path / "tidak-ada", entry_id="belajar-1", question="a", answer="b")


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(tmp_path, entry_id="belajar-1", question="a", answer="b")
    before = (tmp_path / FILE_NAME).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.replacing.os.fsync", full)
    with pytest.raises(LearningError, match="No space left"):
        learn(tmp_path, entry_id="belajar-2", question="c", answer="d")
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
