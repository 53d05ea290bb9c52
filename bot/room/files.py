"""A file sent to the room (catalogue, FAQ, document): read, shown as a difference, put in place on *ya*."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection

from billing.catalogue import FILE_NAMES, CatalogueItem, find_catalogue, read_catalogue
from billing.rupiah import format_rupiah
from billing.tables import read_table
from bot.channel import IncomingFile, Media
from bot.room import edits
from bot.room.command import Command, Request, Takes
from bot.room.fetching import FileRefused, fetched
from bot.room.parts import RoomParts
from rag.sources import KnowledgeFolderError, read_folder
from rag.sources.chunk import Chunk
from store.edits import Kind, NewEdit

_TABLES = frozenset((".csv", ".xlsx"))
_TAKEN = _TABLES | {".json", ".md", ".txt", ".pdf", ".docx"}
# What the shop's own settings are made of is not changed from a chat.
_REFUSED_NAMES = frozenset(("toko.toml", "kalimat.toml"))
MOST_SHOWN = 6
_MOST_NAME_CHARS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class _Difference:
    """What is to be put in place, and how the owner sees it."""

    edit: NewEdit
    body: str


class Files:
    """Documents in the room. They become the shop's own only when an admin has seen what they change."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        # Without words of its own: whatever stands below the file, the file is what is meant.
        self.commands = (Command(words=("",), act=self.show, prepare=self.read, takes=Takes.MAYBE),)

    async def read(self, request: Request) -> _Difference | str | None:
        file = request.message.file
        if file is None or request.message.kind != Media.DOCUMENT:
            return None
        say = self._p.wording.say
        try:
            name = target_name(file, self._p.data_dir)
            data = await fetched(self._p, request)
            return await asyncio.to_thread(self._difference, name, data)
        except FileRefused as exc:
            return say("admin_berkas_ditolak", berkas=shown_name(file), sebab=str(exc))

    def show(self, connection: Connection, request: Request) -> str | None:
        if isinstance(request.prepared, _Difference):
            edits.show(connection, self._p, request.prepared.edit, request.prepared.body)
            return ""
        return None if request.prepared is None else str(request.prepared)

    def _difference(self, name: str, data: bytes) -> _Difference | str:
        """Blocks: files are read."""
        path = self._p.data_dir / name
        try:
            before = path.read_bytes() if path.exists() else None
        except OSError as exc:
            raise FileRefused(f"{name} yang sekarang tidak bisa dibaca ({exc.strerror})") from exc
        if before == data:
            return self._p.wording.say("admin_berkas_sama", berkas=name)
        is_catalogue = name.lower() in FILE_NAMES
        lines = _items_difference(path, data) if is_catalogue else _chunks_difference(path, data)
        return _Difference(
            edit=NewEdit(account=self._p.account, kind=Kind.FILE, target=name, before=before, after=data),
            body=self._p.wording.say("admin_ubah_berkas", berkas=name, beda="\n".join(lines)),
        )


def shown_name(file: IncomingFile) -> str:
    """The name as its sender wrote it, in one line."""
    return " ".join(file.filename.split())[:_MOST_NAME_CHARS] or "tanpa nama"


def target_name(file: IncomingFile, data_dir: Path) -> str:
    """Under which name the file belongs into the folder. Raises ``FileRefused``."""
    # A sender names his file as he likes; nothing of it may lead out of the folder or hide there.
    written = PurePosixPath(file.filename.replace("\\", "/")).name
    stem, suffix = Path(written).stem, Path(written).suffix.lower()
    name = re.sub(r"[^\w() -]+", "-", stem).strip(" -")[:_MOST_NAME_CHARS]
    if suffix not in _TAKEN:
        raise FileRefused("yang bisa kubaca: .xlsx, .csv, .json, .md, .txt, .pdf dan .docx")
    if not name or f"{name}{suffix}".lower() in _REFUSED_NAMES:
        raise FileRefused("namanya tidak bisa dipakai; ganti nama berkasnya")
    if suffix not in _TABLES:
        return f"{name}{suffix}"
    # A table is the catalogue, whatever it is called; the one that counts now says which of the two it is.
    current, _ = find_catalogue(data_dir)
    if current is not None and current.suffix.lower() != suffix:
        raise FileRefused(f"katalog yang dipakai sekarang {current.name}; kirim sebagai {current.suffix}")
    return current.name if current is not None else f"katalog{suffix}"


