"""The table of a torture run."""

from __future__ import annotations

from tests.tally import Tally, table


def test_rows_come_back_from_another_process_under_the_name_of_their_test() -> None:
    row = Tally(kills=3, lost=0, doubled=1, seed=7)
    assert Tally.read("test_x", row.written()) == Tally(name="test_x", kills=3, lost=0, doubled=1, seed=7)


def test_the_last_line_adds_up_and_what_a_scenario_does_not_have_stays_empty() -> None:
    lines = table(
        [
            Tally(name="messages", kills=200, with_work=190, lost=0, doubled=1, disordered=0, seed=7),
            Tally(name="payments", kills=50, lost=2, doubled=0, credited_twice=0, seed=8),
        ]
    )
    assert lines[2] == "| messages | 200 | 190 | 0 | 1 | 0 |  | 7 |"
    assert lines[3] == "| payments | 50 |  | 2 | 0 |  | 0 | 8 |"
    assert lines[4] == "| **all** | 250 | 190 | 2 | 1 | 0 | 0 |  |"
