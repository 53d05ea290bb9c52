"""Builds the WhatsApp channel of this process."""

from __future__ import annotations

from collections.abc import Callable

from bot.channel import Channel
from bot.whatsapp import library
from bot.whatsapp.channel import WhatsAppChannel
from bot.whatsapp.notes import StoredNotes
from config.settings import Settings
from config.shop import Shop
from store.doors import Store


def whatsapp_channel(
    shop: Shop, store: Store, *, settings: Settings, reclaim_logging: Callable[[], None]
) -> Channel:
    """The channel, neonize loaded. Build it on the event loop's thread. Raises ConfigError."""
    neonize = library.load(reclaim_logging)
    library.silence_go_stdout()
    return WhatsAppChannel(
        neonize,
        settings.whatsapp,
        account=settings.account,
        room=settings.bot.admin_room,
        folder=settings.state_dir,
        notes=StoredNotes(store=store, account=settings.account, pause_s=settings.bot.human_pause_s),
    )
