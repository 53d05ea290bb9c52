import pytest

from bench import __main__ as bench
from bench.questions import PROJECT


def test_every_listed_benchmark_is_a_module() -> None:
    missing = [name for name in bench.BENCHMARKS if not (PROJECT / f"{name.replace('.', '/')}.py").is_file()]
    assert missing == []


def test_an_unknown_option_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--fast"]) == 2
    assert "--quick" in capsys.readouterr().err


def test_figures_are_collected_and_a_benchmark_that_breaks_off_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "BENCHMARKS", ("bench.figures", "bench.there_is_none"))
    assert bench.main(["--quick"]) == 1
    told = capsys.readouterr().out
    assert "0 figures, 0 short of their goals." in told
    assert "bench.there_is_none broke off." in told
    assert "bench.figures broke off." not in told
