"""The session file: whatsmeow's own SQLite database with every key of the shop's WhatsApp login.

Who has it can read and write as the shop. It is looked at before Go opens it, because Go would make a new
one in its place, or create it readable to everybody.
"""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import quote

import pysqlite3

from bot.whatsapp.errors import unusable

# Rides behind the path into whatsmeow's address of the database, which is `file:{name}?_foreign_keys=on`.
# The last option takes in what neonize appends.
_OPTIONS = "?_foreign_keys=on&_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate&_z=1"
# These would end the path, or be read as an escape, inside that address.
_FORBIDDEN = frozenset("#%?&")
_LOCK_TIMEOUT_S = 2.0


def address(path: Path) -> str:
    """The name to give neonize for this file. Raises SessionUnusable for a path that it cannot open."""
    if found := sorted(_FORBIDDEN.intersection(str(path))):
        raise unusable(
            f"the session's path {path} has {' '.join(found)} in it, which the library cannot open; "
            "set STATE_DIR to a folder without it"
        )
    return f"{path}{_OPTIONS}"


def check(path: Path, *, number: str | None) -> str | None:
    """The phone number that the file is logged in as, None when it is not logged in or does not exist yet.

    ``number`` is the one that the settings expect. Raises SessionUnusable when the file must not be used.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_IMODE(mode) & 0o077:
        raise unusable(
            f"others on this machine can read {path}, which holds the keys of the shop's WhatsApp; "
            f"chmod 600 {path}, and if you don't trust them, log this device out on the phone"
        )
    if path.stat().st_size == 0:
        return None
    found = _logged_in_as(path)
    if found is not None and number is not None and found != number:
        raise unusable(
            f"{path} is the session of the number …{found[-4:]}, but WHATSAPP_NUMBER ends in {number[-4:]}; "
            "correct the setting, or move the file away to log in anew"
        )
    return found


def _logged_in_as(path: Path) -> str | None:
    try:
        # Read-only: a damaged file must stay as it is for whoever repairs it.
        connection = pysqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=_LOCK_TIMEOUT_S)
    except pysqlite3.Error as exc:
        raise unusable(f"{path} cannot be opened ({exc}); check its rights and the disk") from exc
    try:
        # Taking the write lock shows whether another program works with the file; it writes nothing.
        connection.execute("BEGIN IMMEDIATE")
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise unusable(_damaged(path, problem))
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'whatsmeow_device'").fetchone()
        row = connection.execute("SELECT jid FROM whatsmeow_device").fetchone() if known else None
        connection.rollback()
    except pysqlite3.OperationalError as exc:
        if "locked" in str(exc) or "busy" in str(exc):
            raise unusable(f"another program has {path} open and writes to it; stop that one first") from exc
        raise unusable(f"{path} cannot be used ({exc}); check its rights and the disk") from exc
    except pysqlite3.DatabaseError as exc:
        raise unusable(_damaged(path, exc)) from exc
    finally:
        connection.close()
    # "62812…:7@s.whatsapp.net": the number, and which of its devices we are.
    return None if row is None else str(row[0]).partition("@")[0].partition(":")[0].partition(".")[0]


def _damaged(path: Path, problem: object) -> str:
    return (
        f"{path} is damaged ({problem}); restore it from a backup, or move it away and scan the code anew "
        "(it is not overwritten)"
    )
