"""Reads the knowledge folder into the store; ``rag.ingest`` is the command.

Everything slow (files, embeddings) happens before the one transaction that makes the new generation the
shop's knowledge, so a failure leaves what was there. Only what changed is embedded: a second run costs
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from rag.sources import Chunk, FileReport, FolderReading, KnowledgeFolderError, read_folder
from store import embedding_space, knowledge, turn_vectors
from store.doors import Store
from store.embedding_space import Space
from store.knowledge import GenerationReport, StoredChunk
from store.turn_vectors import NewVector
from store.vectors import to_bytes

if TYPE_CHECKING:
    # The command needs the library behind it, the function does not.
    from rag.model import Embedder

# One request carries so many texts: large enough to be quick, small enough to stay under every limit.
BATCH = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the embedding is: ``stage`` is "pengetahuan" or "percakapan"."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestReport:
    """What one run did."""

    generation: GenerationReport
    files: list[FileReport]
    kept_files: list[str]  # could not be read this time; what they gave before stays
    embedded: int
    embedded_turns: int
    tokens: int


OnProgress = Callable[[Progress], None]


async def ingest(
    store: Store,
    data_dir: Path,
    embedder: Embedder | None,
    *,
    reembed: bool = False,
    on_progress: OnProgress | None = None,
) -> IngestReport:
    """Make the folder's content the shop's knowledge; with ``reembed``, move all vectors to this model.

    Raises ``KnowledgeFolderError``, ``StoreMisconfigured`` (vectors of another model are stored),
    ``ModelError`` and ``StoreUnavailable``; the knowledge is then what it was. A broken-off ``reembed``
    goes on where it was.
    """
    if embedder is not None and not reembed:
        await store.read(lambda connection: embedding_space.check(connection, *_names(embedder)))
    reading = await asyncio.to_thread(read_folder, data_dir)
    stored = await store.read(knowledge.load_all, slow=True)
    chunks, kept_files = _generation(reading, stored)
    run = _Run(embedder=embedder, on_progress=on_progress or (lambda progress: None))
    chunks, embedded = await run.embed_chunks(chunks, {chunk.id: chunk for chunk in stored})
    embedded_turns = await run.embed_turns(store) if reembed else 0
    generation = await store.write(lambda connection: _commit(connection, chunks, embedder, reembed=reembed))
    return IngestReport(
        generation=generation,
        files=reading.reports,
        kept_files=kept_files,
        embedded=embedded,
        embedded_turns=embedded_turns,
        tokens=run.tokens,
    )


@dataclass(kw_only=True, slots=True)
class _Run:
    embedder: Embedder | None
    on_progress: OnProgress
    tokens: int = 0

    async def embed_chunks(
        self, chunks: list[StoredChunk], stored: Mapping[str, StoredChunk]
    ) -> tuple[list[StoredChunk], int]:
        """The chunks, those that need a vector with one; and how many needed it."""
        if self.embedder is None:
            return chunks, 0
        wanted = [
            at
            for at, chunk in enumerate(chunks)
            if not _has_vector(stored.get(chunk.id), chunk, self.embedder)
        ]
        model, dimensions = _names(self.embedder)
        result = list(chunks)
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            vectors = await self._embed([chunks[at].embed_text for at in batch])
            for at, vector in zip(batch, vectors, strict=True):
                result[at] = replace(chunks[at], vector=vector, model=model, dimensions=dimensions)
            self.on_progress(Progress(stage="pengetahuan", done=start + len(batch), total=len(wanted)))
        return result, len(wanted)

    async def embed_turns(self, store: Store) -> int:
        """Move the vectors of all turns, batch by batch, each committed: a broken-off run goes on there."""
        if self.embedder is None:
            return 0
        space = Space(model=self.embedder.model, dimensions=self.embedder.dimensions)
        total = await store.read(lambda connection: turn_vectors.count_outside(connection, space), slow=True)
        done = after = 0
        while waiting := await store.read(
            lambda connection, after=after: turn_vectors.outside(  # type: ignore[misc] # mypy infers no default
                connection, space, after=after, limit=BATCH
            ),
            slow=True,
        ):
            vectors = await self._embed([turn.text for turn in waiting])
            made = [
                NewVector(turn_id=turn.id, customer_id=turn.customer_id, vector=vector)
                for turn, vector in zip(waiting, vectors, strict=True)
            ]
            await store.write(
                lambda connection, made=made: turn_vectors.replace(connection, made, space)  # type: ignore[misc] # as above
            )
            after = waiting[-1].id
            done += len(waiting)
            self.on_progress(Progress(stage="percakapan", done=done, total=max(total, done)))
        return done

    async def _embed(self, texts: Sequence[str]) -> list[bytes]:
        assert self.embedder is not None, "the callers have asked"
        batch = await self.embedder.embed(texts)
        self.tokens += batch.tokens
        return [to_bytes(vector) for vector in batch.vectors]


def _generation(reading: FolderReading, stored: Sequence[StoredChunk]) -> tuple[list[StoredChunk], list[str]]:
    """The chunks of the folder, and what files that can't be read now gave before, with those files' names.

    A price list saved half-way must not make the bot forget every price. A file that is gone is gone.
    """
    chunks = [stored_from(chunk) for chunk in reading.chunks]
    taken = {chunk.id for chunk in chunks}
    unreadable = {report.path for report in reading.reports if not report.taken and report.problems}
    kept = [chunk for chunk in stored if chunk.source in unreadable and chunk.id not in taken]
    if not chunks and not kept:
        problems = "\n".join(f"- {problem}" for problem in reading.problems)
        raise KnowledgeFolderError(
            "Tidak ada satu pun berkas pengetahuan yang bisa dibaca; betulkan lalu jalankan lagi."
            + (f"\n{problems}" if problems else "")
        )
    return chunks + kept, sorted({chunk.source for chunk in kept})


def _commit(
    connection: Connection, chunks: Sequence[StoredChunk], embedder: Embedder | None, *, reembed: bool
) -> GenerationReport:
    if embedder is not None:
        model, dimensions = _names(embedder)
        if reembed:
            embedding_space.replace(connection, Space(model=model, dimensions=dimensions))
        else:
            # Again, and in this transaction: another process may have settled on a model meanwhile.
            embedding_space.settle(connection, model, dimensions)
    return knowledge.commit_generation(connection, chunks)


def stored_from(chunk: Chunk) -> StoredChunk:
    """The chunk as it is stored, without a vector."""
    return StoredChunk(
        id=chunk.id,
        source=chunk.source,
        kind=str(chunk.kind),
        title=chunk.title,
        text=chunk.text,
        embed_text=chunk.embed_text,
        search_text=chunk.search_text,
        answer=chunk.answer,
        metadata=dict(chunk.metadata),
        content_hash=chunk.content_hash,
    )


def _has_vector(stored: StoredChunk | None, chunk: StoredChunk, embedder: Embedder) -> bool:
    return (
        stored is not None
        and stored.vector is not None
        and stored.content_hash == chunk.content_hash
        and (stored.model, stored.dimensions) == _names(embedder)
    )


def _names(embedder: Embedder) -> tuple[str, int]:
    return embedder.model, embedder.dimensions
