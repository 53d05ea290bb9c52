"""What runs in the bot's process for as long as it lives: the tasks by their names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from billing.till import Till
from bot import audience, firstrun, rights
from bot.answer_path import AnswerPath
from bot.chores import ChoreParts, chores
from bot.digest import CHECK_S, Digest
from bot.foundation import Foundation
from bot.invoices import StrandedInvoices
from bot.pasttalk import PastTalk
from bot.patience import Patience
from bot.periodic import every
from bot.watcher import watch_knowledge
from bot.whatsapp import past, past_words
from store.erasure import erase_deleted

Tasks = dict[str, Coroutine[Any, Any, None]]

# The transport of the channel that runs unattended.
WHATSAPP = "whatsapp"


def background(f: Foundation, path: AnswerPath, *, digest: Digest, patience: Patience) -> Tasks:
    """The tasks of this bot; each runs until it is cancelled, and the end of any is the process's."""
    found = _standing(f, path, digest=digest, patience=patience)
    periodic = chores(_chore_parts(f, path), poll_s=f.settings.bot.poll_s)
    if taken := found.keys() & periodic.keys():
        # One would never run, and nobody would notice.
        raise RuntimeError(f"two tasks are called {', '.join(taken)}")
    found |= periodic
    if f.settings.operation.health_port is not None and f.transport == WHATSAPP:
        # A chat in a terminal is watched by whoever sits at it.
        from bot.health import Health, serve

        health = Health(
            account=f.account,
            channel=f.channel,
            store=f.store,
            settings=f.settings,
            zone=f.shop.zona_waktu,
        )
        found["health"] = serve(health, f.settings.operation.health_port)
    if f.settings.bot.watch_knowledge:
        found["knowledge"] = watch_knowledge(f.settings.data_dir)
    return found


def _standing(f: Foundation, path: AnswerPath, *, digest: Digest, patience: Patience) -> Tasks:
    """The channel, the workers, and whoever speaks first."""
    from_settings = (f.channel.traits.admin_room or f.settings.bot.admin_room) is not None
    first_run = firstrun.FirstRun(
        store=f.store,
        channel=f.channel,
        people=f.people,
        wording=f.wording,
        configured_mode=f.configured_mode,
        from_settings=from_settings and not f.channel.traits.room_by_word,
    )
    erasures = rights.Erasures(
        store=f.store,
        people=f.people,
        files=f.files,
        forget_past=partial(past.forget, _past_folder(f)),
        erase=partial(erase_deleted, f.settings),
    )

    async def greet() -> None:
        await first_run.greet()
        path.outbox_worker.wake()
        await asyncio.Event().wait()

    async def answer() -> None:
        # Before anything is answered: it says whom.
        await f.store.write(lambda c: audience.settle(c, f.account, configured=f.settings.bot.audience))
        # What was sent while nobody was there comes first, and together.
        await f.channel.caught_up()
        await path.inbox_worker.run()

    return {
        "channel": f.channel.run(),
        "inbox": answer(),
        "outbox": path.outbox_worker.run(),
        "first_run": greet(),
        "digest": every(CHECK_S, "digest", digest.tell),
        "patience": every(CHECK_S, "patience", patience.tell),
        "erasures": every(rights.CHECK_S, "erasures", erasures.carry_out),
        "media": path.media_worker.run(),
    }


def _chore_parts(f: Foundation, path: AnswerPath) -> ChoreParts:
    past_folder = _past_folder(f)
    return ChoreParts(
        store=f.store,
        memory=f.memory,
        people=f.people,
        shop=f.shop,
        media=path.media,
        stranded=StrandedInvoices(
            account=f.account, store=f.store, post=Till.of(f.settings, f.shop, f.wording).post
        ),
        instance=f.instance,
        outbox=f.outbox,
        configured_mode=f.configured_mode,
        past_talk=PastTalk(
            store=f.store,
            people=f.people,
            memory=f.memory,
            days=f.settings.whatsapp.history_days,
            has_words=partial(past_words.has_any, past_folder),
            exchanges=lambda: past_words.exchanges(past_folder, now_s=time.time()),
            forget=lambda days: past.forget_old(past_folder, days=days),
        ),
    )


def _past_folder(f: Foundation) -> Path:
    return past.folder_in(f.settings.state_dir, f.account)
