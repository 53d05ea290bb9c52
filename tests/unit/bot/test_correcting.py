"""What a bubble showed of a turn's reply, and what the reply is after somebody changed the bubble."""

from __future__ import annotations

import pytest

from bot.correcting import corrected, shown_of

NOTICE = "Aku asisten otomatis Toko Uji; ketik *privasi*."
FIRST, SECOND = "IH20 Rp275.000 Kak.\n\nGratis pasang.", "Mau dipasang kapan?"
REPLIED = f"{FIRST}\n\n{SECOND}"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (REPLIED, REPLIED),
        (f"{REPLIED}\n\n{NOTICE}", REPLIED),
        (FIRST, FIRST),
        (SECOND, SECOND),
        (f"{SECOND}\n\n{NOTICE}", SECOND),
        (NOTICE, ""),
        ("Kak.\n\nsesuatu yang lain", ""),
        ("Masih menunggu ya Kak", ""),
    ],
)
def test_a_bubble_shows_the_whole_reply_or_a_part_of_it_with_the_notice_behind(body: str, shown: str) -> None:
    assert shown_of(REPLIED, body) == shown


@pytest.mark.parametrize(
    ("body", "words", "left"),
    [
        (REPLIED, "", ""),
        (f"{REPLIED}\n\n{NOTICE}", "", ""),
        (FIRST, "", SECOND),
        (f"{SECOND}\n\n{NOTICE}", "", FIRST),
        (FIRST, "IH20 Rp285.000 Kak.", f"IH20 Rp285.000 Kak.\n\n{SECOND}"),
        (f"{REPLIED}\n\n{NOTICE}", f"Habis Kak.\n\n{NOTICE}", "Habis Kak."),
        (f"{REPLIED}\n\n{NOTICE}", "Habis Kak.", "Habis Kak."),
    ],
)
def test_the_reply_is_what_stands_in_the_bubbles_now(body: str, words: str, left: str) -> None:
    assert corrected(REPLIED, body, words) == left
