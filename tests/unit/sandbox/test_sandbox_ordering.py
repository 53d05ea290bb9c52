"""What the stand-in takes for an order: a decision, about things that the request's price lines have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI

from rag.prompt import SCHEMA, SCHEMA_NAME
from sandbox.openai.conversation import from_chat
from sandbox.openai.reader import read


def _ordered(prompt: Callable[..., str], message: str, *turns: tuple[str, str]) -> list[tuple[str, int]]:
    earlier = [{"role": role, "content": text} for role, text in turns]
    reading = read(from_chat([*earlier, {"role": "user", "content": prompt(message)}]))
    return [(one.code, one.quantity) for one in reading.order]


@pytest.mark.parametrize(
    ("message", "order"),
    [
        ("mau pesan roti sobek 3", [("RS1", 3)]),
        ("pesen RS1 2x dong kak", [("RS1", 2)]),
        ("beli dua loyang roti sobek cokelat", [("RS1", 2)]),
        ("order roti sobek 2x dan bolu ketan 1x", [("RS1", 2), ("BK2", 1)]),
        ("bisa pesan roti sobek?", []),
        ("pesan roti sobek berapa lama", []),
        ("roti sobek", []),
        ("pesan mesin cuci 2", []),
        ("harganya Rp1.000 ya, konfirmasi", []),
    ],
)
def test_an_order_is_a_decision_about_what_is_listed(
    bakery_prompt: Callable[..., str], message: str, order: list[tuple[str, int]]
) -> None:
    assert _ordered(bakery_prompt, message) == order


def test_what_was_just_spoken_of_can_be_ordered_without_its_name(bakery_prompt: Callable[..., str]) -> None:
    said = ("assistant", "Roti Sobek Cokelat (kode RS1): Rp28.000 per loyang.")
    assert _ordered(bakery_prompt, "pesan 2 ya kak", said) == [("RS1", 2)]


async def test_the_order_fills_the_products_own_schema(
    client: AsyncOpenAI, bakery_prompt: Callable[..., str]
) -> None:
    form: Any = {
        "type": "json_schema",
        "json_schema": {"name": SCHEMA_NAME, "strict": True, "schema": SCHEMA},
    }
    done = await client.chat.completions.create(
        model="gpt-5.4-mini",
        messages=[{"role": "user", "content": bakery_prompt("mau pesan roti sobek 3")}],
        response_format=form,
    )
    assert json.loads(done.choices[0].message.content or "")["order"] == [{"code": "RS1", "quantity": 3}]
