"""Builds the bot's concrete parts and wires them: the only module that knows them all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, exists, literal, select

from billing.till import Till
from bot import audience, firstrun, rights
from bot.burst import AT_ONCE, Bursts, Window
from bot.channel import Capability, Channel, Unreadable
from bot.chats import ChatWords
from bot.chores import ChoreParts, chores
from bot.consequences import Consequences
from bot.conversation import Conversation, Parts
from bot.delivery import Delivery
from bot.digest import CHECK_S, Digest
from bot.intake import IntakeDoor
from bot.invoices import InvoiceFiles, StrandedInvoices
from bot.lateness import LatePace
from bot.loops import LoopGuard
from bot.media import MediaKeeper
from bot.pasttalk import PastTalk
from bot.patience import Patience
from bot.people import People, RoomAddress
from bot.periodic import every
from bot.posts import Posts
from bot.room import OwnersRoom, RoomParts
from bot.room.registry import owners_room
from bot.selling.shop import sell
from bot.signs import Signs
from bot.takeover import Takeover
from bot.teaching import Teacher
from bot.timers import Timers
from bot.watcher import watch_knowledge
from bot.whatsapp import past, past_words
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from rag.answering import Answerer
from rag.faq_wording import FaqWriter
from rag.model import ModelClient
from store import handoffs, owners
from store.doors import Store
from store.erasure import erase_deleted
from store.errors import StoreUnavailable
from store.media import media_queue
from store.media_files import MediaFiles
from store.memory.index import MemoryIndex
from store.queue import Backoff, Queue, inbox_queue, outbox_queue
from store.schema import QueueState
from store.usage import Budget
from store.worker import Worker

INBOX_BACKOFF = Backoff(attempts=4, first_s=1.0, most_s=30.0)
# Most chats in hand are waiting for the end of a burst; the model's own bound is MODEL_MAX_IN_FLIGHT.
INBOX_LANES = 100
OUTBOX_LANES = 8
# Files come one after the other, so that memory holds few of them; nobody's answer waits for one. The media
# host keeps them for weeks, so there is time: 12 attempts are nearly an hour.
MEDIA_LANES = 2
MEDIA_POLL_S = 2.0
MEDIA_BACKOFF = Backoff(attempts=12, first_s=1.0, most_s=600.0)
# The transport of the channel that runs unattended.
WHATSAPP = "whatsapp"
SETTLE_POLL_S = 0.02
# The longest that a piped conversation waits for one answer and its delivery.
SETTLE_TIMEOUT_S = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A started bot, for the process and for benchmarks that look inside."""

    instance: str  # this process in the table of owners
    store: Store
    memory: MemoryIndex
    channel: Channel
    intake: IntakeDoor
    people: People
    room: RoomAddress
    owners_room: OwnersRoom
    digest: Digest
    patience: Patience
    inbox_worker: Worker
    outbox_worker: Worker
    media_worker: Worker
    media: MediaKeeper
    settled: Callable[[str | None], Awaitable[None]]
    delivered: Callable[[float], Awaitable[None]]
    background: dict[str, Coroutine[Any, Any, None]]


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
    intake = intake or IntakeDoor(store)
    account, bot = settings.account, settings.bot
    instance = owners.new_instance_id("bot")
    inbox, outbox = inbox_queue(account), outbox_queue(account, channel.traits.transport)
    budget = Budget(
        shop_idr=settings.model.daily_budget_idr,
        customer_idr=settings.model.customer_daily_budget_idr,
        customer_answers=settings.model.customer_daily_answers,
    )
    room_chat = channel.traits.admin_room or bot.admin_room
    people = People(
        room=RoomAddress(account=account, transport=channel.traits.transport, chat=room_chat),
        shop=shop,
        wording=wording,
        remind_after_s=bot.handoff_reminder_s,
    )
    answerer = Answerer(memory=memory, model=model, settings=settings.model, shop=shop)
    configured_mode = bot.mode or channel.traits.first_mode
    digest = Digest(store=store, people=people, shop=shop, budget_idr=budget.shop_idr, hour=bot.digest_hour)
    patience = Patience(
        store=store,
        people=people,
        shop=shop,
        configured_mode=configured_mode,
        after_s=bot.handoff_note_s,
    )
    selling = sell(settings, shop, wording, store, people, transport=channel.traits.transport)
    room = owners_room(
        RoomParts(
            store=store,
            queue=inbox,
            owner=instance,
            people=people,
            shop=shop,
            wording=wording,
            configured_mode=configured_mode,
            budget=budget,
            digest=digest,
            data_dir=settings.data_dir,
            answerer=answerer,
            teacher=Teacher(
                account=account,
                store=store,
                zone=shop.zona_waktu,
                budget=budget,
                writer=FaqWriter(model, settings.model),
            ),
            fetch=channel.fetch,
            most_file_bytes=bot.media_max_mb * 1024 * 1024,
            claim_room=firstrun.mover(channel, people),
            notes=lambda: _notes(settings, shop),
            chats=ChatWords(people=people, queue=outbox),
            desk=selling.desk,
        )
    )
    window = Window(quiet_s=bot.burst_quiet_s, question_s=bot.burst_question_s, most_s=bot.burst_max_s)
    bursts = Bursts(
        store,
        inbox,
        window if Capability.FRAGMENTS in channel.traits.capabilities else AT_ONCE,
        is_question=partial(_is_question, channel),
    )
    files = MediaFiles(settings.state_dir)
    media = MediaKeeper(
        account=account,
        store=store,
        channel=channel,
        files=files,
        owner=instance,
        people=people,
        max_bytes=bot.media_max_mb * 1024 * 1024,
        days=bot.media_days,
    )
    timers = Timers(account=account, store=store)
    embedder = model.embedder
    consequences = Consequences(
        account=account,
        transport=channel.traits.transport,
        reactions=Capability.REACTIONS in channel.traits.capabilities,
        bubble_chars=channel.traits.bubble_chars,
        store=store,
        queue=inbox,
        owner=instance,
        people=people,
        media=media,
        signs=Signs(account=account, channel=channel, people=people),
        timers=timers,
        wording=wording,
        configured_mode=configured_mode,
        budget=budget,
        zone=shop.zona_waktu,
        embedding_space=None if embedder is None else (embedder.model, embedder.dimensions),
    )
    conversation = Conversation(
        Parts(
            account=account,
            store=store,
            channel=channel,
            bursts=bursts,
            answerer=answerer,
            people=people,
            room=room,
            takeover=Takeover(
                account=account,
                store=store,
                channel=channel,
                queue=inbox,
                owner=instance,
                people=people,
                wording=wording,
                pause_s=bot.human_pause_s,
            ),
            posts=Posts(account=account, store=store, channel=channel, queue=inbox, owner=instance),
            late_pace=LatePace(),
            loops=LoopGuard(
                store=store, people=people, wording=wording, account=account, most_answers=bot.loop_answers
            ),
            seller=selling.seller,
            consequences=consequences,
            shop=shop,
            wording=wording,
            configured_mode=configured_mode,
            audience=bot.audience,
            budget=budget,
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
        files=files,
        invoices=InvoiceFiles(account=account, store=store),
        timers=timers,
        configured_mode=configured_mode,
        pace_s=channel.traits.pace_s if bot.pace_s is None else bot.pace_s,
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

    async def fetch(row: Row[Any]) -> None:
        await media.fetch(row)
        outbox_worker.wake()

    media_worker = Worker(
        store=store,
        queue=media_queue(account),
        handler=fetch,
        owner=instance,
        backoff=MEDIA_BACKOFF,
        concurrency=MEDIA_LANES,
        poll_s=max(bot.poll_s, MEDIA_POLL_S),
        on_dead=media.tell_of_lost,
    )

    async def handle(row: Row[Any]) -> None:
        try:
            answer = await conversation.handle(row)
        except StoreUnavailable:
            # It may be committed all the same, the answer claimed and nobody there who knows.
            outbox_worker.doubt()
            raise
        if answer is not None:
            # When it is sent, the worker looks for whatever else was committed with it.
            outbox_worker.take(answer)
        else:
            outbox_worker.wake()
        if media.has_news:
            media.has_news = False
            media_worker.wake()

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

    def recorded(lane: str) -> None:
        bursts.arrived(lane)
        inbox_worker.wake()

    intake.listen(recorded)

    first_run = firstrun.FirstRun(
        store=store,
        channel=channel,
        people=people,
        wording=wording,
        configured_mode=configured_mode,
        from_settings=room_chat is not None and not channel.traits.room_by_word,
    )

    erasures = rights.Erasures(
        store=store,
        people=people,
        files=files,
        erase=partial(erase_deleted, settings),
    )

    async def begin() -> None:
        # Before anything is answered: it says whom.
        await store.write(lambda c: audience.settle(c, account, configured=bot.audience))

    async def greet() -> None:
        await first_run.greet()
        outbox_worker.wake()
        await asyncio.Event().wait()

    async def answer() -> None:
        await begin()
        # What was sent while nobody was there comes first, and together.
        await channel.caught_up()
        await inbox_worker.run()

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
        "inbox": answer(),
        "outbox": outbox_worker.run(),
        "first_run": greet(),
        "digest": every(CHECK_S, "digest", digest.tell),
        "patience": every(CHECK_S, "patience", patience.tell),
        "erasures": every(rights.CHECK_S, "erasures", erasures.carry_out),
        "media": media_worker.run(),
    }
    past_folder = past.folder_in(settings.state_dir, account)
    periodic = chores(
        ChoreParts(
            store=store,
            memory=memory,
            people=people,
            shop=shop,
            media=media,
            stranded=StrandedInvoices(
                account=account, store=store, post=Till.of(settings, shop, wording).post
            ),
            instance=instance,
            outbox=outbox,
            configured_mode=configured_mode,
            past_talk=PastTalk(
                store=store,
                people=people,
                memory=memory,
                days=settings.whatsapp.history_days,
                has_words=partial(past_words.has_any, past_folder),
                exchanges=lambda: past_words.exchanges(past_folder, now_s=time.time()),
                forget=lambda days: past.forget_old(past_folder, days=days),
            ),
        ),
        poll_s=bot.poll_s,
    )
    if taken := background.keys() & periodic.keys():
        # One would never run, and nobody would notice.
        raise RuntimeError(f"two tasks are called {', '.join(taken)}")
    background |= periodic
    if settings.operation.health_port is not None and channel.traits.transport == WHATSAPP:
        # A chat in a terminal is watched by whoever sits at it.
        from bot.health import Health, serve

        health = Health(
            account=account, channel=channel, store=store, settings=settings, zone=shop.zona_waktu
        )
        background["health"] = serve(health, settings.operation.health_port)
    if bot.watch_knowledge:
        background["knowledge"] = watch_knowledge(settings.data_dir)
    return Running(
        instance=instance,
        store=store,
        memory=memory,
        channel=channel,
        intake=intake,
        people=people,
        room=people.room,
        owners_room=room,
        digest=digest,
        patience=patience,
        inbox_worker=inbox_worker,
        outbox_worker=outbox_worker,
        media_worker=media_worker,
        media=media,
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


def _has_unfinished(connection: Connection, found: tuple[Queue, ...], chat: str | None) -> bool:
    for queue in found:
        table = queue.table
        waiting = exists().where(
            table.c.account == queue.account,
            table.c.transport == queue.transport,
            table.c.finished_ms.is_(None),
            table.c.state.not_in([QueueState.HELD.value, QueueState.PARKED.value]),
            literal(True) if chat is None else table.c.key == chat,
        )
        if connection.execute(select(waiting)).scalar():
            return True
    return False


def _notes(settings: Settings, shop: Shop) -> str:
    """What is switched off for want of a setting, for the owner's `status`."""
    off = []
    if settings.billing.server_key is None and shop.rekening:
        off.append("Link pembayaran mati (MIDTRANS_SERVER_KEY kosong); pelanggan bayar lewat transfer.")
    elif settings.billing.server_key is None:
        off.append("Pesanan belum bisa dibayar: isi MIDTRANS_SERVER_KEY, atau rekening di toko.toml.")
    if settings.model.embedding_model is None:
        off.append("Pencarian makna mati (EMBEDDING_MODEL kosong); aku mencari dari kata saja.")
    if settings.bot.media_max_mb == 0:
        off.append("Foto, voice note dan berkas pelanggan tidak kusimpan (MEDIA_MAX_MB=0).")
    return "\n".join(off)
