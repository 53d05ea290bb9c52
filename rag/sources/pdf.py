"""PDF documents, by pypdf."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from rag.sources.chunk import SourceError, SourceReading, title_from_name
from rag.sources.prose import prose_chunks


def read_pdf(data: bytes, *, source: str, stem: str) -> SourceReading:
    """Chunks of a PDF. Raises SourceError for a locked, damaged or merely scanned one."""
    pages = _pages(data)
    if not any(page.strip() for page in pages):
        raise SourceError(
            "PDF ini tidak berisi teks (mungkin hasil pindai atau foto); "
            "ketik ulang isinya di berkas .docx atau .md."
        )
    reading = prose_chunks(
        "\n\n".join(pages), title=title_from_name(stem), source=source, stem=stem, markdown=False
    )
    empty = [str(number) for number, page in enumerate(pages, start=1) if not page.strip()]
    if empty:
        reading.problems.append(
            f"Halaman {', '.join(empty)} tidak berisi teks (gambar?); "
            "kalau penting, ketik isinya di berkas .md."
        )
    return reading


def _pages(data: bytes) -> list[str]:
    import pypdf
    from pypdf.errors import PyPdfError

    with _quiet():
        try:
            reader = pypdf.PdfReader(io.BytesIO(data))
            # Many brochures are locked against changes only and open with the empty password.
            if reader.is_encrypted and not reader.decrypt(""):
                raise SourceError("PDF ini dikunci kata sandi; simpan ulang tanpa kata sandi.")
            return [page.extract_text() for page in reader.pages]
        except PyPdfError as error:
            raise SourceError("PDF rusak atau bukan PDF; buka lalu simpan ulang sebagai PDF.") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """pypdf comments on every flaw of a file by logs and warnings; the owner gets one sentence instead."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
