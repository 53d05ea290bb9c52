"""What must hold for the repository as a whole, and for the pins that hold it together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

PROJECT = Path(__file__).resolve().parents[2]

FOLDERS = (
    *("bot", "rag", "store", "billing", "webhooks", "config", "supervisor"),
    *("sandbox", "bench", "data", "tests"),
)
FILES = (
    *("run_bot.py", "requirements.txt", "requirements-dev.txt", "README.md", "pyproject.toml", "Makefile"),
    *(".env.example", "CHANGELOG.md", "LICENSE", ".ci/run"),
)
# Not part of the project, though they may lie in its folder.
NOT_OURS = {
    *(".git", ".venv", ".env", "var", "__pycache__", "node_modules", ".idea", ".vscode"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"),
}
# Written in pieces, or this file would find itself.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:" + "work/|ho" + r"me/\w|ro" + "ot/|Us" + r"ers/\w)")
PROTOBUF_SWITCH = "TEMPORARILY_DISABLE_PROTOBUF_VERSION_CHECK"


def our_files() -> Iterator[Path]:
    for folder, folders, names in os.walk(PROJECT):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        yield from (Path(folder, name) for name in names if name not in NOT_OURS)


def lines_with_machine_paths(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if MACHINE_PATH.search(line)]


def makefile_targets() -> dict[str, str]:
    """Every target with its help; an empty text when there is none."""
    text = (PROJECT / "Makefile").read_text()
    rules = re.findall(r"^([a-z][\w-]*):(?!=)", text, re.MULTILINE)
    helped = dict(re.findall(r"^([a-z][\w-]*):.*?## (.+)$", text, re.MULTILINE))
    return {rule: helped.get(rule, "") for rule in rules}


def test_every_make_target_explains_itself() -> None:
    targets = makefile_targets()
    assert {"help", "demo", "chat", "test", "check", "bench", "torture", "clean"} <= targets.keys()
    assert [name for name, text in targets.items() if not text] == []


def test_make_without_a_target_lists_them_all() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^  make ([\w-]+)", shown, re.MULTILINE) == list(makefile_targets())


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_where_people_look_for_it(name: str) -> None:
    assert (PROJECT / name).is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_holds_something_and_has_one_line_in_the_readme(folder: str) -> None:
    # Git keeps no empty folders: one that holds nothing is missing from everybody's copy.
    held = [path for path in (PROJECT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert held, f"{folder}/ is empty"
    named = re.findall(rf"^.*(?<![\w/]){folder}/.*$", (PROJECT / "README.md").read_text(), re.MULTILINE)
    assert named, f"README.md has no line for {folder}/"


def test_every_folder_of_the_project_is_known_here() -> None:
    found = {path.parts[len(PROJECT.parts)] for path in our_files() if path.parent != PROJECT}
    assert found - {"scripts", ".ci", "docs"} <= set(FOLDERS)


def test_no_file_knows_somebodys_machine() -> None:
    found: dict[str, list[str]] = {}
    for path in our_files():
        try:
            lines = lines_with_machine_paths(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # Pictures, PDF and Excel files hold no paths of ours.
        if lines:
            found[str(path.relative_to(PROJECT))] = lines
    assert found == {}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("cd /wo" + "rk/main", True),
        ("'/ho" + "me/budi/balas'", True),
        ("path=/ro" + "ot/x", True),
        ("see /Us" + "ers/ani", True),
        ("https://example.com/wo" + "rk/", False),
        ("a/wo" + "rk/b and ~/ho" + "me/x", False),
        ("/opt/balas", False),
    ],
)
def test_machine_paths_are_told_from_others(text: str, is_found: bool) -> None:
    assert bool(lines_with_machine_paths(text)) is is_found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-demo.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_every_direct_one_says_why(name: str) -> None:
    text = (PROJECT / name).read_text()
    direct, _, transitive = text.partition("# --- Brought in by the above ---")
    # What the demo adds brings nothing that the product does not have.
    assert transitive.strip() or name == "requirements-demo.txt"
    pin = re.compile(r"[\w.-]+(\[\w+\])?==[\w.]+")
    loose = [
        line
        for line in text.splitlines()
        if line and not line.startswith(("#", "-r ")) and not pin.fullmatch(line)
    ]
    assert loose == []
    lines = direct.splitlines()
    # A comment serves the pins right below it, up to the next comment or empty line.
    assert [line for before, line in pairwise(lines) if pin.fullmatch(line) and not before] == []


def test_every_requirement_accepts_the_python_of_debian_12() -> None:
    """Debian 12 has 3.11.2, and some packages ask for a later 3.11: there the whole set-up would fail."""
    pins = [line.partition("==")[0].partition("[")[0] for line in requirement_lines()]
    assert len(pins) > 50
    wanted = {name: metadata(name)["Requires-Python"] or "" for name in pins}
    assert {name: text for name, text in wanted.items() if "3.11.2" not in SpecifierSet(text)} == {}


def requirement_lines() -> list[str]:
    names = ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt")
    lines = [line for name in names for line in (PROJECT / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def import_neonize(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != PROTOBUF_SWITCH}
    return subprocess.run(
        [sys.executable, "-c", "import weaviate, neonize"],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_protobuf_switch_is_still_needed() -> None:
    """When this fails, neonize and weaviate-client agree on a protobuf again: take the switch out."""
    done = import_neonize()
    assert done.returncode != 0
    assert "VersionError" in done.stderr, done.stderr


def test_the_bridge_loads_beside_weaviate_with_the_protobuf_switch() -> None:
    done = import_neonize(**{PROTOBUF_SWITCH: "true"})
    assert done.returncode == 0, done.stderr
