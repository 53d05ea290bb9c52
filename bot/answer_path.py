"""Builds the path of an answer: from the inbox through the conversation into the outbox, and out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Row

from bot.burst import AT_ONCE, Bursts, Window
from bot.channel import Capability, Channel, Unreadable
from bot.consequences import Consequences
from bot.conversation import Conversation, Parts
from bot.delivery import Delivery
from bot.foundation import Foundation
from bot.invoices import InvoiceFiles
from bot.lateness import LatePace
from bot.loops import LoopGuard
from bot.media import MediaKeeper
from bot.posts import Posts
from bot.room import OwnersRoom
from bot.selling.seller import Seller
from bot.signs import Signs
from bot.takeover import Takeover
from bot.unread import Unread
from store.errors import StoreUnavailable
from store.media import media_queue
from store.queue import Backoff
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


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerPath:
    """What goes along it: messages in, answers out, and the files of the messages beside."""

    inbox_worker: Worker
    outbox_worker: Worker
    media_worker: Worker
    media: MediaKeeper


def answer_path(f: Foundation, *, room: OwnersRoom, seller: Seller) -> AnswerPath:
    """The path for everybody's messages; ``room`` takes the owner's, ``seller`` reads what buys."""
    media = MediaKeeper(
        account=f.account,
        store=f.store,
        channel=f.channel,
        files=f.files,
        owner=f.instance,
        people=f.people,
        max_bytes=f.settings.bot.media_max_mb * 1024 * 1024,
        days=f.settings.bot.media_days,
    )
    bursts = _bursts(f)
    outbox_worker = _outbox_worker(f)
    media_worker = _media_worker(f, media, outbox_worker)
    conversation = _conversation(f, bursts, media, room=room, seller=seller)
    inbox_worker = _inbox_worker(f, conversation, media, outbox_worker, media_worker)

    def recorded(lane: str) -> None:
        bursts.arrived(lane)
        inbox_worker.wake()

    f.intake.listen(recorded)
    return AnswerPath(
        inbox_worker=inbox_worker, outbox_worker=outbox_worker, media_worker=media_worker, media=media
    )


def _bursts(f: Foundation) -> Bursts:
    bot = f.settings.bot
    window = Window(quiet_s=bot.burst_quiet_s, question_s=bot.burst_question_s, most_s=bot.burst_max_s)
    return Bursts(
        f.store,
        f.inbox,
        window if Capability.FRAGMENTS in f.channel.traits.capabilities else AT_ONCE,
        is_question=partial(_is_question, f.channel),
    )


def _is_question(channel: Channel, row: Row[Any]) -> bool:
    try:
        return channel.parse(row).text.rstrip().endswith("?")
    except Unreadable:
        # It is discarded when its turn comes.
        return False


def _conversation(
    f: Foundation, bursts: Bursts, media: MediaKeeper, *, room: OwnersRoom, seller: Seller
) -> Conversation:
    bot = f.settings.bot
    return Conversation(
        Parts(
            account=f.account,
            store=f.store,
            channel=f.channel,
            bursts=bursts,
            answerer=f.answerer,
            people=f.people,
            room=room,
            takeover=Takeover(
                account=f.account,
                store=f.store,
                channel=f.channel,
                queue=f.inbox,
                owner=f.instance,
                people=f.people,
                wording=f.wording,
                pause_s=bot.human_pause_s,
            ),
            posts=Posts(account=f.account, store=f.store, channel=f.channel, queue=f.inbox, owner=f.instance),
            late_pace=LatePace(),
            loops=LoopGuard(
                store=f.store,
                people=f.people,
                wording=f.wording,
                account=f.account,
                most_answers=bot.loop_answers,
            ),
            seller=seller,
            consequences=_consequences(f, media),
            shop=f.shop,
            wording=f.wording,
            configured_mode=f.configured_mode,
            audience=bot.audience,
            budget=f.budget,
        )
    )


def _consequences(f: Foundation, media: MediaKeeper) -> Consequences:
    traits, embedder = f.channel.traits, f.model.embedder
    return Consequences(
        account=f.account,
        transport=traits.transport,
        reactions=Capability.REACTIONS in traits.capabilities,
        bubble_chars=traits.bubble_chars,
        store=f.store,
        queue=f.inbox,
        owner=f.instance,
        people=f.people,
        media=media,
        signs=Signs(account=f.account, channel=f.channel, people=f.people),
        timers=f.timers,
        wording=f.wording,
        configured_mode=f.configured_mode,
        budget=f.budget,
        zone=f.shop.zona_waktu,
        embedding_space=None if embedder is None else (embedder.model, embedder.dimensions),
    )


def _inbox_worker(
    f: Foundation,
    conversation: Conversation,
    media: MediaKeeper,
    outbox_worker: Worker,
    media_worker: Worker,
) -> Worker:
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

    return Worker(
        store=f.store,
        queue=f.inbox,
        handler=handle,
        owner=f.instance,
        backoff=INBOX_BACKOFF,
        concurrency=INBOX_LANES,
        poll_s=f.settings.bot.poll_s,
        on_dead=Unread(channel=f.channel, people=f.people).tell,
    )


def _outbox_worker(f: Foundation) -> Worker:
    bot = f.settings.bot
    delivery = Delivery(
        account=f.account,
        store=f.store,
        channel=f.channel,
        queue=f.outbox,
        owner=f.instance,
        people=f.people,
        wording=f.wording,
        files=f.files,
        invoices=InvoiceFiles(account=f.account, store=f.store),
        timers=f.timers,
        configured_mode=f.configured_mode,
        pace_s=f.channel.traits.pace_s if bot.pace_s is None else bot.pace_s,
    )
    return Worker(
        store=f.store,
        queue=f.outbox,
        handler=delivery.deliver,
        owner=f.instance,
        backoff=Backoff(attempts=bot.send_attempts),
        concurrency=OUTBOX_LANES,
        poll_s=bot.poll_s,
        on_dead=delivery.tell_of_dead_letter,
    )


def _media_worker(f: Foundation, media: MediaKeeper, outbox_worker: Worker) -> Worker:
    async def fetch(row: Row[Any]) -> None:
        await media.fetch(row)
        outbox_worker.wake()

    return Worker(
        store=f.store,
        queue=media_queue(f.account),
        handler=fetch,
        owner=f.instance,
        backoff=MEDIA_BACKOFF,
        concurrency=MEDIA_LANES,
        poll_s=max(f.settings.bot.poll_s, MEDIA_POLL_S),
        on_dead=media.tell_of_lost,
    )
