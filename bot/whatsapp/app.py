"""Builds the WhatsApp channel of this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import structlog

from bot import standing
from bot.channel import Channel
from bot.whatsapp import library
from bot.whatsapp.channel import WhatsAppChannel
from bot.whatsapp.machine import Standing
from config.settings import Settings
from config.shop import Shop
from store.doors import Store
from store.errors import StoreError

log = structlog.get_logger(__name__)


def whatsapp_channel(
    shop: Shop, store: Store, *, settings: Settings, reclaim_logging: Callable[[], None]
) -> Channel:
    """The channel, neonize loaded. Build it on the event loop's thread. Raises ConfigError."""
    neonize = library.load(reclaim_logging)
    library.silence_go_stdout()

    async def tell(now: Standing) -> None:
        try:
            await store.write(
                lambda c: standing.write(
                    c, settings.account, state=now.state, detail=now.detail, until_ms=now.until_ms
                )
            )
        except StoreError as exc:
            # The next state is written again; nothing hangs on a single one.
            log.warning("state_not_written", state=now.state.value, reason=str(exc))

    def outage(seconds: float) -> None:
        log.error("database_was_away", seconds=round(seconds, 1))
        with contextlib.suppress(StoreError):
            store.record(lambda c: standing.note_outage(c, settings.account, seconds))

    return WhatsAppChannel(
        neonize,
        settings.whatsapp,
        account=settings.account,
        room=settings.bot.admin_room,
        folder=settings.state_dir,
        tell=tell,
        outage=outage,
    )
