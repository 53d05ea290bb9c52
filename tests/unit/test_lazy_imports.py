"""Heavy libraries are imported by the function that needs them, so starting the bot does not pay for them.

neonize alone costs 63 MB and changes the root logger; a start of the terminal channel takes a fraction of
the time without the others. A fresh interpreter imports our modules one after the other, and whatever heavy
appears is blamed on the module that brought it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

# rich is no part of this: structlog imports it by itself, unless `config` comes first.
HEAVY = (
    *("neonize", "weaviate", "openpyxl", "pypdf", "docx", "alembic"),
    *("prompt_toolkit", "indoNLP", "watchfiles", "reportlab"),
)
PACKAGES = ("bot", "webhooks", "supervisor", "rag", "billing", "store", "config")
# Alembic itself runs these; nobody imports them.
RUN_BY_ALEMBIC = ("store.migrations.env", "store.migrations.versions")

BLAME = """
import importlib, json, sys
modules, heavy = json.loads(sys.argv[1])
blamed = {}
for name in modules:
    importlib.import_module(name)
    for library in heavy:
        if library in sys.modules and library not in blamed:
            blamed[library] = name
print(json.dumps(blamed))
"""


def heavy_imports(root: Path, modules: list[str]) -> dict[str, str]:
    """Which heavy library came with which of the modules, imported in this order in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", BLAME, json.dumps([modules, HEAVY])],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    blamed: dict[str, str] = json.loads(done.stdout)
    return blamed


def product_modules() -> list[str]:
    paths = [path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")]
    names = {".".join(path.relative_to(PROJECT).with_suffix("").parts) for path in paths}
    names = {name.removesuffix(".__init__") for name in names if not name.endswith(".__main__")}
    return sorted(name for name in names if not name.startswith(RUN_BY_ALEMBIC))


@pytest.mark.parametrize(
    "module",
    ["run_bot", "bot.app", "run_webhooks", "webhooks.app", "store.memory.embedded", "rag.ingest"],
)
def test_starting_here_loads_nothing_heavy(module: str) -> None:
    assert heavy_imports(PROJECT, [module]) == {}


def test_no_module_of_the_product_loads_anything_heavy_when_imported() -> None:
    modules = product_modules()
    assert "store.sqlite" in modules
    assert heavy_imports(PROJECT, modules) == {}


def test_a_planted_heavy_import_is_blamed_on_its_module(tmp_path: Path) -> None:
    (tmp_path / "light.py").write_text("import json\ndef later():\n    import pypdf\n")
    (tmp_path / "guilty.py").write_text("import light\nfrom openpyxl import Workbook\n")
    assert heavy_imports(tmp_path, ["light"]) == {}
    assert heavy_imports(tmp_path, ["light", "guilty"]) == {"openpyxl": "guilty"}


@pytest.mark.parametrize("service", ["run_bot", "run_webhooks"])
def test_a_service_does_not_carry_what_colours_tracebacks(service: str) -> None:
    code = f"import sys, {service}; print('rich' in sys.modules); import rich.progress, structlog"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
