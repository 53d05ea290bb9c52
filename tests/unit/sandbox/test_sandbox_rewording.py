"""The stand-in's way to ask a customer's question for everybody."""

from __future__ import annotations

import pytest

from sandbox.openai.rewording import general_question


@pytest.mark.parametrize(
    ("asked", "general"),
    [
        ("halo kak, bisa kirim ke Sorong ga ya?", "Bisa kirim ke Sorong ga?"),
        ("Permisi min. Anakku mau ultah nih.\nada lilin angka ga kak", "Ada lilin angka ga?"),
        ("garansinya berapa lama", "Garansinya berapa lama?"),
        ("kak?", "kak?"),
    ],
)
def test_greetings_and_the_story_around_it_are_left_out(asked: str, general: str) -> None:
    assert general_question(asked) == general
