"""What goes wrong on command, and how it is put right again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sandbox.faults import Mode
from sandbox.phone.diary import Diary
from sandbox.phone.live import Live
from sandbox.phone.payments import Payments
from sandbox.phone.stage import Mistaken, Stage
from sandbox.whatsapp.server import WhatsAppServer

BAN_S = 60
# WhatsApp's answer to a login of a banned number, and its reason "blocked by too many people".
_BANNED, _BAN_CODE = 402, 102


class Trouble:
    """The switches of the fault panel."""

    def __init__(
        self, server: WhatsAppServer, stage: Stage, live: Live, diary: Diary, payments: Payments
    ) -> None:
        self._server = server
        self._payments = payments
        self._stage = stage
        self._live = live
        self._diary = diary
        self._banned_until_ms = 0
        self._pardon: asyncio.TimerHandle | None = None
        self._is_down = False
        self._is_starsender_down = False
        self._is_midtrans_down = False

    @property
    def shown(self) -> dict[str, Any]:
        return {
            "down": self._is_down,
            "frozen": not self._server.faults.flowing.is_set(),
            "banned_until_ms": self._banned_until_ms,
            "doubling": self._stage.is_doubling,
            "starsender": self._is_starsender_down,
            "midtrans": self._is_midtrans_down,
        }

    def tell(self) -> None:
        self._live.tell("trouble", trouble=self.shown)

    async def drop(self) -> None:
        """Break the connections once; clients come back by themselves."""
        self._need_network()
        self._diary.write("Koneksi diputus tanpa pesan. Bot menyambung lagi sendiri.")
        await self._server.drop()

    async def network(self, *, down: bool) -> None:
        """The network goes, or comes back."""
        if down:
            await self._server.stop()
            self._diary.write("Jaringan mati. Pesan pelanggan menunggu di WhatsApp.")
        else:
            await self._server.start()
            self._diary.write("Jaringan hidup lagi.")
        self._is_down = down
        self.tell()

    def freeze(self, *, frozen: bool) -> None:
        """The connection stays open but carries nothing: the nastiest kind of outage."""
        if frozen:
            self._server.freeze()
            self._diary.write("Jaringan beku: tersambung, tapi tidak ada yang lewat.")
        else:
            self._server.thaw()
            self._diary.write("Jaringan cair lagi.")
        self.tell()

    async def log_out(self) -> None:
        """The owner removes the bot under "linked devices"."""
        if not self._server.network.companions:
            raise Mistaken("Belum ada perangkat yang tertaut.")
        self._diary.write("Bot dikeluarkan dari HP toko. Ia mulai lagi dan menampilkan kode baru.")
        await self._server.owner.logout_companion()

    async def ban(self) -> None:
        """WhatsApp keeps the number out for a minute, which is how long the bot waits at least."""
        self._need_network()
        self._server.refuse(_BANNED, times=None, code=str(_BAN_CODE), expire=str(BAN_S))
        self._banned_until_ms = int((time.time() + BAN_S) * 1000)
        if self._pardon is not None:
            self._pardon.cancel()
        # Just before the bot's own clock says so: it tries once, right then.
        self._pardon = asyncio.get_running_loop().call_later(BAN_S - 1, self._end_ban)
        self._diary.write(f"WhatsApp memblokir nomor ini selama {BAN_S} detik.")
        self.tell()
        await self._server.drop()

    def _end_ban(self) -> None:
        self._server.accept()
        self._banned_until_ms = 0
        self._pardon = None
        self._diary.write("Blokir berakhir.")
        self.tell()

    def double(self) -> None:
        """The next message of a customer comes twice, as after a lost acknowledgement."""
        self._stage.is_doubling = True
        self._diary.write("Pesan pelanggan berikutnya diantar dua kali; jawabannya harus satu.")
        self.tell()

    def starsender(self, *, down: bool) -> None:
        """Starsender refuses everything: invoices come from the shop's own chat then."""
        self._payments.starsender.mend()
        if down:
            self._payments.starsender.break_down(Mode.REFUSED)
        self._is_starsender_down = down
        self._diary.write("Starsender mati." if down else "Starsender hidup lagi.")
        self.tell()

    def midtrans(self, *, down: bool) -> None:
        """Midtrans does not answer: what is paid meanwhile is confirmed when it does again."""
        self._payments.midtrans.mend()
        if down:
            self._payments.midtrans.break_down(Mode.BROKEN)
        self._is_midtrans_down = down
        self._diary.write("Midtrans tidak menjawab." if down else "Midtrans menjawab lagi.")
        self.tell()

    def _need_network(self) -> None:
        if self._is_down:
            raise Mistaken("Jaringan sedang mati; hidupkan dulu.")

    def close(self) -> None:
        """Nothing of this lasts longer than the demo; a frozen connection could not even be closed."""
        if self._pardon is not None:
            self._pardon.cancel()
        self._server.thaw()
