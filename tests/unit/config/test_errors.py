import pickle

import pytest

from config.errors import ConfigError


def test_every_problem_stands_on_a_line_of_its_own() -> None:
    error = ConfigError(["A is missing: write it.", "B must be a number."])
    assert str(error).splitlines() == ["- A is missing: write it.", "- B must be a number."]
    assert error.problems == ("A is missing: write it.", "B must be a number.")


def test_an_error_without_a_problem_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ConfigError([])


def test_the_problems_survive_the_way_between_processes() -> None:
    assert pickle.loads(pickle.dumps(ConfigError(["ab", "c"]))).problems == ("ab", "c")
