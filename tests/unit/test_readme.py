"""What the README says must be so: the functions it points at, the commands, the words of the room."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text from this heading to the next one of any level."""
    return re.split(r"^#+ ", README.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def names_in(path: Path) -> set[str]:
    """Functions and classes of a module, methods as ``Class.method``."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (
                inner for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            )
            names |= {f"{node.name}.{method.name}" for method in methods}
    return names


POINTERS = re.findall(r"`([A-Za-z_.]+)`\s+in\s+`([a-z_/]+\.py)`", section("The story of one message"))


def test_the_story_points_at_every_step() -> None:
    assert len(POINTERS) >= 12


@pytest.mark.parametrize(("name", "file"), [*POINTERS, ("Conversation.handle", "bot/conversation.py")])
def test_a_function_that_the_story_points_at_is_there(name: str, file: str) -> None:
    assert name in names_in(PROJECT / file)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"demo", "test"} <= named <= targets


def test_the_words_of_the_owners_room_are_those_that_it_knows() -> None:
    files = [*(PROJECT / "bot" / "room").glob("*.py"), PROJECT / "bot" / "chats.py"]
    room = [path.read_text(encoding="utf-8") for path in files]
    source = "".join(room)
    table = section("Untuk pemilik toko").split("| Ketik | Hasilnya |")[1]
    words = re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE)
    assert len(words) >= 4
    assert [word for word in words if f'"{word}"' not in source] == []


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_a_linked_file_is_there(link: str) -> None:
    assert (PROJECT / link).exists()


def test_every_command_for_people_that_is_named_is_a_module() -> None:
    for module in set(re.findall(r"python -m ([a-z.]+)", README)):
        path = PROJECT / module.rstrip(".").replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
