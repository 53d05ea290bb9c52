#!/usr/bin/env bash
# Everything that must hold before a change lands: format, lint, types, tests. Cheapest first; the first failure ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    echo "== $*"
    ".venv/bin/$1" "${@:2}"
}

step ruff format --check .
step ruff check .
step mypy
step python -m sandbox.weaviate.binary
step pytest -n 3 --dist loadfile -m "not torture"
