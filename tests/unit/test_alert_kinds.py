"""Every alert that the product's code raises is of a kind that has a sentence for the owner.

The fingerprints are read from the source: whoever raises a new kind is told here, before its owner reads a
program's words.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.alarms import ALARMS
from store.alert_kinds import KINDS, OTHER, WHATSAPP, WHATSAPP_STATES, kind_of, told_as

PROJECT = Path(__file__).resolve().parents[2]
PRODUCT = ("bot", "billing", "webhooks", "supervisor", "store", "rag", "config")
RAISE = frozenset(("raise_alert", "raise_once"))
# The watcher raises what ``supervisor.checks`` finds; these findings are made there and in the module itself.
FINDING = "Finding"
# It repeats an alert that is on already, under that one's own fingerprint.
REPEATS = Path("supervisor/watch.py")


@dataclass(frozen=True, kw_only=True)
class Raised:
    """One place that raises an alert, and the kind that it raises; None when that cannot be read."""

    place: str
    kind: str | None


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for package in PRODUCT:
        for path in sorted((PROJECT / package).rglob("*.py")):
            yield path.relative_to(PROJECT), ast.parse(path.read_text(encoding="utf-8"))


def _raised(path: Path, tree: ast.Module) -> Iterator[Raised]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = None
        if called in RAISE and path.parts[:2] != ("store", "alerts.py"):
            given = node.args[1]
            if isinstance(given, ast.Attribute) and given.attr == "fingerprint":
                continue  # Of a finding, which is read below.
        elif called == FINDING:
            given = next(word.value for word in node.keywords if word.arg == "fingerprint")
            if path == REPEATS and isinstance(given, ast.Name):
                continue
        if given is not None:
            yield Raised(place=f"{path}:{node.lineno}", kind=_kind(given, tree))


def _kind(expression: ast.expr, tree: ast.Module) -> str | None:
    """What stands before the first colon of a fingerprint, followed to where it is written out."""
    match expression:
        case ast.Constant(value=str(text)):
            return text.partition(":")[0]
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return text.partition(":")[0]
        case ast.JoinedStr(values=[ast.FormattedValue(value=inner), *_]):
            return _kind(inner, tree)
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Call(func=ast.Name(id=name)):
            meant = {_kind(found, tree) for found in _written(name, tree)}
            return meant.pop() if len(meant) == 1 else None
    return None


def _written(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """What a name, an attribute or a function of this name is given anywhere in the module."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=found) | ast.Attribute(attr=found)], value=value):
                if found == name:
                    yield value
            case ast.FunctionDef(name=found):
                if found == name:
                    yield from (
                        back.value for back in ast.walk(node) if isinstance(back, ast.Return) and back.value
                    )
            case ast.ImportFrom(module=module, names=names) if module is not None:
                source = PROJECT / f"{module.replace('.', '/')}.py"
                if any(one.name == name for one in names) and source.exists():
                    yield from _written(name, ast.parse(source.read_text(encoding="utf-8")))


RAISED = [raised for path, tree in _modules() for raised in _raised(path, tree)]


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: raised.place)
def test_what_the_code_raises_is_a_kind_with_a_sentence(raised: Raised) -> None:
    assert raised.kind is not None, f"{raised.place}: write the kind out where this test can read it"
    assert kind_of(raised.kind) is not OTHER, f"{raised.place}: {raised.kind} is missing in store.alert_kinds"
    states = WHATSAPP_STATES if raised.kind == WHATSAPP else (None,)
    assert {f"admin_alarm_{told_as(raised.kind, state=state)}" for state in states} <= set(ALARMS)


def test_every_kind_is_raised_somewhere() -> None:
    assert {raised.kind for raised in RAISED} == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", [None, "online", "pairing", *WHATSAPP_STATES])
def test_every_kind_has_a_sentence_in_whatever_state_the_channel_is(kind: str, state: str | None) -> None:
    assert f"admin_alarm_{told_as(kind, state=state)}" in ALARMS
