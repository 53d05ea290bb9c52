"""The shop's knowledge in SQL: one generation at a time, replaced in one transaction.

A generation is everything that one ingest read from the knowledge folder. Readers see the old one or the
new one, never a mixture, and its number grows only when something changed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from store import changes, meta
from store.schema import knowledge

GENERATION_KEY = "knowledge_generation"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredChunk:
    """A row of ``knowledge``. ``vector`` is float16 bytes of ``dimensions`` from ``model``, or None."""

    id: str
    source: str  # the file that it came from, relative to the knowledge folder
    kind: str  # faq, catalogue, data, prose
    title: str
    text: str  # what the model reads
    embed_text: str  # what the vector was computed from
    search_text: str  # normalised words
    answer: str | None  # an FAQ's answer, word for word
    metadata: Mapping[str, str] = field(default_factory=dict)
    content_hash: str
    vector: bytes | None = None
    model: str | None = None
    dimensions: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationReport:
    """The generation that holds after the commit, and how many chunks differ from the one before."""

    generation: int
    added: int
    changed: int
    removed: int
    unchanged: int


_COLUMNS = [knowledge.c[field.name] for field in dataclasses.fields(StoredChunk)]
_ALL = select(*_COLUMNS).order_by(knowledge.c.id)
_INSERT = insert(knowledge)
_UPDATE = (
    update(knowledge)
    .where(knowledge.c.id == bindparam("row_id"))
    .values({column.name: bindparam(column.name) for column in _COLUMNS if column.name != "id"})
)
_DELETE = delete(knowledge).where(knowledge.c.id == bindparam("row_id"))


def current_generation(connection: Connection) -> int:
    """The number of the committed generation; 0 before the first ingest."""
    return int(meta.get(connection, GENERATION_KEY) or 0)


def load_all(connection: Connection) -> list[StoredChunk]:
    """Every chunk of the committed generation, ordered by id."""
    return [_from_row(row) for row in connection.execute(_ALL)]


def commit_generation(connection: Connection, chunks: Sequence[StoredChunk]) -> GenerationReport:
    """Make ``chunks`` the whole knowledge, in the caller's one transaction.

    A chunk without a vector keeps the stored one while its content is the same. Stored chunks that are not
    among ``chunks`` are removed with a tombstone. The generation's number grows only when anything differs.
    """
    before = {chunk.id: chunk for chunk in load_all(connection)}
    after = {chunk.id: _with_stored_vector(chunk, before.get(chunk.id)) for chunk in chunks}
    if len(after) != len(chunks):
        raise ValueError("two chunks of one generation have the same id")
    added = [chunk for chunk in after.values() if chunk.id not in before]
    changed = [chunk for chunk in after.values() if chunk.id in before and before[chunk.id] != chunk]
    removed = [id for id in before if id not in after]
    generation = current_generation(connection)
    if added or changed or removed:
        generation += 1
        _write(connection, added=added, changed=changed, removed=removed)
        meta.put(connection, GENERATION_KEY, str(generation))
    return GenerationReport(
        generation=generation,
        added=len(added),
        changed=len(changed),
        removed=len(removed),
        unchanged=len(before) - len(changed) - len(removed),
    )


def _write(
    connection: Connection,
    *,
    added: Sequence[StoredChunk],
    changed: Sequence[StoredChunk],
    removed: Sequence[str],
) -> None:
    if removed:
        connection.execute(_DELETE, [{"row_id": id} for id in removed])
    if changed:
        connection.execute(_UPDATE, [_to_row(chunk, id_name="row_id") for chunk in changed])
    if added:
        connection.execute(_INSERT, [_to_row(chunk, id_name="id") for chunk in added])
    changes.append_many(
        connection,
        [changes.entry(entity=changes.KNOWLEDGE, ref=id, tombstone=True) for id in removed]
        + [changes.entry(entity=changes.KNOWLEDGE, ref=chunk.id) for chunk in (*changed, *added)],
    )


def _with_stored_vector(chunk: StoredChunk, before: StoredChunk | None) -> StoredChunk:
    if chunk.vector is not None or before is None or before.content_hash != chunk.content_hash:
        return chunk
    return dataclasses.replace(chunk, vector=before.vector, model=before.model, dimensions=before.dimensions)


def _from_row(row: Any) -> StoredChunk:
    values = dict(row._mapping)
    values["metadata"] = json.loads(values["metadata"])
    return StoredChunk(**values)


def _to_row(chunk: StoredChunk, *, id_name: str) -> dict[str, object]:
    values = {field.name: getattr(chunk, field.name) for field in dataclasses.fields(chunk)}
    values["metadata"] = json.dumps(dict(chunk.metadata), ensure_ascii=False, sort_keys=True)
    values[id_name] = values.pop("id")
    return values
