"""The knowledge folder: every file to its format, every problem to a report."""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from billing import shipping
from billing.catalogue import FILE_NAMES as CATALOGUE_NAMES
from billing.catalogue import find_catalogue
from billing.tables import MAX_FILE_BYTES
from billing.textfile import NotTextError, decode
from rag.sources.catalogue import read_catalogue_chunks
from rag.sources.chunk import Chunk, FileReport, KnowledgeFolderError, SourceError, SourceReading, storable
from rag.sources.docx import read_docx
from rag.sources.faq import looks_like_faq, read_faq
from rag.sources.pdf import read_pdf
from rag.sources.prose import read_text
from rag.sources.retrieval import read_passages

_log = logging.getLogger(__name__)

_PROSE = frozenset({".md", ".txt", ".pdf", ".docx"})
_SETTINGS = frozenset({"toko.toml", "kalimat.toml"})
# A logo or product pictures belong in the folder, but nothing is read from them.
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".ico", ".heic"})
_SAVE_AS = {
    ".doc": ".docx",
    ".rtf": ".docx",
    ".odt": ".docx",
    ".xls": ".xlsx",
    ".ods": ".xlsx",
}
_READ = "katalog.xlsx, katalog.csv, .json, .md, .txt, .pdf dan .docx"


@dataclass(frozen=True, kw_only=True)
class FolderReading:
    """All chunks, in the order of their files, and a report on every file that gave some or has a problem."""

    chunks: list[Chunk]
    reports: list[FileReport]

    @property
    def problems(self) -> list[str]:
        """Every problem with the file's name in front, one a line."""
        return [f"{report.path}: {problem}" for report in self.reports for problem in report.problems]


def read_folder(data_dir: Path) -> FolderReading:
    """Reads every knowledge file below the folder. One broken file never stops the rest.

    Raises KnowledgeFolderError when the folder is missing, cannot be listed or holds nothing to read.
    """
    catalogue, catalogue_problems = _open(data_dir)
    chunks: dict[str, Chunk] = {}
    reports: list[FileReport] = []
    for path in _files(data_dir):
        # File names are bytes on Linux; a stray one must not break a database or a terminal later.
        source = storable(path.relative_to(data_dir).as_posix())
        is_catalogue = path.parent == data_dir and path.name.lower() in CATALOGUE_NAMES
        if is_catalogue and path != catalogue:
            continue  # The problem of the one that is used names it.
        reading = _read(path, source, is_catalogue=is_catalogue)
        if reading is None:
            continue
        problems = [*(catalogue_problems if is_catalogue else ()), *reading.problems]
        taken = _take_new(reading.chunks, chunks, problems)
        reports.append(FileReport(path=source, taken=taken, problems=problems))
    if not reports:
        raise KnowledgeFolderError(
            f"Folder pengetahuan {data_dir} kosong; isi dengan salah satu dari {_READ}, "
            "atau betulkan DATA_DIR."
        )
    return FolderReading(chunks=list(chunks.values()), reports=reports)


def _open(data_dir: Path) -> tuple[Path | None, tuple[str, ...]]:
    try:
        return find_catalogue(data_dir)
    except FileNotFoundError as error:
        raise KnowledgeFolderError(
            f"Folder pengetahuan {data_dir} tidak ada; buat foldernya atau betulkan DATA_DIR."
        ) from error
    except NotADirectoryError as error:
        raise KnowledgeFolderError(
            f"{data_dir} adalah berkas, bukan folder; isi DATA_DIR dengan nama folder."
        ) from error
    except OSError as error:
        raise KnowledgeFolderError(
            f"Folder pengetahuan {data_dir} tidak bisa dibuka ({error.strerror}); periksa izinnya."
        ) from error


