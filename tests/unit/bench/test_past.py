import itertools
from pathlib import Path

import pytest

from bench import past
from bench.past import HEAVY, HEAVY_TURNS, TURNS_A_CUSTOMER, customers_of
from bench.questions import asks, person, texts
from bench.settings import settings_for


def test_a_large_past_has_one_customer_with_years_of_turns() -> None:
    counts = customers_of(200_000)
    assert sum(counts) == 200_000
    assert counts[HEAVY] == HEAVY_TURNS
    assert set(counts[1:]) == {TURNS_A_CUSTOMER}


def test_a_small_past_has_no_heavy_customer() -> None:
    assert customers_of(1_000) == [TURNS_A_CUSTOMER] * 25


def test_built_stores_are_kept_in_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert past.cache_folder() == tmp_path / "balas"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert past.cache_folder() == Path.home() / ".cache" / "balas"


def test_each_customer_asks_once_before_one_asks_again_and_the_same_in_every_run() -> None:
    first = list(itertools.islice(asks(25, seed=1), 50))
    assert {ask.customer for ask in first[:25]} == {ask.customer for ask in first[25:]} == set(range(25))
    assert first == list(itertools.islice(asks(25, seed=1), 50))
    assert {ask.text for ask in first} <= set(texts())


def test_a_person_is_addressed_by_a_number_that_nobody_has() -> None:
    assert person(7) == "6280000000007"


def test_the_environment_changes_nothing_of_what_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BURST_QUIET_S", "9")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/shop")
    settings = settings_for("http://127.0.0.1:1/v1", tmp_path)
    assert settings.bot.burst_quiet_s == 0
    assert settings.store.database_url is None
    assert settings.sqlite_path == tmp_path / "balas.db"
