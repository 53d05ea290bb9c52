"""Runs the real ``run_bot.py`` in this process, with a guard removed or a fault at a chosen step.

    python -m tests.launch [--mutant tests.mutants.NAME] [--die before:NAME[:N]] -- [run_bot's arguments]

``--program run_webhooks.py`` runs the payment process instead.

``--die after:NAME:3`` kills this process with SIGKILL right after the third call of that function
returned; ``--fill`` makes every file unwritable there instead, until somebody lifts the limit. Names
that the product does not have end the launch with ``EXIT_NO_GUARD``.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import resource
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.mutants import GuardMissing, replace, resolve

PROJECT = Path(__file__).resolve().parents[1]
PROGRAMS = ("run_bot.py", "run_webhooks.py")
# Neither an exit code of the product nor one of Python's own.
EXIT_NO_GUARD = 99


def main(arguments: Sequence[str] | None = None) -> None:
    """Mutate, then become the program: this returns only by the program's own exit."""
    options = _parser().parse_args(arguments)
    try:
        if options.mutant:
            _mutation_of(options.mutant)(replace)
        for point in options.die:
            _act_at(point, die)
        for point in options.fill:
            _act_at(point, fill)
    except GuardMissing as exc:
        print(f"launch: {exc}; the mutant or step must be written anew", file=sys.stderr)
        raise SystemExit(EXIT_NO_GUARD) from exc
    program = str(PROJECT / options.program)
    sys.argv = [program, *options.bot]
    runpy.run_path(program, run_name="__main__")


def _mutation_of(module: str) -> Any:
    try:
        return importlib.import_module(module).mutate
    except (ImportError, AttributeError) as exc:
        # A mutant imports what it replaces, so this too means that the guard is gone.
        raise GuardMissing(f"{module} cannot be used: {exc}") from exc


def _act_at(point: str, act: Callable[[], None]) -> None:
    when, _, rest = point.partition(":")
    name, _, number = rest.partition(":")
    if when not in ("before", "after") or not name:
        raise GuardMissing(f"{point!r} is not before:NAME[:N] or after:NAME[:N]")
    owner, attribute = resolve(name)
    original = getattr(owner, attribute)
    calls = 0

    def is_due() -> bool:
        nonlocal calls
        calls += 1
        return calls == int(number or 1)

    def acting(*args: Any, **kwargs: Any) -> Any:
        due = is_due()
        if due and when == "before":
            act()
        result = original(*args, **kwargs)
        if due and when == "after":
            act()
        return result

    async def acting_later(*args: Any, **kwargs: Any) -> Any:
        due = is_due()
        if due and when == "before":
            act()
        result = await original(*args, **kwargs)
        if due and when == "after":
            act()
        return result

    setattr(owner, attribute, acting_later if inspect.iscoroutinefunction(original) else acting)


def die() -> None:
    """As a power cut would have it: nothing is flushed, nothing is closed."""
    os.kill(os.getpid(), signal.SIGKILL)


def fill() -> None:
    """From here on the kernel refuses every write to a file (EFBIG), as on a full disk."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.launch", description=__doc__)
    parser.add_argument("--mutant", metavar="MODULE", help="a module of tests.mutants")
    parser.add_argument("--die", action="append", default=[], metavar="WHEN:NAME[:N]")
    parser.add_argument("--fill", action="append", default=[], metavar="WHEN:NAME[:N]")
    parser.add_argument("--program", choices=PROGRAMS, default=PROGRAMS[0])
    parser.add_argument("bot", nargs="*", help="run_bot's own arguments, after --")
    return parser


if __name__ == "__main__":
    main()
