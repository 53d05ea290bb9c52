"""The pairing code that a bot on this machine shows, for the pages and alerts of other processes.

``bot.whatsapp.pairing`` writes the files, readable by their owner only.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """What the bot shows now."""

    qr: str | None  # the text of the QR code
    typed: str | None  # eight characters to type into the phone
    left_s: float  # until the QR code changes; negative when it is late


def json_file(state_dir: Path, account: str) -> Path:
    return state_dir / f"{account}-pairing.json"


def png_file(state_dir: Path, account: str) -> Path:
    return state_dir / f"{account}-pairing.png"


def read(state_dir: Path, account: str) -> Code | None:
    """The code that is shown; None when no code is, or it cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(json_file(state_dir, account).read_bytes())
        return Code(
            qr=found.get("qr"),
            typed=found.get("code"),
            left_s=found["expires_ms"] / 1000 - time.time(),
        )
    return None
