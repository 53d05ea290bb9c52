"""The bot as the page shows it: its processes, how it stands, its memory, and its pairing code."""

from __future__ import annotations

import asyncio
import io
from typing import Any

from bot.exits import EXIT_AGAIN, EXIT_MISCONFIGURED, EXIT_OK
from config.memory import MemoryKind
from sandbox.phone.diary import Diary
from sandbox.phone.keeper import Keeper
from sandbox.phone.live import Live
from sandbox.phone.stage import Mistaken
from sandbox.phone.standing import Lookout, Standing
from sandbox.whatsapp.server import WhatsAppServer

_LOOK_EVERY_S = 0.2
_ENDINGS = {
    EXIT_OK: "Proses bot selesai (0).",
    EXIT_MISCONFIGURED: "Proses bot berhenti (78): harus dibetulkan orang dulu.",
    EXIT_AGAIN: "Proses bot berakhir (75) dan dimulai lagi.",
}
# What the diary says when the bot's state becomes this one.
_NEWS = {
    "pairing": "Bot menampilkan kode QR.",
    "connecting": "Bot sedang menyambung.",
    "online": "Bot terhubung.",
    "degraded": "WhatsApp tidak menjawab bot.",
    "banned": "Bot tahu nomornya diblokir dan menunggu.",
    "logged_out": "Bot tahu ia dikeluarkan.",
}


class Bot:
    """Looks at the bot from outside and tells the pages when something changed."""

    def __init__(
        self,
        keeper: Keeper,
        paying: Keeper,
        lookout: Lookout,
        server: WhatsAppServer,
        live: Live,
        diary: Diary,
        *,
        memory: MemoryKind,
    ) -> None:
        self._keeper = keeper
        self.paying = paying
        self._memory = memory
        self._lookout = lookout
        self._server = server
        self._live = live
        self._diary = diary
        self._shown: dict[str, Any] = {}
        self._qr = ""

    @property
    def shown(self) -> dict[str, Any]:
        return self._shown

    async def watch(self) -> None:
        """Look again and again; never returns."""
        while True:
            self._take(self._lookout.look())
            await asyncio.sleep(_LOOK_EVERY_S)

    def _take(self, now: Standing) -> None:
        before = self._shown.get("state")
        if now.since_ms < self._keeper.started_ms:
            # An earlier process wrote it, which may have had no chance to write its end.
            now = Standing(qr=now.qr, is_memory_away=now.is_memory_away)
        shown = {
            "state": now.state,
            "detail": now.detail,
            "since_ms": now.since_ms,
            "until_ms": now.until_ms,
            "code": hash(now.qr) if now.qr else 0,
            "life": str(self._keeper.life),
            "starts": self._keeper.starts,
            "linked": bool(self._server.network.companions),
            "memory": self._memory.value,
            # A memory of its own is never away.
            "memory_away": now.is_memory_away and self._memory is MemoryKind.WEAVIATE,
            "payments": str(self.paying.life),
        }
        self._qr = now.qr
        if shown == self._shown:
            return
        if shown["memory_away"] is not self._shown.get("memory_away", False):
            away = shown["memory_away"]
            self._diary.write("Weaviate mati; bot mencari sendiri." if away else "Weaviate hidup lagi.")
        self._shown = shown
        if now.state != before and now.state in _NEWS:
            self._diary.write(_NEWS[now.state])
        self._live.tell("bot", bot=shown)

    def ended(self, code: int) -> None:
        """The process ended by itself, or was killed."""
        reason = f"oleh sinyal {-code}" if code < 0 else f"dengan kode {code}"
        self._diary.write(_ENDINGS.get(code, f"Proses bot berakhir {reason} dan dimulai lagi."))

    async def scan(self) -> None:
        """Scan the code that is shown with the shop's phone. Raises Mistaken, PairingRefused."""
        if not self._qr:
            raise Mistaken("Belum ada kode; tunggu sebentar.")
        await self._server.owner.scan(self._qr)
        self._diary.write("HP toko memindai kode: bot tertaut.")

    def kill(self) -> None:
        """End the process without a chance to clean up."""
        if not self._keeper.pid:
            raise Mistaken("Proses bot sedang tidak ada.")
        self._diary.write("Proses bot dimatikan paksa (kill -9).")
        self._keeper.kill()

    def start_again(self) -> None:
        self._keeper.start_again()

    def picture(self) -> bytes | None:
        """The code as an SVG picture; None while none is shown."""
        if not self._qr:
            return None
        import segno

        made = io.BytesIO()
        segno.make_qr(self._qr).save(made, kind="svg", border=2, scale=4, dark="#0b141a", xmldecl=False)
        return made.getvalue()