def _items_difference(path: Path, data: bytes) -> list[str]:
    """What changes in the catalogue, a line each. Raises ``FileRefused`` when a row of it cannot be used."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(data)
        after, rows = read_catalogue(copy), len(read_table(copy).rows) - 1
    if not after.items or len(after.items) < rows:
        # A row that is left out (a price of 0, a code twice) would silently be gone from the shop.
        raise FileRefused("\n".join(["ada yang harus dibetulkan dulu:", *_few(after.problems)]))
    before = read_catalogue(path).items if path.exists() else ()
    old, new = {item.code: item for item in before}, {item.code: item for item in after.items}
    lines = [
        f"➕ {item.name} ({code}) {format_rupiah(item.price_idr)}"
        for code, item in new.items()
        if code not in old
    ]
    lines += [f"➖ {item.name} ({code})" for code, item in old.items() if code not in new]
    lines += [line for code, item in new.items() if code in old for line in _changes(old[code], item)]
    return [*(_few(lines) or ["Isinya sama, hanya tulisannya yang berbeda."]), *_few(after.problems)]


def _changes(old: CatalogueItem, new: CatalogueItem) -> list[str]:
    if old.price_idr != new.price_idr:
        return [f"✏️ {new.name} ({new.code}) {format_rupiah(old.price_idr)} → {format_rupiah(new.price_idr)}"]
    # The row's place in the file says nothing about the thing.
    same = replace(old, row=new.row) == new
    return [] if same else [f"✏️ {new.name} ({new.code}) keterangan atau stok berubah"]


def _chunks_difference(path: Path, data: bytes) -> list[str]:
    """What changes in a FAQ or a document, by its passages. Raises ``FileRefused``."""
    after, problems = _passages(path.name, data)
    if not after:
        raise FileRefused("\n".join(["tidak ada isi yang terbaca", *_few(problems)]))
    before, _ = _passages(path.name, path.read_bytes()) if path.exists() else ({}, [])
    added = [chunk for id_, chunk in after.items() if id_ not in before]
    changed = [
        chunk
        for id_, chunk in after.items()
        if id_ in before and chunk.content_hash != before[id_].content_hash
    ]
    removed = [chunk for id_, chunk in before.items() if id_ not in after]
    lines = [f"➕ {_title(chunk)}" for chunk in added] + [f"✏️ {_title(chunk)}" for chunk in changed]
    lines += [f"➖ {_title(chunk)}" for chunk in removed]
    return [*(_few(lines) or ["Isinya sama, hanya tulisannya yang berbeda."]), *_few(problems)]


def _passages(name: str, data: bytes) -> tuple[dict[str, Chunk], list[str]]:
    """The file's passages by their ids, as the shop's folder would give them, and what is wrong with it."""
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / name).write_bytes(data)
        reading = read_folder(folder)
    except KnowledgeFolderError as exc:
        return {}, [str(exc)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {chunk.id: chunk for chunk in reading.chunks}, reading.problems


def _title(chunk: Chunk) -> str:
    return " ".join(chunk.title.split())[:_MOST_NAME_CHARS]


def _few(lines: list[str] | tuple[str, ...]) -> list[str]:
    """The first of them, and how many more there are."""
    shown = list(lines[:MOST_SHOWN])
    return shown + ([f"… dan {len(lines) - MOST_SHOWN} lainnya"] if len(lines) > MOST_SHOWN else [])
