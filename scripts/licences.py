"""Writes docs/licences.md: what is installed for each use, and its licence. A test compares the two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "docs" / "licences.md"
USES = {
    "requirements.txt": "Balas itself",
    "requirements-demo.txt": "The demo",
    "requirements-dev.txt": "Tests and tools",
}
HEAD = """\
# Licences

Balas is under the MIT licence. What it is installed with, as each package states it itself; where it states
nothing in its metadata, its licence file was read and the name is below with a star.

<!-- Written by scripts/licences.py from the pinned requirements. -->
"""
# Packages whose metadata names no licence that a program could read, by their own licence files.
_READ_BY_A_PERSON = {
    "neonize": "Apache-2.0; whatsmeow inside it MPL-2.0",
    "pysqlite3": "Zlib; SQLite inside it public domain",
}
_CLASSIFIER = "License :: OSI Approved :: "


def licence_of(name: str) -> str:
    """The licence as the package states it; "?" when nobody knows."""
    try:
        found: Message = metadata(name)  # type: ignore[assignment]  # It is a Message at run time.
    except PackageNotFoundError:
        return "?"
    if expression := found.get("License-Expression"):
        return str(expression)
    classifiers = [
        text.removeprefix(_CLASSIFIER) for text in found.get_all("Classifier", []) if "License ::" in text
    ]
    named = [text for text in classifiers if not text.startswith("License ::")]
    if named:
        return ", ".join(sorted(named))
    text = str(found.get("License") or "").strip()
    if text and "\n" not in text and len(text) < 60:
        return text
    return f"{_READ_BY_A_PERSON[name]}*" if name in _READ_BY_A_PERSON else "?"


def pins(file: Path) -> Iterator[tuple[str, str]]:
    """Name and version of every package that the file itself pins."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)$", line):
            yield found[1], found[2]


def document() -> str:
    """The document's text."""
    parts = [HEAD]
    for name, use in USES.items():
        parts.append(f"\n## {use}\n\n| Package | Version | Licence |\n|---|---|---|\n")
        found = sorted(pins(PROJECT / name), key=lambda pin: pin[0].lower())
        parts += [f"| {package} | {version} | {licence_of(package)} |\n" for package, version in found]
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
