"""Word documents, by python-docx: headings, paragraphs, lists and table rows in their order."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.sources.chunk import SourceError, SourceReading, title_from_name
from rag.sources.prose import prose_chunks

if TYPE_CHECKING:
    from docx.table import Table, _Row
    from docx.text.paragraph import Paragraph

# Word keeps the English names of its built-in styles; some converters write the Indonesian ones.
_HEADING_STYLE = re.compile(r"(?:heading|judul)\s+([1-6])", re.IGNORECASE)
_TITLE_STYLES = frozenset({"title", "judul"})


def read_docx(data: bytes, *, source: str, stem: str) -> SourceReading:
    """Chunks of a .docx file. Raises SourceError for a damaged one."""
    lines = _lines(data)
    title = title_from_name(stem)
    if lines and (opening := re.fullmatch(r"# (.+)", lines[0])):
        title = opening[1]
    return prose_chunks("\n\n".join(lines), title=title, source=source, stem=stem, markdown=True)


def _lines(data: bytes) -> list[str]:
    import docx
    from docx.table import Table

    try:
        document = docx.Document(io.BytesIO(data))
        return [
            line
            for block in document.iter_inner_content()
            for line in (_table_lines(block) if isinstance(block, Table) else _paragraph_lines(block))
        ]
    except Exception as error:
        # python-docx has no error of its own: zipfile, lxml and KeyError come through from a damaged file.
        raise SourceError(
            "Berkas rusak atau bukan .docx; buka di Word lalu simpan ulang sebagai .docx."
        ) from error


def _paragraph_lines(paragraph: Paragraph) -> Iterator[str]:
    text = paragraph.text.strip()
    if not text:
        return
    style = (paragraph.style.name or "").strip() if paragraph.style is not None else ""
    if heading := _HEADING_STYLE.fullmatch(style):
        yield f"{'#' * int(heading[1])} {' '.join(text.split())}"
    elif style.lower() in _TITLE_STYLES:
        yield f"# {' '.join(text.split())}"
    elif style.lower().startswith("list"):
        yield f"- {text}"
    else:
        yield text


def _table_lines(table: Table) -> Iterator[str]:
    """One line per row that can be read alone: "Kota: Solo; Ongkir: Rp20.000"."""
    rows = [cells for row in table.rows if any(cells := _cells(row))]
    if len(rows) < 2 or len(rows[0]) < 2:
        yield from ("; ".join(cell for cell in row if cell) for row in rows)
        return
    header = rows[0]
    for row in rows[1:]:
        yield _labelled(header, row)


def _labelled(header: Sequence[str], row: Sequence[str]) -> str:
    cells = []
    for index, cell in enumerate(row):
        label = header[index] if index < len(header) else ""
        if cell:
            cells.append(f"{label}: {cell}" if label else cell)
    return "; ".join(cells)


def _cells(row: _Row) -> list[str]:
    """The row's texts; a merged cell, which python-docx gives once per column, is taken once."""
    cells: list[str] = []
    previous = None
    for cell in row.cells:
        if cell._tc is not previous:
            cells.append(" ".join(cell.text.split()))
        previous = cell._tc
    return cells
