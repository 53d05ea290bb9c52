"""What goes for want of room: as little as possible, and nothing in vain."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.backup.folder import enough_of

OLD, OLDER, OLDEST = Path("3.db"), Path("2.db"), Path("1.db")
SIZES = [(OLDEST, 10), (OLDER, 20), (OLD, 30)]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (-5, []),
        (0, []),
        (1, [OLDEST]),
        (10, [OLDEST]),
        (11, [OLDEST, OLDER]),
        (60, [OLDEST, OLDER, OLD]),
        (61, None),
    ],
)
def test_the_first_ones_go_and_only_if_that_is_enough(missing: int, expected: list[Path] | None) -> None:
    assert enough_of(SIZES, missing) == expected


def test_with_nothing_to_spare_there_is_room_or_there_is_none() -> None:
    assert enough_of([], 0) == []
    assert enough_of([], 1) is None
