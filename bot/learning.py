"""What the owner taught the bot in the chat, as a file in the knowledge folder that he can read and edit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.replacing import replace

FILE_NAME = "faq_belajar.json"


class LearningError(Exception):
    """The entry could not be written; the text tells the owner what to do."""


def entry_id(handoff_id: int) -> str:
    """The id of the entry that is learnt from the answer to this handoff."""
    return f"belajar-{handoff_id}"


def questions(data_dir: Path, ids: Sequence[str]) -> dict[str, str]:
    """Those of the entries that are (still) in the file, each with its question."""
    path = data_dir / FILE_NAME
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig")) if path.exists() else []
    except (OSError, ValueError, RecursionError):
        # It may hold any of them; the owner is to look himself.
        return dict.fromkeys(ids, "(berkasnya tidak bisa dibaca)")
    found = {entry.get("id"): str(entry.get("question", "")) for entry in entries if isinstance(entry, dict)}
    return {wanted: found[wanted] for wanted in ids if wanted in found}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry as it is stored."""

    id: str
    question: str
    answer: str


def learn(data_dir: Path, *, entry_id: str, question: str, answer: str) -> None:
    """Add (or replace) one FAQ entry; the watched folder publishes it. Raises ``LearningError``.

    The file is replaced as a whole, so a crash leaves the old one or the new one, never half of one.
    """
    learn_all(data_dir, [Entry(id=entry_id, question=question, answer=answer)])


def learn_all(data_dir: Path, learnt: Sequence[Entry]) -> None:
    """Add (or replace) these entries, all or none. Raises ``LearningError``."""
    if not learnt:
        return
    path = data_dir / FILE_NAME
    entries = _entries(path)
    for entry in learnt:
        entries = _without(entries, entry.id)
    _write(path, [*entries, *(asdict(entry) for entry in learnt)])


def unlearn(data_dir: Path, *, entry_id: str) -> bool:
    """Take the entry out again; False when it is not there (any more). Raises ``LearningError``."""
    path = data_dir / FILE_NAME
    entries = _entries(path)
    kept = _without(entries, entry_id)
    if len(kept) == len(entries):
        return False
    _write(path, kept)
    return True


def _entries(path: Path) -> list[object]:
    try:
        # Windows' editors begin a file with a byte order mark.
        entries = json.loads(path.read_text(encoding="utf-8-sig")) if path.exists() else []
    except (OSError, ValueError, RecursionError) as exc:
        raise LearningError(
            f"{path.name} tidak bisa dibaca sebagai JSON; perbaiki atau ganti namanya, lalu balas *ya* lagi"
        ) from exc
    if not isinstance(entries, list):
        raise LearningError(
            f"{path.name} harus berisi daftar; perbaiki atau ganti namanya, lalu balas *ya* lagi"
        )
    return entries


def _without(entries: Sequence[object], entry_id: str) -> list[object]:
    return [other for other in entries if not (isinstance(other, dict) and other.get("id") == entry_id)]


def _write(path: Path, entries: Sequence[object]) -> None:
    try:
        replace(path, (json.dumps(list(entries), ensure_ascii=False, indent=2) + "\n").encode())
    except OSError as exc:
        raise LearningError(
            f"{path.name} tidak bisa ditulis ({exc.strerror}); periksa izin folder data"
        ) from exc
