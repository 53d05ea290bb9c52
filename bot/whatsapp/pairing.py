"""Shows the code that lets this process into the shop's WhatsApp: in the terminal and as files.

Whoever sees the code can become a device of the shop, so the files are for their owner alone, go away once
the phone accepted, and the code is never written to a log.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path

# WhatsApp shows the first code for 60 s and each following one for 20 s (whatsmeow's qrchan.go).
FIRST_CODE_S = 60.0
NEXT_CODE_S = 20.0
_HOW_TO_SCAN = (
    "Buka WhatsApp di HP toko > Perangkat tertaut > Tautkan perangkat, lalu pindai kode ini.\n"
    "Kodenya berganti sendiri; kalau gagal, tunggu kode berikutnya."
)
_HOW_TO_TYPE = (
    "Buka WhatsApp di HP toko > Perangkat tertaut > Tautkan perangkat > Tautkan dengan nomor telepon,\n"
    "lalu ketik kode ini: {code}"
)


class PairingFiles:
    """``<account>-pairing.png`` for people and ``.json`` for other processes, in the state folder."""

    def __init__(self, folder: Path, account: str) -> None:
        self._png = folder / f"{account}-pairing.png"
        self._json = folder / f"{account}-pairing.json"
        self._shown = 0
        self._qr: dict[str, str] = {}
        self._typed: dict[str, str] = {}  # the code to type, which stays good while QR codes come and go

    def show_qr(self, text: str) -> None:
        """Put the code into the files and, for a person at a terminal, onto the screen."""
        import segno

        lasts_s = FIRST_CODE_S if self._shown == 0 else NEXT_CODE_S
        self._shown += 1
        code = segno.make_qr(text)
        picture = io.BytesIO()
        code.save(picture, kind="png", scale=8, border=4)
        _replace(self._png, picture.getvalue())
        self._qr = {"qr": text}
        self._tell(lasts_s)
        if sys.stdout.isatty():
            print(_HOW_TO_SCAN)
            code.terminal(out=sys.stdout, compact=True)
            sys.stdout.flush()

    def show_code(self, code: str) -> None:
        """Show the eight characters that a person types into the shop's phone."""
        self._typed = {"code": code}
        self._tell(FIRST_CODE_S)
        if sys.stdout.isatty():
            print(_HOW_TO_TYPE.format(code=code), flush=True)

    def remove(self) -> None:
        """The code is used up, or belongs to an earlier process."""
        for path in (self._png, self._json):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _tell(self, lasts_s: float) -> None:
        told: dict[str, object] = {
            **self._qr,
            **self._typed,
            "expires_ms": int((time.time() + lasts_s) * 1000),
        }
        _replace(self._json, json.dumps(told).encode())


def _replace(path: Path, data: bytes) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    part.replace(path)
