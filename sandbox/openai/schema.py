"""Fills JSON schemas (structured output, arguments of tools) from a reading and the customer's message.

Names that mean something in a shop's conversation get their value. An enum is the member that the message
mentions, else its first; a number the one in the message, else 0; other strings are "", arrays empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.openai.ordering import Ordered
from sandbox.openai.reader import Reading
from sandbox.openai.rewording import general_question

_NUMBER = re.compile(r"\d+")
_CODE = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]+\b")
_DEEPEST = 12

_ANSWER_NAMES = frozenset({"answer", "jawaban", "reply", "balasan", "response", "text", "teks"})
_QUESTION_NAMES = frozenset(
    {"question", "pertanyaan", "query", "message", "pesan", "search", "kueri", "standalone"}
)
_GENERAL_NAMES = frozenset({"faq_question", "pertanyaan_umum", "general_question"})
_SOURCE_NAMES = frozenset({"source_ids", "sources", "sumber", "sumber_ids"})
_ANSWERABLE_NAMES = frozenset({"answerable", "terjawab", "can_answer", "bisa_dijawab"})
_HUMAN_NAMES = frozenset({"needs_human", "handoff", "butuh_admin", "perlu_admin"})
_ORDER_NAMES = frozenset({"order", "pesanan"})
_QUANTITY_NAMES = frozenset({"quantity", "jumlah", "qty"})
_CODE_NAMES = frozenset({"kode", "code", "sku", "item_id", "product_id", "kode_barang"})


@dataclass(frozen=True, kw_only=True)
class Material:
    """What there is to fill with."""

    reading: Reading
    question: str

    def first_code(self) -> str:
        """The first thing in the message that looks like a product code."""
        found = _CODE.search(self.question)
        return found.group().upper() if found else ""

    def first_number(self) -> int:
        """The first free-standing number in the message, else 0."""
        found = _NUMBER.search(_CODE.sub(" ", self.question))
        return int(found.group()[:9]) if found else 0


def fill(schema: Mapping[str, Any], material: Material) -> Any:
    """A value that fits the schema (of the subset that strict structured output allows)."""
    return _fill(schema, material, name="", root=schema, depth=0)


def _fill(
    schema: Mapping[str, Any], material: Material, *, name: str, root: Mapping[str, Any], depth: int
) -> Any:
    if depth > _DEEPEST:
        return None
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if members := schema.get("enum"):
        return _member(members, material.question)
    match _type_of(schema):
        case "object":
            return {
                key: _fill(part, material, name=key, root=root, depth=depth + 1)
                for key, part in schema.get("properties", {}).items()
            }
        case "array":
            return _array(schema, material, name=name, root=root, depth=depth)
        case "string":
            return _string(name, material)
        case "integer" | "number":
            return (
                max(material.first_number(), schema.get("minimum", 0)) if depth else schema.get("minimum", 0)
            )
        case "boolean":
            return _boolean(name, material.reading)
    return None


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow `$ref` and take the first branch of `anyOf` that is not null."""
    for _ in range(_DEEPEST):
        if reference := schema.get("$ref"):
            schema = root
            for part in str(reference).removeprefix("#").strip("/").split("/"):
                schema = schema.get(part, {}) if part else schema
        elif branches := schema.get("anyOf"):
            schema = next((b for b in branches if b.get("type") != "null"), branches[0])
        else:
            break
    return schema


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    return str(kind or ("object" if "properties" in schema else "null"))


def _member(members: list[Any], question: str) -> Any:
    """The member that the customer mentions, else the first."""
    said = question.casefold()
    return next((m for m in members if isinstance(m, str) and m and m.casefold() in said), members[0])


def _array(
    schema: Mapping[str, Any], material: Material, *, name: str, root: Mapping[str, Any], depth: int
) -> list[Any]:
    if name in _SOURCE_NAMES:
        return list(material.reading.source_ids)
    if name in _ORDER_NAMES and (properties := _resolved(schema.get("items", {}), root).get("properties")):
        return [_ordered(one, properties) for one in material.reading.order]
    least = min(int(schema.get("minItems", 0)), 10)
    items = schema.get("items", {})
    return [_fill(items, material, name=name, root=root, depth=depth + 1) for _ in range(least)]


def _ordered(one: Ordered, properties: Mapping[str, Any]) -> dict[str, Any]:
    """One thing that is ordered, in the names of the schema; what else it wants to know stays empty."""
    return {
        key: one.code if key in _CODE_NAMES else one.quantity if key in _QUANTITY_NAMES else ""
        for key in properties
    }


def _string(name: str, material: Material) -> str:
    if name in _ANSWER_NAMES:
        return material.reading.answer
    if name in _QUESTION_NAMES:
        return material.question
    if name in _GENERAL_NAMES:
        return general_question(material.question)
    return material.first_code() if name in _CODE_NAMES else ""


def _boolean(name: str, reading: Reading) -> bool:
    if name in _ANSWERABLE_NAMES:
        return reading.answerable
    return reading.needs_human if name in _HUMAN_NAMES else False


def strict_problem(schema: Mapping[str, Any], path: str = "") -> str | None:
    """Why the real API would refuse this schema with `strict: true`; None if it would not."""
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        where = f"In context=({path}), " if path else ""
        if schema.get("additionalProperties") is not False:
            return f"{where}'additionalProperties' is required to be supplied and to be false."
        if set(schema.get("required", ())) != set(properties):
            return f"{where}'required' must be an array including every key in properties."
        for key, part in properties.items():
            if problem := strict_problem(part, f"{path}.properties.{key}"):
                return problem
    items = schema.get("items")
    return strict_problem(items, f"{path}.items") if isinstance(items, dict) else None
