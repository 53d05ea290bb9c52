"""A tiny shop with a whole bot around a store and a faulty channel, for tests of conversations."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select, update

from bot import assembly
from bot.channel import Intake, Recorded
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from rag.ingest import ingest
from rag.model import ModelClient
from sandbox.openai import OpenAIStandIn
from store import customers, outbox
from store.customers import Address, Customer
from store.doors import Store
from store.memory.embedded import EmbeddedMemory
from store.outbox import Kind, NewMessage, Purpose
from store.queue import Backoff
from store.schema import customers as customer_rows
from tests.contract.channel import FaultyChannel

ACCOUNT = "utama"
COD = "Bisa COD untuk daerah Klaten, Kak."
QUESTION = "bisa cod ga kak?"
UNKNOWN = "jual sepatu roda merah ukuran besar?"
FAQ = [
    {"id": "cod", "question": "Bisa COD?", "answer": COD, "paraphrases": ["bisa bayar di tempat?"]},
    {"id": "jam", "question": "Jam buka toko?", "answer": "Kami buka 08.00 sampai 17.00 setiap hari, Kak."},
]
CATALOGUE = "kode,nama,harga,satuan,stok\nIH20,Internet 20 Mbps,275000,bulan,\n"
WAIT_S = 10.0
# Of the whole test run: a second bot over the same store must not repeat the ids of the first.
_IDS = itertools.count(1)


def write_shop(folder: Path) -> None:
    """Knowledge and profile; without opening hours a person is always there."""
    (folder / "toko.toml").write_text('nama = "Toko Uji"\n', encoding="utf-8")
    (folder / "faq_data.json").write_text(json.dumps(FAQ), encoding="utf-8")
    (folder / "katalog.csv").write_text(CATALOGUE, encoding="utf-8")


@dataclass(kw_only=True)
class TinyShop:
    """The running bot and everything that a test looks at."""

    store: Store
    channel: FaultyChannel
    stand_in: OpenAIStandIn
    model: ModelClient
    running: assembly.Running
    settings: Settings
    wording: Wording
    tasks: list[asyncio.Task[None]]
    _ids: Any = field(default_factory=lambda: _IDS)

    async def record(self, chat: str, text: str, *, message_id: str | None = None, **fields: Any) -> Recorded:
        """Somebody writes; the answer is not waited for."""
        message_id = message_id or f"in-{next(self._ids)}"
        recorded = await self.channel.deliver(chat, text, message_id, **fields)
        assert recorded is not None
        return recorded

    async def says(self, chat: str, text: str, **fields: Any) -> list[str]:
        """Somebody writes; what he is told until nothing is left to do."""
        before = len(self.channel.sent)
        await self.record(chat, text, **fields)
        await self.settled()
        return [message.body for message in self.channel.sent[before:] if message.chat == chat]

    async def owner(self, text: str, *, quote: str | None = None) -> list[str]:
        """The owner writes in his room; what he reads there until nothing is left to do."""
        return await self.says("owner", text, **({} if quote is None else {"quote": quote}))

    async def sends(
        self, chat: str, body: str, *, purpose: Purpose = Purpose.RELAY, **fields: Any
    ) -> NewMessage:
        """A message for the customer as another part of the product queues it, and what follows from it."""
        customer = await self.customer(chat)
        message = NewMessage(
            account=ACCOUNT,
            transport="uji",
            chat=chat,
            body=body,
            purpose=purpose,
            customer_id=customer.id,
            **fields,
        )
        await self.write(lambda c: outbox.add(c, message))
        self.running.outbox_worker.wake()
        await self.settled()
        return message

    async def settled(self) -> None:
        """Nothing waits and no handler is at work: a deleted row is gone before its handler is."""
        async with asyncio.timeout(WAIT_S):
            await self.running.settled(None)
            while self.running.inbox_worker.in_flight:  # noqa: ASYNC110 - the worker offers a count, no event
                await asyncio.sleep(0.005)
            await self.running.settled(None)

    def heard(self, chat: str) -> list[str]:
        """Everything that was sent to the chat, reactions in brackets."""
        return [
            message.body if message.kind is Kind.TEXT else f"({message.body})"
            for message in self.channel.sent
            if message.chat == chat
        ]

    def last_id(self, chat: str = "owner", *, containing: str = "") -> str:
        """The id under which the newest message with these words was sent."""
        return [f"uji-{m.row_id}" for m in self.channel.sent if m.chat == chat and containing in m.body][-1]

    async def count(self, table: Table, *where: Any) -> int:
        query = select(func.count()).select_from(table).where(*where)
        return await self.store.read(lambda c: int(c.execute(query).scalar_one()))

    async def rows(self, table: Table, *where: Any) -> list[Any]:
        query = select(table).where(*where).order_by(table.c.id)
        return await self.store.read(lambda c: list(c.execute(query).all()))

    async def customer(self, chat: str) -> Customer:
        found = await self.store.read(lambda c: customers.find(c, ACCOUNT, Address("uji", chat)))
        assert found is not None
        return found

    async def write(self, job: Callable[[Connection], Any]) -> Any:
        return await self.store.write(job)

    def model_asked(self) -> int:
        """How often the chat model was asked."""
        return int(self.stand_in.requests()["by_endpoint"].get("/v1/chat/completions", 0))

    async def die(self) -> None:
        """End as a killed process does: nothing is finished, nothing is given back."""
        workers = (self.running.inbox_worker, self.running.outbox_worker, self.running.media_worker)
        handlers = [task for worker in workers for task in worker._running.values()]
        for task in (*self.tasks, *handlers):
            task.cancel()
        await asyncio.gather(*self.tasks, *handlers, return_exceptions=True)
        # What it had handed to the database may have been committed.
        await self.store.write(lambda c: None)

    def thinking(self) -> Thinking:
        """Hold the model's next answers until ``Thinking.go_on``."""
        return Thinking(self.model)


