"""Paying in the demo: the stand-ins of Midtrans and Starsender, and the payment process between them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from billing.rupiah import format_rupiah
from bot.exits import EXIT_MISCONFIGURED, EXIT_OK
from config.redaction import mask_phone
from sandbox.midtrans import MidtransServer
from sandbox.midtrans.transaction import Transaction
from sandbox.phone.diary import Diary
from sandbox.phone.keeper import Keeper
from sandbox.ports import free_port
from sandbox.starsender import Sent, StarsenderServer
from sandbox.starsender.phones import onto_phones
from sandbox.whatsapp.server import WhatsAppServer

COMMAND = ("run_webhooks.py",)
# Another number than the shop's, as Starsender's customers often have it.
STARSENDER_NUMBER = "6281190000003"
# Midtrans tries a lost notification again after so many of its minutes; nobody watches a demo for hours.
_MINUTE_S = 1.0
_ENDED = {
    EXIT_OK: "Proses pembayaran selesai (0).",
    EXIT_MISCONFIGURED: "Proses pembayaran berhenti (78): lihat webhooks.log.",
}
_NEWS = {
    "pending": "menunggu dibayar",
    "settlement": "dibayar",
    "capture": "dibayar",
    "deny": "ditolak bank",
    "expire": "kedaluwarsa",
    "cancel": "dibatalkan",
    "refund": "dikembalikan",
}


@dataclass(frozen=True, kw_only=True)
class Payments:
    """What runs; ``environment`` is what both of the product's processes are started with."""

    midtrans: MidtransServer
    starsender: StarsenderServer
    environment: dict[str, str]


@contextlib.asynccontextmanager
async def payments(server: WhatsAppServer, diary: Diary, *, shop_name: str) -> AsyncIterator[Payments]:
    """The stand-ins; the payment process has its address, and is started by ``processing``."""

    async def deliver(sent: Sent) -> None:
        what = f"berkas {sent.name}" if sent.file else "pesan"
        diary.write(f"Starsender mengirim {what} ke {mask_phone(sent.to)}.")
        await onto(sent)

    onto = onto_phones(server, number=STARSENDER_NUMBER)
    # Midtrans must know it before the process is there to take it.
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    async with (
        MidtransServer(
            merchant_name=shop_name, minute_s=_MINUTE_S, notify_url=f"{public}/midtrans/notification"
        ) as midtrans,
        StarsenderServer(number=STARSENDER_NUMBER, deliver=deliver) as starsender,
    ):

        def watch(transaction: Transaction) -> None:
            diary.write(_told(transaction))
            if transaction.is_direct and transaction.status == "pending":
                # Its picture is in the chat, and here is no other phone to scan it with.
                diary.write(
                    f"QRIS {transaction.order_id} bisa dibayar di {midtrans.page_of(transaction.order_id)}"
                )

        midtrans.desk.watchers.append(watch)
        here = {"PUBLIC_URL": public, "WEBHOOKS_HOST": "127.0.0.1", "WEBHOOKS_PORT": str(port)}
        yield Payments(
            midtrans=midtrans,
            starsender=starsender,
            environment={**midtrans.environment, **starsender.environment, **here},
        )


def process(environment: Mapping[str, str], diary: Diary, *, log: Path) -> Keeper:
    """Who keeps the payment process alive, once ``processing`` lets him."""

    def ended(code: int) -> None:
        diary.write(_ENDED.get(code, f"Proses pembayaran berakhir ({code}) dan dimulai lagi."))

    return Keeper(COMMAND, environment=environment, log=log, on_end=ended)


@contextlib.asynccontextmanager
async def processing(keeper: Keeper) -> AsyncIterator[asyncio.Task[None]]:
    """The payment process, kept alive for as long as the block runs; gives the task that does it."""
    task = asyncio.create_task(keeper.run(), name="webhooks-keeper")
    try:
        yield task
    finally:
        await keeper.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _told(transaction: Transaction) -> str:
    news = _NEWS.get(transaction.status, transaction.status)
    method = "" if transaction.method is None else f", {transaction.method.label}"
    return f"Midtrans: {transaction.order_id} {news} ({format_rupiah(transaction.charged_idr)}{method})."
