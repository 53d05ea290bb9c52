"""The bot process: the one place that builds concrete classes, starts them, and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, Row, exists, literal, select

from bot.burst import AT_ONCE, Bursts, Window
from bot.channel import Capability, Channel, Intake, Unreadable
from bot.conversation import Conversation, Parts
from bot.delivery import Delivery
from bot.intake import IntakeDoor
from bot.loops import LoopGuard
from bot.people import People, RoomAddress
from bot.room import OwnersRoom, RoomParts
from bot.watcher import watch_knowledge
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from rag.answering import Answerer
from rag.errors import ModelUnavailable
from rag.model import ModelClient
from store import embedding_space, handoffs, owners, usage
from store import queue as queues
from store.doors import Store
from store.errors import StoreError
from store.memory.embedded import EmbeddedMemory
from store.memory.index import MemoryIndex
from store.opening import open_store
from store.ownership import owning
from store.queue import Backoff, Queue, inbox_queue, outbox_queue
from store.schema import QueueState
from store.usage import Budget
from store.worker import Worker

log = structlog.get_logger(__name__)

INBOX_BACKOFF = Backoff(attempts=4, first_s=1.0, most_s=30.0)
# Most chats in hand are waiting for the end of a burst; the model's own bound is MODEL_MAX_IN_FLIGHT.
INBOX_LANES = 100
OUTBOX_LANES = 8
HEARTBEAT_S = 10.0
REMINDER_CHECK_S = 30.0
SETTLE_POLL_S = 0.02
# The longest that a piped conversation waits for one answer and its delivery.
SETTLE_TIMEOUT_S = 120.0

ChannelFactory = Callable[[Shop], Channel]


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A started bot, for the process and for benchmarks that look inside."""

    store: Store
    memory: MemoryIndex
    channel: Channel
    intake: IntakeDoor
    inbox_worker: Worker
    outbox_worker: Worker
    settled: Callable[[str | None], Awaitable[None]]
    delivered: Callable[[float], Awaitable[None]]
    background: dict[str, Coroutine[Any, Any, None]]


