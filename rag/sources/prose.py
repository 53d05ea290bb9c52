"""Documents in plain text and Markdown, and the step from any prose to chunks."""

import re

from rag.chunking import chunk_prose
from rag.sources.chunk import ChunkKind, SourceError, SourceReading, make_chunk, slug, title_from_name

_FIRST_HEADING = re.compile(r"\s*# +(.+?)(?: +#+)? *(?:\n|$)")


def read_text(text: str, *, source: str, stem: str, markdown: bool) -> SourceReading:
    """Chunks of a .md or .txt file."""
    opening = _FIRST_HEADING.match(text) if markdown else None
    title = opening[1] if opening else title_from_name(stem)
    return prose_chunks(text, title=title, source=source, stem=stem, markdown=markdown)


def prose_chunks(text: str, *, title: str, source: str, stem: str, markdown: bool) -> SourceReading:
    """Numbered chunks of one document. Raises SourceError when it has no text."""
    passages = chunk_prose(text, title=title, markdown=markdown)
    if not passages:
        raise SourceError("Berkas kosong; isi dengan teks atau hapus.")
    name = slug(stem) or "dokumen"
    return SourceReading(
        chunks=[
            make_chunk(
                id=f"{name}:{number}",
                source=source,
                kind=ChunkKind.PROSE,
                title=passage.title,
                text=passage.text,
                searched=passage.text,
            )
            for number, passage in enumerate(passages, start=1)
        ]
    )
