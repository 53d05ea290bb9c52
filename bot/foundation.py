"""What every part of one shop's bot is built on."""

from __future__ import annotations

from dataclasses import dataclass

from bot.channel import Channel
from bot.intake import IntakeDoor
from bot.people import People, RoomAddress
from bot.timers import Timers
from config.settings import Mode, Settings
from config.shop import Shop
from config.wording import Wording
from rag.answering import Answerer
from rag.model import ModelClient
from store import owners
from store.doors import Store
from store.media_files import MediaFiles
from store.memory.index import MemoryIndex
from store.queue import Queue, inbox_queue, outbox_queue
from store.usage import Budget


@dataclass(frozen=True, kw_only=True, slots=True)
class Foundation:
    """Concrete parts that several others share; there is one of each in a process."""

    instance: str  # this process in the table of owners
    settings: Settings
    shop: Shop
    wording: Wording
    store: Store
    model: ModelClient
    memory: MemoryIndex
    channel: Channel
    intake: IntakeDoor
    inbox: Queue
    outbox: Queue
    people: People
    answerer: Answerer
    budget: Budget
    files: MediaFiles
    timers: Timers
    configured_mode: Mode  # of the shop, until its owner says another

    @property
    def account(self) -> str:
        return self.settings.account

    @property
    def transport(self) -> str:
        return self.channel.traits.transport


def lay(
    settings: Settings,
    shop: Shop,
    wording: Wording,
    store: Store,
    model: ModelClient,
    memory: MemoryIndex,
    channel: Channel,
    intake: IntakeDoor,
) -> Foundation:
    """Everything that needs nothing but what the process has opened."""
    account, bot, transport = settings.account, settings.bot, channel.traits.transport
    room = RoomAddress(account=account, transport=transport, chat=channel.traits.admin_room or bot.admin_room)
    return Foundation(
        instance=owners.new_instance_id("bot"),
        settings=settings,
        shop=shop,
        wording=wording,
        store=store,
        model=model,
        memory=memory,
        channel=channel,
        intake=intake,
        inbox=inbox_queue(account),
        outbox=outbox_queue(account, transport),
        people=People(room=room, shop=shop, wording=wording, remind_after_s=bot.handoff_reminder_s),
        answerer=Answerer(memory=memory, model=model, settings=settings.model, shop=shop),
        budget=Budget(
            shop_idr=settings.model.daily_budget_idr,
            customer_idr=settings.model.customer_daily_budget_idr,
            customer_answers=settings.model.customer_daily_answers,
        ),
        files=MediaFiles(settings.state_dir),
        timers=Timers(account=account, store=store),
        configured_mode=bot.mode or channel.traits.first_mode,
    )
