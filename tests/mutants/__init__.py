"""Mutants: each module removes ONE guard of the product, in the process under test only.

A fault test proves something only if it fails without the guard that it is about. ``tests.launch``
starts the real bot with a mutant; the same scenario must then end with a verdict against it. A mutant
names its guard; a guard that is gone, or whose parameters changed, is an error, never a silent pass.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, Protocol


class GuardMissing(Exception):
    """The product has no such name any more, or another signature: the mutant must be written anew."""


class Replace(Protocol):
    """Puts ``make(original)`` in the place of what the dotted name stands for."""

    def __call__(self, name: str, make: Callable[[Any], Any]) -> None: ...


def resolve(name: str) -> tuple[Any, str]:
    """The owner (module or class) and the attribute of a dotted name; raises ``GuardMissing``."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:-1]:
            owner = getattr(owner, part, None)
        if not hasattr(owner, parts[-1]):
            break
        return owner, parts[-1]
    raise GuardMissing(f"the product has no {name}")


def replace(name: str, make: Callable[[Any], Any], *, put: Callable[[Any, str, Any], None] = setattr) -> None:
    """See ``Replace``. Functions must keep their parameters, or a mutant would fail for another reason."""
    owner, attribute = resolve(name)
    original = getattr(owner, attribute)
    mutated = make(original)
    if inspect.isroutine(original) and _shape(original) != _shape(mutated):
        raise GuardMissing(f"{name} has other parameters than its mutant: {inspect.signature(original)}")
    put(owner, attribute, mutated)


def _shape(function: Any) -> tuple[bool, list[tuple[str, Any]]]:
    parameters = inspect.signature(function).parameters.values()
    return inspect.iscoroutinefunction(function), [(p.name, p.kind) for p in parameters]
