"""The launcher and the mutants fail loudly when the product no longer has what they name."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from typing import Any

import pytest

import tests.mutants
from tests.guarantees.home import PROJECT
from tests.launch import EXIT_NO_GUARD
from tests.mutants import GuardMissing, replace

NAMES = [module.name for module in pkgutil.iter_modules(tests.mutants.__path__)]


def launched(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.launch", *options, "--", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_launcher_runs_the_real_bot() -> None:
    done = launched()
    assert done.returncode == 0
    assert "run_bot.py" in done.stdout
    assert "--jsonl" in done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--mutant", "tests.mutants.of_nothing"),
        ("--die=before:store.inbox.no_such_function",),
        ("--die=between:store.inbox.record",),
    ],
)
def test_a_name_that_is_gone_ends_the_launch_with_its_own_code(options: tuple[str, ...]) -> None:
    done = launched(*options)
    assert done.returncode == EXIT_NO_GUARD
    assert "must be written anew" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_guard_of_every_mutant_is_there_and_the_mutant_says_what_it_removes(name: str) -> None:
    module: Any = __import__(f"tests.mutants.{name}", fromlist=["mutate"])
    put: list[str] = []
    module.mutate(
        lambda guard, make: replace(guard, make, put=lambda _owner, attribute, _new: put.append(attribute))
    )
    # A guard that stands in several places is removed from all of them; the module says how many.
    assert len(put) == getattr(module, "PLACES", 1), "a mutant removes one guard"
    assert module.__doc__.startswith("Removes: ")


def test_another_signature_counts_as_gone() -> None:
    def make(_original: Any) -> Any:
        return lambda connection: None

    with pytest.raises(GuardMissing, match="other parameters"):
        replace("store.inbox.record", make)