def _files(data_dir: Path) -> Iterator[Path]:
    """Every visible entry in a stable order: files, and folders that look like files or lead elsewhere."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(data_dir):
        subfolders[:] = [name for name in subfolders if _visible(name)]
        here = Path(folder)
        found += [here / name for name in names if _visible(name)]
        # os.walk does not follow links to folders, which could run in circles; the owner should hear of it.
        found += [
            here / name
            for name in subfolders
            if (here / name).is_symlink()
            or Path(name).suffix.lower() in _PROSE | {".json", ".csv", ".xlsx"}
            or not os.access(here / name, os.R_OK | os.X_OK)
        ]
    yield from sorted(found, key=lambda path: path.relative_to(data_dir).as_posix().casefold())


def _visible(name: str) -> bool:
    # "~$" begins the lock files that Word and Excel leave beside an open document; "_" marks drafts.
    return not name.startswith((".", "~$", "_"))


def _read(path: Path, source: str, *, is_catalogue: bool) -> SourceReading | None:
    """What one file gives; None for files that are no knowledge and need no word."""
    if path.name.lower() in _SETTINGS or path.suffix.lower() in _IMAGES:
        return None
    if path.name.lower() == shipping.FILE_NAME:
        # Checkout reads it, no answer comes from it; but the owner hears here what is wrong with it.
        return SourceReading(chunks=[], problems=list(shipping.read_rates(path.parent).problems))
    try:
        return _dispatch(path, source, is_catalogue=is_catalogue)
    except (SourceError, NotTextError) as error:
        return SourceReading(chunks=[], problems=[str(error)])
    except OSError as error:
        reason = error.strerror or "tidak diketahui"
        return SourceReading(
            chunks=[], problems=[f"Berkas tidak bisa dibuka ({reason}); periksa berkas dan izinnya."]
        )
    except Exception:  # noqa: BLE001 - a loop boundary: whatever one file holds, the others are read.
        _log.info("unreadable knowledge file %s", source, exc_info=True)
        return SourceReading(
            chunks=[], problems=["Berkas rusak dan tidak terbaca; buka lalu simpan ulang, atau hapus."]
        )


def _dispatch(path: Path, source: str, *, is_catalogue: bool) -> SourceReading:
    suffix = path.suffix.lower()
    if path.is_dir():
        raise SourceError(_about_folder(path))
    if is_catalogue:
        return read_catalogue_chunks(path, source=source)
    if suffix not in _PROSE | {".json"}:
        raise SourceError(_ignored(suffix))
    if path.stat().st_size > MAX_FILE_BYTES:
        raise SourceError("Berkas lebih dari 20 MB; perkecil gambarnya atau bagi menjadi beberapa berkas.")
    data = path.read_bytes()
    if suffix == ".pdf":
        return read_pdf(data, source=source, stem=path.stem)
    if suffix == ".docx":
        return read_docx(data, source=source, stem=path.stem)
    decoded = decode(data)
    if suffix == ".json":
        reading = _read_json(decoded.text, path, source)
    else:
        reading = read_text(decoded.text, source=source, stem=path.stem, markdown=suffix == ".md")
    if decoded.problem:
        reading.problems.append(decoded.problem)
    return reading


def _read_json(text: str, path: Path, source: str) -> SourceReading:
    if not text.strip():
        raise SourceError("Berkas kosong; isi dengan daftar tanya jawab atau hapus.")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(
            f"JSON rusak di baris {error.lineno} kolom {error.colno}; "
            "periksa koma, kutip dan kurung di sekitarnya."
        ) from error
    if "faq" in path.stem.lower() or looks_like_faq(document):
        return read_faq(document, source=source)
    return read_passages(document, source=source)


def _about_folder(path: Path) -> str:
    if path.is_symlink():
        return "Tautan ke folder lain tidak diikuti; salin isinya ke sini."
    if not os.access(path, os.R_OK | os.X_OK):
        return "Folder tidak bisa dibuka; periksa izinnya."
    return "Ini folder, bukan berkas; ganti namanya (isinya tetap dibaca)."


def _ignored(suffix: str) -> str:
    if suffix in _SAVE_AS:
        return f"Jenis berkas {suffix} tidak dibaca; simpan ulang sebagai {_SAVE_AS[suffix]}."
    if suffix in {".csv", ".xlsx"}:
        return (
            "Tabel ini tidak dibaca; yang dibaca hanya katalog.xlsx atau katalog.csv langsung di folder "
            "pengetahuan, tabel lain pindahkan ke .docx."
        )
    named = f"Jenis berkas {suffix}" if suffix else "Berkas tanpa akhiran nama"
    return f"{named} tidak dibaca; yang dibaca: {_READ}."


def _take_new(found: list[Chunk], chunks: dict[str, Chunk], problems: list[str]) -> int:
    """Adds chunks whose id is new; says once per earlier file which ids were already there."""
    refused: dict[str, list[str]] = {}
    for chunk in found:
        if chunk.id in chunks:
            refused.setdefault(chunks[chunk.id].source, []).append(chunk.id)
        else:
            chunks[chunk.id] = chunk
    for earlier, ids in refused.items():
        shown = ", ".join(ids[:3]) + (f" dan {len(ids) - 3} lainnya" if len(ids) > 3 else "")
        problems.append(f"{shown} sudah ada di {earlier} dan dilewati; ganti id atau nama berkasnya.")
    return len(found) - sum(map(len, refused.values()))
