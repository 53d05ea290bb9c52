"""How the bot stands, looked at from outside: the shop's database, and the file with the pairing code."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

_BUSY_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the bot's process wrote down last; empty while it has written nothing."""

    state: str = ""
    detail: str = ""
    since_ms: int = 0
    until_ms: int | None = None
    # The text of the code that is shown now; empty while none is.
    qr: str = ""
    # The bot searches by itself, because the server of its memory is away.
    is_memory_away: bool = False


class Lookout:
    """Reads one account's standing. Each look opens the files anew: the bot replaces them as it likes."""

    def __init__(self, folder: Path, account: str) -> None:
        self._database = folder / "balas.db"
        self._code = folder / f"{account}-pairing.json"
        self._key = f"channel:{account}"
        self._alert = f"memory:{account}"  # what the bot tells its owner, and takes back
        self._last: dict[str, object] = {}
        self._is_memory_away = False

    def look(self) -> Standing:
        """The standing now; takes well under a millisecond."""
        told = self._told()
        until_ms = told.get("until_ms")
        return Standing(
            state=str(told.get("state", "")),
            detail=str(told.get("detail", "")),
            since_ms=int(str(told.get("since_ms", 0))),
            until_ms=until_ms if isinstance(until_ms, int) else None,
            qr=self._qr(),
            is_memory_away=self._is_memory_away,
        )

    def _told(self) -> dict[str, object]:
        try:
            connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=_BUSY_S)
        except sqlite3.OperationalError:
            return self._last  # There is no database yet.
        try:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (self._key,)).fetchone()
            active = "SELECT 1 FROM alerts WHERE fingerprint = ? AND recovered_ms IS NULL"
            self._is_memory_away = connection.execute(active, (self._alert,)).fetchone() is not None
        except sqlite3.OperationalError:
            return self._last  # It is being made, or busy: the next look finds it.
        finally:
            connection.close()
        self._last = {} if row is None else dict(json.loads(row[0]))
        return self._last

    def _qr(self) -> str:
        try:
            return str(json.loads(self._code.read_bytes()).get("qr", ""))
        except (OSError, ValueError):
            return ""
