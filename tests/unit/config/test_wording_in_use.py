"""The code and `kalimat.toml` agree: what is said is written there, and what is written there is said.

The sentences are looked for in the source; a mistake would otherwise show itself to a customer first.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.shop import Shop
from config.wording import Wording, needs

PROJECT = Path(__file__).parents[3]
PRODUCT = ("billing", "bot", "config", "rag", "store", "supervisor", "webhooks")
NEEDS = needs(Wording.load(PROJECT / "nowhere", Shop(nama="Toko Uji")).sentences)
# `f"{name}_tutup"` names sentences; `f"{name}: {text}"` does not.
_LEAST_LETTERS = 5


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for package in PRODUCT:
        for path in sorted((PROJECT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield path, node


def said_by_name() -> Iterator[tuple[str, str, set[str]]]:
    """Where a sentence is said by its name and with values by theirs: the place, the sentence, the values."""
    for path, node in nodes():
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str(name))], keywords=keywords):
                given = {keyword.arg for keyword in keywords}
                if ast.unparse(function).rpartition(".")[2] == "say" and None not in given:
                    where = f"{path.relative_to(PROJECT)}:{node.lineno}"
                    yield where, name, {word for word in given if word is not None}


SAID = list(said_by_name())


@pytest.mark.parametrize(("where", "name", "given"), SAID, ids=[f"{name}-{where}" for where, name, _ in SAID])
def test_a_sentence_is_given_what_it_needs_and_nothing_else(where: str, name: str, given: set[str]) -> None:
    assert name in NEEDS
    assert given == NEEDS[name]


def test_most_sentences_are_said_by_their_name() -> None:
    assert len({name for _, name, _ in SAID}) > len(NEEDS) / 3


def test_every_sentence_is_said_somewhere() -> None:
    written: set[str] = set()
    put_together: set[re.Pattern[str]] = set()
    for _, node in nodes():
        match node:
            case ast.Constant(value=str(text)):
                written.add(text)
            case ast.JoinedStr(values=parts):
                fixed = [part.value if isinstance(part, ast.Constant) else None for part in parts]
                if sum(len(str(part)) for part in fixed if part is not None) >= _LEAST_LETTERS:
                    put_together.add(
                        re.compile("".join(r"\w+" if p is None else re.escape(str(p)) for p in fixed))
                    )
    unsaid = {
        name for name in set(NEEDS) - written if not any(pattern.fullmatch(name) for pattern in put_together)
    }
    assert unsaid == set()


def test_every_placeholder_is_a_name_that_the_code_fills_in() -> None:
    given = set()
    for _, node in nodes():
        match node:
            case ast.keyword(arg=str(name)) | ast.Constant(value=str(name)):
                given.add(name)
    assert frozenset().union(*NEEDS.values()) <= given