async def run(settings: Settings, make_channel: ChannelFactory) -> None:
    """Run the bot until a signal, the channel's end, or the death of one of its tasks.

    Raises ``ConfigError``, ``StoreMisconfigured`` or ``ModelMisconfigured`` when it cannot start, each
    saying what to do; and whatever ended a background task, so that Supervisor starts a new process.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with started(settings, make_channel) as bot:
        tasks = {
            asyncio.create_task(work, name=name): name
            for name, work in (bot.background | {"stop-signal": _wait(stopping)}).items()
        }
        log.info("bot_started", account=settings.account, generation=bot.memory.generation)
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(iter(done))
        if tasks[first] == "channel" and first.exception() is None:
            # The input is over: answer what came in, then end.
            with contextlib.suppress(TimeoutError):
                await bot.settled(None)
        log.info("bot_stopping", cause=tasks[first])
        await _stop(bot, tasks, drain_s=settings.bot.drain_s)
        for task in done:
            # A task that died takes the process with it; the exception says why.
            task.result()


@contextlib.asynccontextmanager
async def started(settings: Settings, make_channel: ChannelFactory) -> AsyncIterator[Running]:
    """Everything built and opened, the channel started; closed in reverse."""
    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    wording = Wording.load(settings.data_dir, shop)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(owning(settings))
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        model = await stack.enter_async_context(ModelClient(settings.model))
        await _check_model(model)
        memory = await _open_memory(store, model)
        stack.push_async_callback(memory.close)
        channel = make_channel(shop)
        bot = _assemble(settings, shop, wording, store, model, memory, channel)
        await _take_over(store, settings.account, bot)
        await channel.start(Intake(account=settings.account, record=bot.intake.record, settled=bot.settled))
        stack.push_async_callback(channel.close)
        yield bot


def _assemble(
    settings: Settings,
    shop: Shop,
    wording: Wording,
    store: Store,
    model: ModelClient,
    memory: MemoryIndex,
    channel: Channel,
) -> Running:
    account, bot = settings.account, settings.bot
    instance = owners.new_instance_id("bot")
    inbox, outbox = inbox_queue(account), outbox_queue(account, channel.traits.transport)
    budget = Budget(
        shop_idr=settings.model.daily_budget_idr, customer_idr=settings.model.customer_daily_budget_idr
    )
    room_chat = bot.admin_room or channel.traits.admin_room
    people = People(
        room=RoomAddress(account=account, transport=channel.traits.transport, chat=room_chat),
        shop=shop,
        wording=wording,
        remind_after_s=bot.handoff_reminder_s,
    )
    room = OwnersRoom(
        RoomParts(
            store=store,
            queue=inbox,
            owner=instance,
            people=people,
            shop=shop,
            wording=wording,
            configured_mode=bot.mode,
            budget=budget,
            data_dir=settings.data_dir,
            notes=lambda: _notes(settings),
        )
    )
    window = Window(quiet_s=bot.burst_quiet_s, question_s=bot.burst_question_s, most_s=bot.burst_max_s)
    bursts = Bursts(
        store,
        inbox,
        window if Capability.FRAGMENTS in channel.traits.capabilities else AT_ONCE,
        is_question=partial(_is_question, channel),
    )
    conversation = Conversation(
        Parts(
            account=account,
            store=store,
            channel=channel,
            queue=inbox,
            owner=instance,
            bursts=bursts,
            answerer=Answerer(memory=memory, model=model, settings=settings.model, shop=shop),
            people=people,
            room=room,
            loops=LoopGuard(
                store=store, people=people, wording=wording, account=account, most_answers=bot.loop_answers
            ),
            shop=shop,
            wording=wording,
            configured_mode=bot.mode,
            budget=budget,
            embedding_space=(
                (model.embedder.model, model.embedder.dimensions) if model.embedder is not None else None
            ),
        )
    )
    delivery = Delivery(
        account=account,
        store=store,
        channel=channel,
        queue=outbox,
        owner=instance,
        people=people,
        wording=wording,
        configured_mode=bot.mode,
        pace_s=bot.pace_s,
    )

    def tell_of_unread(connection: Connection, row: Row[Any], reason: str) -> None:
        """A customer's message that cannot be processed is a person's to read."""
        body = wording.say("admin_pesan_rusak", nama=row.sender, nomor=row.chat)
        people.notify(connection, body, kind=handoffs.ALERT, customer_id=row.customer_id)

    outbox_worker = Worker(
        store=store,
        queue=outbox,
        handler=delivery.deliver,
        owner=instance,
        backoff=Backoff(attempts=bot.send_attempts),
        concurrency=OUTBOX_LANES,
        poll_s=bot.poll_s,
        on_dead=delivery.tell_of_dead_letter,
    )

    async def handle(row: Row[Any]) -> None:
        await conversation.handle(row)
        outbox_worker.wake()

    inbox_worker = Worker(
        store=store,
        queue=inbox,
        handler=handle,
        owner=instance,
        backoff=INBOX_BACKOFF,
        concurrency=INBOX_LANES,
        poll_s=bot.poll_s,
        on_dead=tell_of_unread,
    )

    def recorded(chat: str) -> None:
        bursts.arrived(chat)
        inbox_worker.wake()

    async def settled(chat: str | None) -> None:
        """Wait until nothing of the chat (None: of the whole account) is unfinished."""
        await nothing_left((inbox, outbox), chat, timeout_s=SETTLE_TIMEOUT_S)

    async def delivered(timeout_s: float) -> None:
        """Wait until every committed answer is sent."""
        await nothing_left((outbox,), None, timeout_s=timeout_s)

    async def nothing_left(found: tuple[Queue, ...], chat: str | None, *, timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            # Polled, because rows of other processes set no event.
            while await store.read(lambda c: _has_unfinished(c, found, chat)):  # noqa: ASYNC110 - see above
                await asyncio.sleep(SETTLE_POLL_S)

    background: dict[str, Coroutine[Any, Any, None]] = {
        "channel": channel.run(),
        "inbox": inbox_worker.run(),
        "outbox": outbox_worker.run(),
        "memory": _every(bot.poll_s, "memory", lambda: _follow(memory)),
        "heartbeat": _every(HEARTBEAT_S, "heartbeat", lambda: _beat(store, instance)),
        "reminders": _every(REMINDER_CHECK_S, "reminders", lambda: _remind(store, people, shop)),
    }
    if bot.watch_knowledge:
        background["knowledge"] = watch_knowledge(settings.data_dir)
    return Running(
        store=store,
        memory=memory,
        channel=channel,
        intake=IntakeDoor(store, on_recorded=recorded),
        inbox_worker=inbox_worker,
        outbox_worker=outbox_worker,
        settled=settled,
        delivered=delivered,
        background=background,
    )


def _is_question(channel: Channel, row: Row[Any]) -> bool:
    try:
        return channel.parse(row).text.rstrip().endswith("?")
    except Unreadable:
        # It is discarded when its turn comes.
        return False


async def _check_model(model: ModelClient) -> None:
    """A refused key or model stops the start; an unreachable one does not: customers get honest answers."""
    try:
        await model.check()
    except ModelUnavailable as exc:
        log.warning("model_unreachable", reason=str(exc))


async def _open_memory(store: Store, model: ModelClient) -> MemoryIndex:
    embedder = model.embedder
    model_name, dimensions = (embedder.model, embedder.dimensions) if embedder else (None, None)
    await store.write(lambda c: embedding_space.settle(c, model_name, dimensions))
    memory = EmbeddedMemory(store)
    await memory.open()
    return memory


async def _take_over(store: Store, account: str, bot: Running) -> None:
    """The account is ours alone: whatever an earlier process had in hand is claimable again."""

    def take_over(connection: Connection) -> int:
        usage.spend_orphans(connection, account)
        transport = bot.channel.traits.transport
        return queues.take_back_all(connection, inbox_queue(account)) + queues.take_back_all(
            connection, outbox_queue(account, transport)
        )

    if taken := await store.write(take_over):
        log.info("taken_back", rows=taken)


async def _stop(bot: Running, tasks: dict[asyncio.Task[None], str], *, drain_s: float) -> None:
    """Intake first, then answers, then delivery; what is left is taken back at the next start."""
    await bot.channel.stop(drain_s)
    await bot.inbox_worker.stop(drain_s=drain_s)
    with contextlib.suppress(TimeoutError, StoreError):
        await bot.delivered(drain_s / 2)
    await bot.outbox_worker.stop(drain_s=drain_s / 2)
    ours = [task for task in tasks if tasks[task] in ("inbox", "outbox")]
    rest = [task for task in tasks if task not in ours]
    for task in rest:
        task.cancel()
    await asyncio.gather(*ours, *rest, return_exceptions=True)


def _has_unfinished(connection: Connection, found: tuple[Queue, ...], chat: str | None) -> bool:
    for queue in found:
        table = queue.table
        waiting = exists().where(
            table.c.account == queue.account,
            table.c.transport == queue.transport,
            table.c.finished_ms.is_(None),
            table.c.state != QueueState.HELD.value,
            literal(True) if chat is None else table.c.key == chat,
        )
        if connection.execute(select(waiting)).scalar():
            return True
    return False


async def _every(pause_s: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work again and again; a store that is away for a while must not end the process."""
    while True:
        try:
            await work()
        except StoreError as exc:
            log.warning("periodic_work_failed", work=name, reason=str(exc))
        await asyncio.sleep(pause_s)


async def _follow(memory: MemoryIndex) -> None:
    await memory.catch_up()


async def _beat(store: Store, instance: str) -> None:
    await store.write(lambda c: owners.beat(c, instance))


async def _remind(store: Store, people: People, shop: Shop) -> None:
    """Remind the owner of open handoffs, never between 20.00 and 08.00."""
    if shop.is_quiet_time(datetime.now(UTC)):
        return

    def remind_all(connection: Connection) -> None:
        # Read again: one of them may have been answered since.
        for handoff in handoffs.due(connection, people.room.account):
            people.remind(connection, handoff)

    if await store.read(lambda c: handoffs.due(c, people.room.account)):
        await store.write(remind_all)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _notes(settings: Settings) -> str:
    """What is switched off for want of a setting, for the owner's `status`."""
    off = []
    if settings.model.embedding_model is None:
        off.append("Pencarian makna mati (EMBEDDING_MODEL kosong); aku mencari dari kata saja.")
    return "\n".join(off)