class Thinking:
    """The model takes its time, so that something can happen meanwhile."""

    def __init__(self, model: ModelClient) -> None:
        self.began = asyncio.Event()
        self._may_end = asyncio.Event()
        chat = model.chat

        async def held(*args: Any, **kwargs: Any) -> Any:
            self.began.set()
            await self._may_end.wait()
            return await chat(*args, **kwargs)

        model.chat = held  # type: ignore[method-assign] # the narrowest seam before the network.

    async def has_begun(self) -> None:
        await asyncio.wait_for(self.began.wait(), WAIT_S)

    def go_on(self) -> None:
        self._may_end.set()


OpenShop = Callable[..., Awaitable[TinyShop]]


@asynccontextmanager
async def shops(store: Store, make_settings: Callable[..., Settings]) -> AsyncIterator[OpenShop]:
    """Opens a bot with these settings over the store; everything is stopped at the end."""
    async with AsyncExitStack() as stack:

        async def open_shop(
            *, ingested: bool = True, files: Mapping[str, str] | None = None, **keys: str
        ) -> TinyShop:
            stand_in = await stack.enter_async_context(OpenAIStandIn())
            settings = make_settings(
                **{
                    "OPENAI_BASE_URL": stand_in.base_url,
                    "EMBEDDING_DIMENSIONS": "64",
                    "POLL_S": "0.02",
                    "MODEL_ATTEMPTS": "1",
                    "LOOP_ANSWERS": "0",
                    "WATCH_KNOWLEDGE": "false",
                }
                | keys
            )
            write_shop(settings.data_dir)
            for name, text in (files or {}).items():
                (settings.data_dir / name).write_text(text, encoding="utf-8")
            shop = Shop.load(settings.data_dir, name=settings.shop_name)
            wording = Wording.load(settings.data_dir, shop)
            model = await stack.enter_async_context(ModelClient(settings.model))
            if ingested:
                await ingest(store, settings.data_dir, model.embedder)
                stand_in.reset_requests()
            memory = EmbeddedMemory(store)
            await memory.open()
            stack.push_async_callback(memory.close)
            channel = FaultyChannel()
            running = assembly.assemble(settings, shop, wording, store, model, memory, channel)
            await channel.start(
                Intake(
                    account=settings.account,
                    record_all=running.intake.record_all,
                    settled=running.settled,
                )
            )
            tasks = [asyncio.create_task(work, name=name) for name, work in running.background.items()]
            stack.push_async_callback(_stop, running, tasks)
            return TinyShop(
                store=store,
                channel=channel,
                stand_in=stand_in,
                model=model,
                running=running,
                settings=settings,
                wording=wording,
                tasks=tasks,
            )

        yield open_shop


async def _stop(running: assembly.Running, tasks: list[asyncio.Task[None]]) -> None:
    died = [task for task in tasks if task.done() and not task.cancelled() and task.exception()]
    await running.channel.stop(0)
    for worker in (running.inbox_worker, running.outbox_worker):
        await worker.stop(drain_s=0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not died, died


# Retries that the tests wait for are quick ones.
QUICK = Backoff(attempts=4, first_s=0.02, most_s=0.05)


async def age(store: Store, table: Table, column: str, *, by_ms: int) -> None:
    """Move the times of all rows into the past."""
    moved = table.c[column] - by_ms
    await store.write(lambda c: c.execute(update(table).values({column: moved})) and None)


async def silence(shop: TinyShop, chat: str) -> None:
    customer = await shop.customer(chat)
    await shop.write(lambda c: customers.keep_silent(c, customer.id, for_ms=60_000, reason="uji"))


async def names(store: Store) -> list[str | None]:
    """The names of all customers, oldest first."""
    query = select(customer_rows.c.name).order_by(customer_rows.c.id)
    return await store.read(lambda c: list(c.execute(query).scalars()))
