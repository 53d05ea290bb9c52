"""`make demo` with the owner's phone beside the customers': a day in which he never leaves his chat.

Screenshots of the way lie in a folder that the test prints (`pytest -s`).
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.owners_day import ANSWER, WINDOW, play
from tests.acceptance.phones import opened
from tests.acceptance.test_phone_page import _chromium

__all__ = ["_chromium"]


async def test_the_owner_practises_teaches_prices_confirms_and_reads_his_day(
    copy: Path, tmp_path: Path
) -> None:
    async with opened(copy, tmp_path) as phones:
        await phones.page.set_viewport_size(WINDOW)  # type: ignore[arg-type]  # a dict is what it takes.
        await play(phones, copy)
    assert len(list(phones.shots.iterdir())) == 8
    # What he taught is in the copy of the shop that the demo works on, or in the folder that it read.
    [learnt] = [path for path in copy.rglob("faq_belajar.json") if path.is_file()]
    assert [entry["answer"] for entry in json.loads(learnt.read_text())] == [ANSWER]
