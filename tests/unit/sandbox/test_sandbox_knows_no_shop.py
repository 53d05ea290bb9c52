"""The stand-ins hold nothing of the sample shop: whatever they say about it came with the request."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
LENGTH = 25


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _texts(path: Path) -> Iterator[str]:
    """What a file says: its text as written, and freed from JSON's escapes; of documents the text inside."""
    match path.suffix.lower():
        case ".pdf":
            from pypdf import PdfReader

            yield "\n".join(page.extract_text() for page in PdfReader(path).pages)
        case ".docx":
            from docx import Document

            yield "\n".join(paragraph.text for paragraph in Document(str(path)).paragraphs)
        case ".xlsx":
            from openpyxl import load_workbook

            book = load_workbook(path, read_only=True)
            yield "\n".join(
                " ".join(str(cell) for cell in row if cell is not None)
                for sheet in book
                for row in sheet.iter_rows(values_only=True)
            )
            book.close()
        case _:
            text = path.read_bytes().decode("utf-8", errors="replace")
            yield text
            if path.suffix.lower() == ".json":
                yield from _strings(json.loads(text))


def _windows(text: str) -> Iterator[str]:
    folded = _folded(text)
    return (folded[i : i + LENGTH] for i in range(len(folded) - LENGTH + 1))


def _shared(shop: Path, code: Path) -> dict[str, set[str]]:
    """The strings of 25 characters that each file of the shop has in common with the code."""
    known = {
        window
        for path in sorted(code.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
        for window in _windows(path.read_text(encoding="utf-8"))
    }
    assert len(known) > 10_000, "the code was not read"
    files = [path for path in sorted(shop.rglob("*")) if path.is_file()]
    found = {path.name: {w for text in _texts(path) for w in _windows(text) if w in known} for path in files}
    return {name: windows for name, windows in found.items() if windows}


def test_no_string_of_the_sample_shop_occurs_in_the_sandbox() -> None:
    shop = PROJECT / "data"
    characters = sum(len(text) for path in shop.rglob("*") if path.is_file() for text in _texts(path))
    assert characters > 10_000, "data/ is missing or nearly empty, so this test would prove nothing"
    assert _shared(shop, PROJECT / "sandbox") == {}


def test_a_sentence_of_the_sandbox_in_a_shops_file_would_be_found(tmp_path: Path) -> None:
    docstring = (PROJECT / "sandbox" / "__init__.py").read_text(encoding="utf-8").split("\n")[0]
    (tmp_path / "faq.json").write_text(json.dumps([{"answer": f"é  {docstring[3:60]}"}]), encoding="utf-8")
    assert "faq.json" in _shared(tmp_path, PROJECT / "sandbox")


_WATCHED = """
import asyncio, sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
from openai import AsyncOpenAI
from sandbox.openai import OpenAIStandIn

async def main():
    async with OpenAIStandIn() as ai, AsyncOpenAI(api_key="x", base_url=ai.base_url) as client:
        await client.chat.completions.create(
            model="gpt-5.4-mini", messages=[{"role": "user", "content": "berapa harga paketnya?"}]
        )
        await client.embeddings.create(model="text-embedding-3-small", input="harga")

asyncio.run(main())
print("\\n".join(opened))
"""


@pytest.mark.parametrize("folder", ["data"])
def test_the_stand_in_opens_no_file_of_the_shop(folder: str) -> None:
    command = [sys.executable, "-c", _WATCHED]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True)
    opened = [(PROJECT / line).resolve() for line in done.stdout.splitlines()]
    assert any(path.name == "vocabulary.toml" for path in opened), "the audit hook saw nothing"
    assert not [path for path in opened if path.is_relative_to(PROJECT / folder)]
