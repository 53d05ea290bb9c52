"""``python -m rag.ingest DATA_DIR [--reembed]``: settings, progress, and a report in the owner's language.

Exit codes: 0 the knowledge is up to date; 1 try again later; 2 somebody must change something first.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from config import logging
from config.errors import ConfigError
from config.settings import Settings
from rag.errors import ModelError, ModelMisconfigured
from rag.ingesting import IngestReport, OnProgress, Progress, ingest
from rag.model import ModelClient
from rag.sources import FileReport, KnowledgeFolderError
from store.errors import StoreError, StoreMisconfigured
from store.opening import open_store

DONE, LATER, MISCONFIGURED = 0, 1, 2
_KEPT = "Tidak ada yang diubah; pengetahuan yang lama tetap dipakai."
_RESUMABLE = "Pengetahuan yang lama tetap dipakai; jalankan perintah yang sama lagi untuk melanjutkan."


class _Refused(Exception):
    """The run ended without a result; ``code`` is the process's exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        report = asyncio.run(_run(options))
    except _Refused as refused:
        _complain(str(refused), as_json=options.jsonl)
        return refused.code
    except KeyboardInterrupt:
        kept = _RESUMABLE if options.reembed else _KEPT
        _complain(f"Dihentikan. {kept}", as_json=options.jsonl)
        return LATER
    if options.jsonl:
        _print_json(report)
    else:
        _print_report(report, quiet=options.quiet, reembed=options.reembed)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag.ingest", description="Membaca folder pengetahuan toko ke dalam ingatan bot."
    )
    parser.add_argument(
        "data_dir", nargs="?", type=Path, metavar="DATA_DIR", help="folder pengetahuan (bawaan: DATA_DIR)"
    )
    parser.add_argument(
        "--reembed",
        action="store_true",
        help="hitung ulang semua vektor (pengetahuan dan percakapan) dengan EMBEDDING_MODEL yang sekarang",
    )
    parser.add_argument("--quiet", action="store_true", help="hanya masalah yang ditampilkan")
    parser.add_argument("--jsonl", action="store_true", help="laporan sebagai baris JSON, untuk program lain")
    return parser


async def _run(options: argparse.Namespace) -> IngestReport:
    try:
        settings = Settings.load()
    except ConfigError as exc:
        raise _Refused(MISCONFIGURED, f"Pengaturan belum benar:\n{exc}") from exc
    # The report is for the owner; the libraries' chatter about each request is not.
    logging.configure(dataclasses.replace(settings.log, level="WARNING"), settings.secrets)
    if options.reembed and settings.model.embedding_model is None:
        raise _Refused(
            MISCONFIGURED, "EMBEDDING_MODEL kosong, jadi tidak ada vektor untuk dihitung; isi dulu modelnya."
        )
    # Turns are moved batch by batch, so a broken-off --reembed has changed something.
    kept = _RESUMABLE if options.reembed else _KEPT
    with _translated(kept), _progress(quiet=options.quiet or options.jsonl) as on_progress:
        store = await open_store(settings)
        try:
            async with ModelClient(settings.model) as model:
                return await ingest(
                    store,
                    options.data_dir or settings.data_dir,
                    model.embedder,
                    reembed=options.reembed,
                    on_progress=on_progress,
                )
        finally:
            await store.close()


@contextlib.contextmanager
def _translated(kept: str) -> Iterator[None]:
    """What went wrong, what became of the knowledge, and what to do, in the owner's language."""
    try:
        yield
    except KnowledgeFolderError as exc:
        raise _Refused(MISCONFIGURED, f"{exc}\n{kept}") from exc
    except ModelMisconfigured as exc:
        text = f"Model embedding menolak permintaan: {exc}\n{kept} Betulkan .env lalu jalankan lagi."
        raise _Refused(MISCONFIGURED, text) from exc
    except ModelError as exc:
        text = f"Model embedding tidak bisa dipakai sekarang: {exc}\n{kept} Coba lagi sebentar."
        raise _Refused(LATER, text) from exc
    except StoreMisconfigured as exc:
        raise _Refused(MISCONFIGURED, f"Database belum bisa dipakai: {exc}\n{kept}") from exc
    except StoreError as exc:
        text = f"Database sedang tidak bisa dipakai: {exc}\n{kept} Coba lagi sebentar."
        raise _Refused(LATER, text) from exc


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[OnProgress]:
    """A bar on a terminal, now and then a line elsewhere, nothing when quiet."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _bar() as on_progress:
            yield on_progress
    else:
        yield _Lines()


@contextlib.contextmanager
def _bar() -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(f"Menghitung vektor {progress.stage}")
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total)

        yield show


class _Lines:
    """One line at every tenth of the way."""

    def __init__(self) -> None:
        self._last = ("", -1)

    def __call__(self, progress: Progress) -> None:
        tenth = (progress.stage, 10 * progress.done // progress.total)
        if tenth != self._last:
            self._last = tenth
            print(
                f"Menghitung vektor {progress.stage}: {progress.done} dari {progress.total}",
                file=sys.stderr,
                flush=True,
            )


def _print_report(report: IngestReport, *, quiet: bool, reembed: bool) -> None:
    for file in report.files:
        if not quiet:
            print(f"{file.path}: {file.taken} potongan diambil")
        for problem in file.problems:
            print(f"{file.path}: {problem}", file=sys.stderr)
    for path in report.kept_files:
        print(f"{path}: belum terbaca, jadi isi lamanya tetap dipakai.", file=sys.stderr)
    if quiet:
        return
    print(_summary(report))
    if reembed:
        print(
            f"{report.embedded_turns} percakapan dihitung ulang. "
            "Jalankan ulang bot supaya memakai model yang baru."
        )


def _summary(report: IngestReport) -> str:
    found = report.generation
    if not (found.added or found.changed or found.removed):
        return f"Tidak ada yang berubah ({found.unchanged} potongan)."
    return (
        f"Selesai: {found.added} baru, {found.changed} berubah, {found.removed} dihapus, "
        f"{found.unchanged} tetap; {report.embedded} vektor dihitung ({report.tokens} token)."
    )


def _print_json(report: IngestReport) -> None:
    for file in report.files:
        _line(_file_entry(file, kept=file.path in report.kept_files))
    _line(
        {
            "event": "done",
            **dataclasses.asdict(report.generation),
            "embedded": report.embedded,
            "embedded_turns": report.embedded_turns,
            "tokens": report.tokens,
        }
    )


def _file_entry(file: FileReport, *, kept: bool) -> dict[str, object]:
    return {"event": "file", "path": file.path, "taken": file.taken, "problems": file.problems, "kept": kept}


def _complain(text: str, *, as_json: bool) -> None:
    if as_json:
        _line({"event": "failed", "reason": text})
    else:
        print(text, file=sys.stderr)


def _line(entry: dict[str, object]) -> None:
    print(json.dumps(entry, ensure_ascii=False))


__all__ = ["ingest", "main"]

if __name__ == "__main__":
    sys.exit(main())
