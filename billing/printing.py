"""Makes an invoice's PDF in a short-lived process, so that this one never loads the library."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_PROJECT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 20.0
# At once: each takes a tenth of a second of a core and 60 MB while it lasts.
MOST_PROCESSES = 2
# A customer opens his invoice several times within minutes; nobody opens one of last year.
KEPT = 16
_LARGEST_PDF = 8 << 20


class CannotPrint(Exception):
    """There is no document, perhaps the next time; the text says why and holds nothing of the content."""


class Printer:
    """``print`` gives the PDF of a stored content; the last few are kept in memory.

    On disk nothing is kept: the content is there already, and a customer who is deleted stays deleted.
    """

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._free = asyncio.Semaphore(MOST_PROCESSES)

    async def print(self, body: Mapping[str, Any]) -> bytes:
        """The document. Raises ``CannotPrint`` when it takes too long or the content is none."""
        written = json.dumps(_with_whole_path(body), ensure_ascii=False, sort_keys=True).encode()
        name = hashlib.sha256(written).digest()
        async with self._free:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
            made = await self._made(written)
        self._kept[name] = made
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return made

    async def _made(self, written: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "billing.invoice_pdf"),
            cwd=_PROJECT,
            # This process holds keys, and that one has no use for any of it.
            env={},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            made, said = await asyncio.wait_for(process.communicate(written), self._timeout_s)
        except TimeoutError as exc:
            raise CannotPrint(f"the document was not made within {self._timeout_s:.0f} s") from exc
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0 or not made.startswith(b"%PDF-") or len(made) > _LARGEST_PDF:
            reason = said.decode(errors="replace").strip().splitlines()
            log.error("invoice_not_printed", code=process.returncode, reason=reason[-1:] or [""])
            raise CannotPrint(f"the document could not be made (exit code {process.returncode})")
        return made


def _with_whole_path(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content, its logo named from the root: the process that reads it works in another folder."""
    shop = body.get("shop")
    if not isinstance(shop, Mapping) or not shop.get("logo"):
        return body
    return {**body, "shop": {**shop, "logo": str(Path(str(shop["logo"])).absolute())}}
