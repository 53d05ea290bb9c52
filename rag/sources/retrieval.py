"""Ready-made passages: a JSON list of {"text", "metadata"}, one chunk each."""

from collections.abc import Mapping

from rag.sources.chunk import Chunk, ChunkKind, SourceError, SourceReading, id_part, make_chunk, short_hash

_EXAMPLE = '{"text": "...", "metadata": {"id": "..."}}'
# An embedding call takes 8,192 tokens; beyond this a passage is a document and belongs in a .md file.
_MAX_CHARS = 20_000
_TITLE_CHARS = 60


def read_passages(document: object, *, source: str) -> SourceReading:
    """Chunks of a parsed file. Raises SourceError when it is no list at all."""
    if not isinstance(document, list):
        raise SourceError(f"Isi bukan daftar; tulis [{_EXAMPLE}, ...], atau daftar tanya jawab untuk FAQ.")
    chunks: dict[str, Chunk] = {}
    problems: list[str] = []
    for number, entry in enumerate(document, start=1):
        text = entry.get("text") if isinstance(entry, dict) else None
        if not isinstance(text, str) or not text.strip():
            problems.append(f"Entri {number} tidak punya teks; tulis seperti {_EXAMPLE}.")
            continue
        if len(text) > _MAX_CHARS:
            problems.append(
                f"Entri {number} terlalu panjang; pindahkan ke berkas .md supaya dipotong otomatis."
            )
            continue
        chunk = _chunk(text.strip(), _metadata(entry), source)
        if chunk.id in chunks:
            problems.append(f"Entri {number} ({chunk.id}) sudah ada dan dilewati; hapus atau beri id lain.")
            continue
        chunks[chunk.id] = chunk
    return SourceReading(chunks=list(chunks.values()), problems=problems)


def _chunk(text: str, metadata: Mapping[str, str], source: str) -> Chunk:
    first_line = text.splitlines()[0].strip()
    if len(first_line) > _TITLE_CHARS:
        first_line = first_line[: _TITLE_CHARS - 1] + "…"
    title = metadata.get("judul") or metadata.get("title") or first_line
    return make_chunk(
        id=f"data:{id_part(metadata.get('id', '')) or short_hash(text)}",
        source=source,
        kind=ChunkKind.DATA,
        title=title,
        text=text,
        embed_text=text if title == first_line else f"{title}\n{text}",
        metadata=metadata,
    )


def _metadata(entry: Mapping[str, object]) -> dict[str, str]:
    """Plain values as text; nested ones say nothing that a passage's label could show."""
    metadata = entry.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    return {
        str(key): str(value) for key, value in metadata.items() if isinstance(value, str | int | float | bool)
    }
