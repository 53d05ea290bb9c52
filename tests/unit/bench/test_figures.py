import math

import pytest

from bench.figures import (
    Figure,
    falls_short,
    figure,
    is_figure,
    median,
    median_ratio,
    number,
    quantile,
    share_of,
)


def test_a_figure_is_one_line_of_name_value_unit_goal_and_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    figure("answer.p50_ratio", 1.4321, "x", at_most=1.5)
    figure("answer.throughput_ratio", 0.6, "x", at_least=0.65)
    assert capsys.readouterr().out.splitlines() == [
        "figure answer.p50_ratio 1.43 x <=1.5 met",
        "figure answer.throughput_ratio 0.6 x >=0.65 short",
    ]


def test_a_figure_without_a_goal_has_no_verdict() -> None:
    made = Figure(name="answer.p50", value=12.0, unit="ms")
    assert made.is_met is None
    assert str(made) == "figure answer.p50 12 ms - -"


@pytest.mark.parametrize(("value", "met"), [(1.4999, True), (1.5, True), (1.5001, False)])
def test_a_goal_is_met_when_it_is_just_reached(value: float, met: bool) -> None:
    assert Figure(name="a", value=value, unit="x", at_most=1.5).is_met is met


def test_a_rounded_value_never_hides_that_the_goal_was_missed() -> None:
    assert str(Figure(name="a", value=1.5001, unit="x", at_most=1.5)).endswith("short")


def test_not_a_number_meets_no_goal() -> None:
    assert Figure(name="a", value=math.nan, unit="x", at_most=1.5).is_met is False


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12345.6, "12346"),
        (123.4, "123"),
        (100.0, "100"),
        (12.34, "12.3"),
        (1.0, "1"),
        (0.6543, "0.654"),
        (0.01234, "0.0123"),
        (-3.14159, "-3.14"),
    ],
)
def test_a_number_is_told_in_three_telling_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_only_figure_lines_are_figures() -> None:
    assert is_figure("figure a 1 ms - -")
    assert not is_figure("figures follow in six words now")
    assert not is_figure("round 1: one in flight 12 ms")
    assert falls_short("figure a 2 ms <=1 short")
    assert not falls_short("figure a 1 ms <=1 met")


def test_a_quantile_lies_between_its_neighbours_in_proportion() -> None:
    assert quantile([4, 1, 3, 2], 0.5) == 2.5
    assert quantile(range(101), 0.95) == 95
    assert quantile([7], 0.95) == 7
    assert median([3, 1, 2]) == 2


def test_nothing_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


def test_the_median_ratio_compares_within_each_round() -> None:
    # The machine was ten times slower in the second round, for both sides.
    assert median_ratio([15, 150, 30], [10, 100, 10]) == 1.5


def test_rounds_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        median_ratio([1, 2], [1])


def test_a_share_is_in_percent_and_of_nothing_zero() -> None:
    assert share_of(3, 4) == 75
    assert share_of(0, 0) == 0
