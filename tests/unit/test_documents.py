"""The documents that are written by programs say what the programs would write today."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", PROJECT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["alerts", "licences"])
def test_a_generated_document_is_up_to_date(name: str) -> None:
    written = (PROJECT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert written == script(name).document(), f"run: .venv/bin/python scripts/{name}.py"


def test_every_licence_is_known_and_lets_us_use_it() -> None:
    rows = re.findall(r"^\| (\S+) \| \S+ \| (.+) \|$", (PROJECT / "docs" / "licences.md").read_text(), re.M)
    packages = [row for row in rows if row[0] != "Package"]
    assert len(packages) > 80
    assert [row for row in packages if row[1] == "?"] == []
    # The LGPL lets a program use a library that its user may replace, as pip does; the GPL would not.
    assert [
        row for row in packages if re.search(r"(?<!L)GPL|General Public License(?! v?3.*Lesser)", row[1])
    ] == []


def test_every_file_that_the_threat_model_points_at_is_there() -> None:
    text = (PROJECT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.(?:py|sh))`", text)
    assert len(named) >= 2
    for name in named:
        assert (PROJECT / name).exists() or (PROJECT / "supervisor" / name).exists(), name
    assert len(text.splitlines()) < 60, "one page"
