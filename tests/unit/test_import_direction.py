"""Imports point right only: run_* > bot, webhooks > rag, billing > store > config; and never in a circle.

The imports are read from the source, so an import inside a function counts as well: it hides a wrong arrow,
it does not right it. Imports for types alone (`if TYPE_CHECKING`) count for the direction; they can't be part
of a circle, for nothing is imported when the program runs.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

# A package may import those of a lower level; equal levels meet in the store, not in each other.
LEVELS = {
    "run_bot": 4,
    "run_webhooks": 4,
    "bot": 3,
    "webhooks": 3,
    "supervisor": 3,
    "rag": 2,
    "billing": 2,
    "store": 1,
    "config": 0,
}
# Reading the knowledge folder takes the catalogue's rows, so that a quoted price is the charged one.
EXTRA_ARROWS = {("rag", "billing")}
# They start or import the product; the product knows nothing of them.
OUTSIDE = {"sandbox", "bench", "tests"}


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import in one module; `target` is a module of the tree, or an outside library's full name."""

    module: str
    target: str
    line: int
    for_types_only: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules_of(root: Path, packages: set[str]) -> dict[str, Path]:
    """Every module of these top-level names: dotted name and file."""
    files = [path for name in packages for path in ((root / f"{name}.py"), *(root / name).rglob("*.py"))]
    found = {}
    for path in files:
        if path.is_file():
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(module: str, path: Path, modules: dict[str, Path]) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        for name in _names(node, package, modules):
            yield Import(module=module, target=name, line=node.lineno, for_types_only=id(node) in typing_only)  # type: ignore[attr-defined]  # Only nodes with a line yield names.


def _names(node: ast.AST, package: str, modules: dict[str, Path]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=base, names=names, level=level):
            parents = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            source = ".".join([*parents, base] if base else parents)
            for alias in names:
                # `from store import turns` means the module store.turns; `import Store` store itself.
                inner = f"{source}.{alias.name}"
                yield inner if inner in modules else source
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
            if ast.unparse(function) in {"importlib.import_module", "import_module", "__import__"}:
                yield name


def all_imports(root: Path, packages: set[str]) -> list[Import]:
    modules = modules_of(root, packages)
    return [found for name, path in sorted(modules.items()) for found in imports_of(name, path, modules)]


def may_import(source: str, target: str) -> bool:
    return LEVELS[source] > LEVELS[target] or (source, target) in EXTRA_ARROWS


def wrong_arrows(root: Path) -> list[str]:
    wrong = []
    for found in all_imports(root, set(LEVELS)):
        source, target = found.module.partition(".")[0], found.target.partition(".")[0]
        if target in OUTSIDE:
            wrong.append(f"{found}: the product never imports {target}")
        elif source != target and target in LEVELS and not may_import(source, target):
            wrong.append(f"{found}: {source} may not know {target}")
    return wrong


def circle(root: Path) -> list[str]:
    """One circle of modules that import each other, or nothing."""
    packages = set(LEVELS) | OUTSIDE - {"tests"}
    modules = modules_of(root, packages)
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for found in all_imports(root, packages):
        if found.target in modules and not found.for_types_only:
            graph[found.module].add(found.target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        names: list[str] = error.args[1]
        return names
    return []


def reached_from(root: Path, start: str) -> set[str]:
    """Everything that `start` imports, directly or through our own modules; outside libraries by top name."""
    modules = modules_of(root, set(LEVELS))
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        if module in modules:
            waiting += [
                found.target
                for found in imports_of(module, modules[module], modules)
                if not found.for_types_only
            ]
    return {name if name in modules else name.partition(".")[0] for name in reached}


def test_imports_point_right_only() -> None:
    assert wrong_arrows(PROJECT) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(PROJECT) == []


def test_every_package_has_a_place_in_the_order() -> None:
    hidden = {"scripts", "data", "var"}
    packages = {path.parent.name for path in PROJECT.glob("[a-z]*/*.py")}
    scripts = {path.stem for path in PROJECT.glob("*.py")}
    assert (packages | scripts) - hidden <= set(LEVELS) | OUTSIDE


def test_embedded_memory_never_reaches_for_weaviate() -> None:
    reached = reached_from(PROJECT, "store.memory.embedded")
    assert "store.memory.index" in reached
    assert not reached & {"weaviate", "grpc"}


def plant(root: Path, **files: str) -> Path:
    """A tree with these modules; `__` in a name stands for a folder, the text is the module."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in path.relative_to(root).parents:
            if folder != Path():
                (root / folder / "__init__.py").touch()
    return root


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("store__turns", "import rag.answer"),
        ("store__turns", "from rag import answer"),
        ("store__turns", "from rag.answer import Answer"),
        ("store__turns", "def later():\n    from rag import answer"),
        ("store__turns", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rag.answer"),
        ("store__turns", "import importlib\nimportlib.import_module('rag.answer')"),
        ("store__memory__deep", "from rag.answer import Answer"),
        ("config__settings", "import store"),
        ("billing__checkout", "import rag.answer"),
        ("bot__app", "from webhooks import app"),
        ("webhooks__app", "import bot"),
        ("rag__answer", "import run_bot"),
        ("bot__app", "from sandbox.openai import server"),
        ("run_bot", "import bench"),
        ("supervisor__status", "import tests.conftest"),
    ],
)
def test_a_planted_wrong_arrow_is_found(tmp_path: Path, module: str, text: str) -> None:
    found = wrong_arrows(plant(tmp_path, **{"rag__answer": "", module: text}))
    assert len(found) == 1
    assert module.replace("__", ".") in found[0]


def test_right_arrows_are_let_through(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        run_bot="import bot.app",
        bot__app="from rag import answer\nfrom billing import catalogue\nimport config, json",
        rag__answer="from billing import catalogue\nfrom . import prompt\nfrom store import turns",
        rag__prompt="",
        billing__catalogue="import store.turns",
        store__turns="import config.settings",
        config__settings="import sandboxed\nimport botocore",
        sandbox__demo="import config.settings\nimport bot.app",
    )
    assert wrong_arrows(root) == []
    assert circle(root) == []


@pytest.mark.parametrize(
    "files",
    [
        {"rag__a": "import rag.b", "rag__b": "import rag.a"},
        {"rag__a": "from rag import b", "rag__b": "from rag.c import x", "rag__c": "from . import a"},
        {"rag__a": "def later():\n    from rag.b import x", "rag__b": "from rag.a import y"},
        {"rag__deep__a": "from ..b import x", "rag__b": "from rag.deep import a"},
        {"bench__a": "import bench.b", "bench__b": "import bench.a"},
    ],
)
def test_a_planted_circle_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    found = circle(plant(tmp_path, **files))
    assert set(found) == {name.replace("__", ".") for name in files}


def test_an_import_for_types_alone_makes_no_circle(tmp_path: Path) -> None:
    types_only = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rag.b"
    assert circle(plant(tmp_path, rag__a=types_only, rag__b="import rag.a")) == []


def test_the_else_branch_of_a_type_check_does_count(tmp_path: Path) -> None:
    both = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import rag.b"
    assert circle(plant(tmp_path, rag__a=both, rag__b="import rag.a")) != []


def test_what_a_module_reaches_is_followed_through_others(tmp_path: Path) -> None:
    root = plant(
        tmp_path, store__a="from store import b", store__b="def f():\n    import weaviate.classes as w"
    )
    assert "weaviate" in reached_from(root, "store.a")
