"""The strings that binary XML abbreviates, read from ``tokens.txt``."""

from __future__ import annotations

from pathlib import Path

DICTIONARY_VERSION = 3


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    single = [""]
    double: list[list[str]] = []
    section = single
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            continue
        if line.startswith("["):
            if line.startswith("[double"):
                section = []
                double.append(section)
            continue
        section.append(line)
    return single, double


# By number. Number 0 of SINGLE means "nothing" and is never looked up.
SINGLE, DOUBLE = _read(Path(__file__).with_name("tokens.txt"))
FIRST_DICTIONARY = 236

# By string, as it is written: one byte, or a dictionary's byte and the number in it.
WRITTEN: dict[str, bytes] = {
    token: bytes((FIRST_DICTIONARY + dictionary, number))
    for dictionary, tokens in enumerate(DOUBLE)
    for number, token in enumerate(tokens)
} | {token: bytes((number,)) for number, token in enumerate(SINGLE) if number}
