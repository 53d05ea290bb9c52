"""A bakery that exists only here, so that no shop's data can help the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from html import escape
from typing import Any

import pytest
from openai import AsyncOpenAI

from sandbox.openai import OpenAIStandIn

BAKERY: Mapping[str, tuple[str, str]] = {
    "faq:pesan-khusus": (
        "Kue ulang tahun",
        "T: Bisa pesan kue ulang tahun dengan tulisan?\nJ: Bisa, tulisan di kue tidak menambah biaya, Kak.",
    ),
    "faq:antar": (
        "Pengantaran",
        "T: Apakah roti diantar?\nJ: Roti kami antar ke Kaliurang dan Sleman dengan ongkos Rp12.000, Kak.",
    ),
    "katalog:RS1": ("Katalog", "Roti Sobek Cokelat (kode RS1): Rp28.000 per loyang. Stok 4."),
    "katalog:BK2": ("Katalog", "Bolu Ketan Hitam (kode BK2): Rp45.000 per kotak. Stok habis."),
    "penyimpanan:1": (
        "Menyimpan roti",
        "Menyimpan roti\nRoti tanpa pengawet tahan tiga hari pada suhu ruang. "
        "Di dalam lemari es roti tahan tujuh hari. Jangan jemur kemasan plastik.",
    ),
}
ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "source_ids": {"type": "array", "items": {"type": "string"}},
        "answerable": {"type": "boolean"},
        "needs_human": {"type": "boolean"},
    },
    "required": ["answer", "source_ids", "answerable", "needs_human"],
    "additionalProperties": False,
}
ANSWER_FORMAT: Any = {
    "type": "json_schema",
    "json_schema": {"name": "jawaban", "strict": True, "schema": ANSWER_SCHEMA},
}


def prompt(
    message: str,
    sources: Mapping[str, tuple[str, str]] = BAKERY,
    remembered: Mapping[str, str] | None = None,
) -> str:
    """The last user message as the contract between prompt and model has it."""
    blocks = []
    if sources:
        inside = "\n".join(
            f'<sumber id="{key}" judul="{escape(title)}">\n{escape(text)}\n</sumber>'
            for key, (title, text) in sources.items()
        )
        blocks.append(f"<pengetahuan>\n{inside}\n</pengetahuan>")
    if remembered:
        inside = "\n".join(
            f'<sumber id="{key}" tanggal="2026-11-03">\n{escape(text)}\n</sumber>'
            for key, text in remembered.items()
        )
        blocks.append(f"<riwayat>\n{inside}\n</riwayat>")
    blocks.append(f"<pesan>\n{escape(message)}\n</pesan>")
    return "\n".join(blocks)


@pytest.fixture
def bakery_prompt() -> Callable[..., str]:
    return prompt


@pytest.fixture
def answer_format() -> Any:
    return ANSWER_FORMAT


@pytest.fixture
async def ai() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn() as server:
        yield server


@pytest.fixture
async def client(ai: OpenAIStandIn) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="sk-test", base_url=ai.base_url, max_retries=0, timeout=10) as made:
        yield made
