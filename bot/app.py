"""The bot process: opens what it needs, runs until something ends it, and stops in order."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from bot import firstrun, stopping
from bot.channel import Channel, Intake
from bot.intake import IntakeDoor
from config import ending, heap
from config.memory import MemoryKind
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store import embedding_space, owners, rooms, usage
from store import queue as queues
from store.doors import Store
from store.media import media_queue
from store.opening import open_store
from store.ownership import owning
from store.queue import inbox_queue, outbox_queue

if TYPE_CHECKING:
    from bot.assembly import Running
    from rag.model import ModelClient
    from store.memory.index import MemoryIndex

log = structlog.get_logger(__name__)

# The store is for what a channel writes down of itself: its state, for other processes.
ChannelFactory = Callable[[Shop, Store], Channel]


async def run(settings: Settings, make_channel: ChannelFactory) -> None:
    """Run the bot until a signal, the channel's end, or the death of one of its tasks.

    Raises ``ConfigError``, ``StoreMisconfigured`` or ``ModelMisconfigured`` when it cannot start, each
    saying what to do; and whatever ended a background task, so that Supervisor starts a new process.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    async with started(settings, make_channel) as bot:
        tasks = {
            asyncio.create_task(work, name=name): name
            for name, work in (bot.background | {"stop-signal": _wait(asked)}).items()
        }
        heap.settled()
        log.info("bot_started", account=settings.account, generation=bot.memory.generation)
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(iter(done))
        if tasks[first] == "channel" and first.exception() is None:
            # The input is over: answer what came in, then end.
            with contextlib.suppress(TimeoutError):
                await bot.settled(None)
        log.info("bot_stopping", cause=tasks[first])
        await stopping.stop(bot, tasks, drain_s=settings.bot.drain_s)
        for task in done:
            # A task that died takes the process with it; the exception says why.
            task.result()


@contextlib.asynccontextmanager
async def started(settings: Settings, make_channel: ChannelFactory) -> AsyncIterator[Running]:
    """Everything built and opened, the channel started; closed in reverse.

    The channel comes right after the store: connecting takes its time, and the libraries that write
    answers are imported meanwhile. What it brings is on disk before anybody is there to answer it.
    """
    heap.keep_small()
    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    wording = Wording.load(settings.data_dir, shop)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(owning(settings))
        store = await open_store(settings)
        stack.push_async_callback(_closed, "store", store.close)
        channel, intake = make_channel(shop, store), IntakeDoor(store)

        async def settled(chat: str) -> None:
            await bot.settled(chat)

        stack.push_async_callback(_closed, "channel", channel.close)
        await firstrun.recall(store, channel, settings.account)
        await channel.start(Intake(account=settings.account, record_all=intake.record_all, settled=settled))
        # On a thread: the loop has a pairing code to show, which does not wait.
        await asyncio.to_thread(importlib.import_module, "bot.assembly")
        from bot.assembly import assemble
        from rag.model import ModelClient

        model = await stack.enter_async_context(ending.opened("model", ModelClient(settings.model)))
        await _check_model(model)
        memory = await _open_memory(settings, store, model)
        stack.push_async_callback(_closed, "memory", memory.close)
        bot = assemble(settings, shop, wording, store, model, memory, channel, intake=intake)
        await _take_over(store, settings.account, bot)
        yield bot


async def _check_model(model: ModelClient) -> None:
    """A refused key or model stops the start; an unreachable one does not: customers get honest answers."""
    from rag.errors import ModelUnavailable

    try:
        await model.check()
    except ModelUnavailable as exc:
        log.warning("model_unreachable", reason=str(exc))


async def _open_memory(settings: Settings, store: Store, model: ModelClient) -> MemoryIndex:
    """The memory that the settings name. A Weaviate server that is away stops nobody; the owner is told."""
    embedder = model.embedder
    model_name, dimensions = (embedder.model, embedder.dimensions) if embedder else (None, None)
    await store.write(lambda c: embedding_space.settle(c, model_name, dimensions))
    memory = _make_memory(settings, store)
    await memory.open()
    return memory


def _make_memory(settings: Settings, store: Store) -> MemoryIndex:
    if settings.memory.kind is MemoryKind.WEAVIATE:
        from store.memory.weaviate.memory import FOLLOW_EVERY_S, WeaviateMemory

        return WeaviateMemory(store, settings.memory, follow_every_s=FOLLOW_EVERY_S)
    from store.memory.embedded import EmbeddedMemory

    return EmbeddedMemory(store)


async def _take_over(store: Store, account: str, bot: Running) -> None:
    """The account is ours alone: whatever an earlier process had in hand is claimable again."""

    def take_over(connection: Connection) -> int:
        owners.register(connection, bot.instance, account)
        rooms.announce(connection, bot.room)
        usage.spend_orphans(connection, account)
        transport = bot.channel.traits.transport
        owned = (inbox_queue(account), outbox_queue(account, transport), media_queue(account))
        return sum(queues.take_back_all(connection, queue) for queue in owned)

    if taken := await store.write(take_over):
        log.info("taken_back", rows=taken)


async def _closed(name: str, close: Callable[[], Awaitable[None]]) -> None:
    await ending.close(name, close())


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
