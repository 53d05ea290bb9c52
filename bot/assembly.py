"""Wires the bot's parts: what sells, the owner's room, the path of an answer, and what runs behind them."""

from __future__ import annotations

from bot.answer_path import answer_path
from bot.background import background
from bot.channel import Channel
from bot.digest import Digest
from bot.foundation import lay
from bot.intake import IntakeDoor
from bot.patience import Patience
from bot.room.assembly import assemble_room
from bot.running import Running
from bot.selling.shop import sell
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from rag.model import ModelClient
from store.doors import Store
from store.memory.index import MemoryIndex

__all__ = ["Running", "assemble"]


def assemble(
    settings: Settings,
    shop: Shop,
    wording: Wording,
    store: Store,
    model: ModelClient,
    memory: MemoryIndex,
    channel: Channel,
    *,
    intake: IntakeDoor | None = None,
) -> Running:
    """Wire everything that ``channel`` needs behind it; ``intake`` is the door when one is open already."""
    f = lay(settings, shop, wording, store, model, memory, channel, intake or IntakeDoor(store))
    digest = Digest(
        store=store, people=f.people, shop=shop, budget_idr=f.budget.shop_idr, hour=settings.bot.digest_hour
    )
    patience = Patience(
        store=store,
        people=f.people,
        shop=shop,
        configured_mode=f.configured_mode,
        after_s=settings.bot.handoff_note_s,
    )
    selling = sell(settings, shop, wording, store, f.people, transport=f.transport)
    room = assemble_room(f, digest=digest, desk=selling.desk)
    path = answer_path(f, room=room, seller=selling.seller)
    return Running(
        instance=f.instance,
        store=store,
        memory=memory,
        channel=channel,
        intake=f.intake,
        people=f.people,
        owners_room=room,
        digest=digest,
        patience=patience,
        inbox=f.inbox,
        outbox=f.outbox,
        inbox_worker=path.inbox_worker,
        outbox_worker=path.outbox_worker,
        media_worker=path.media_worker,
        media=path.media,
        background=background(f, path, digest=digest, patience=patience),
    )
