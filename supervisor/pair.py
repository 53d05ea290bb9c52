"""``python -m supervisor pair``: the code that lets the bot into the shop's WhatsApp, in this terminal."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

from config.settings import Settings
from store import pairing_files, standing
from store.doors import Store
from store.opening import open_store
from store.pairing_files import Code

_LOOK_EVERY_S = 1.0
_HOW_TO_SCAN = "Di HP toko: WhatsApp > Perangkat tertaut > Tautkan perangkat, lalu pindai kode ini."
_HOW_TO_TYPE = "Atau pilih Tautkan dengan nomor telepon, lalu ketik: "
DONE, NOT_DONE = 0, 1


async def pair(settings: Settings, *, wait_s: float, show: Callable[[str], None] = print) -> int:
    """Show each code as it comes, until the bot is online; 1 when it is not after ``wait_s``."""
    store = await open_store(settings)
    try:
        async with asyncio.timeout(wait_s):
            return await _follow(settings, store, show)
    except TimeoutError:
        show("Belum berhasil masuk. Apakah botnya jalan? Lihat: sudo balas status")
        return NOT_DONE
    finally:
        await store.close()


async def _follow(settings: Settings, store: Store, show: Callable[[str], None]) -> int:
    shown: Code | None = None
    told_to_wait = False
    while True:
        state = await store.read(lambda c: standing.read(c, settings.account))
        code = pairing_files.read(settings.state_dir, settings.account)
        # An old state may stand there while a new process already shows a code.
        if code is None and state is not None and state.state == "online":
            show("WhatsApp sudah tersambung." if shown is None else "Berhasil masuk. Bot sudah menjawab.")
            return DONE
        if code is None and not told_to_wait:
            show("Menunggu kode dari bot…")
            told_to_wait = True
        if code is not None and (shown is None or (code.qr, code.typed) != (shown.qr, shown.typed)):
            show(picture(code))
            shown = code
        await asyncio.sleep(_LOOK_EVERY_S)


def picture(code: Code) -> str:
    """The code for a terminal."""
    import segno

    lines = []
    if code.qr is not None:
        drawn = io.StringIO()
        segno.make_qr(code.qr).terminal(out=drawn, compact=True)
        lines += [_HOW_TO_SCAN, drawn.getvalue()]
    if code.typed is not None:
        lines.append(f"{_HOW_TO_TYPE}{code.typed}")
    return "\n".join(lines)
