"""The product under measurement: everything that ``run_bot.py`` starts, with a channel that costs nothing.

Messages enter where a channel brings them, ``intake.record`` on a foreign thread. The clock of an answer
runs from its return (the message is committed) until the conversation has committed the outbox row. That
moment is taken where the product itself announces it: the inbox's handler gives the row to the outbox's
worker, or wakes it, as the next statement after the committing transaction. ``Clock`` stands in for both.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Row

from bench.questions import Ask, person
from bot import app
from bot.assembly import Running
from bot.channel import (
    FileGone,
    IncomingMessage,
    Intake,
    Outcome,
    Outgoing,
    Recorded,
    Sent,
    Signal,
    State,
    Traits,
)
from bot.terminal import codec
from bot.terminal.channel import TRANSPORT
from config.settings import Settings
from store.inbox import RawEvent
from store.worker import Worker

# Longer than any answer takes, however loaded the machine is.
_PATIENCE_S = 120.0


class SilentChannel:
    """A channel whose network takes everything at once; its messages look like the terminal's."""

    traits = Traits(transport=TRANSPORT, admin_room=codec.OWNER)
    state = State.ONLINE
    caution = 1.0

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        # The message whose answer was sent last.
        self.answered = ""

    async def start(self, intake: Intake) -> None:
        """Messages are recorded by the benchmark itself."""

    async def run(self) -> None:
        await self._ended.wait()

    async def caught_up(self) -> None:
        """Nothing was sent before the benchmark began."""

    async def own_chat(self) -> str | None:
        return None

    async def is_saved(self, chat: str) -> bool:
        return False

    async def reachable(self) -> None:
        """Always."""

    async def stop(self, drain_s: float) -> None:
        self._ended.set()

    async def close(self) -> None:
        self._ended.set()

    def parse(self, event: Row[Any]) -> IncomingMessage:
        return codec.parse(event)

    async def fetch(self, event: Row[Any]) -> bytes:
        raise FileGone("nobody sends files here")

    async def send(self, message: Outgoing) -> Outcome:
        if message.answers:
            self.answered = message.answers[-1]
        return Sent(f"sent-{message.row_id}")

    async def signal(self, chat: str, signal: Signal, message_ids: tuple[str, ...] = ()) -> None:
        """Nobody looks."""


class Clock:
    """Tells a foreign thread when an answer was committed; stands in for the outbox worker's two doors."""

    def __init__(self, worker: Worker) -> None:
        self._wake, self._take = worker.wake, worker.take
        self._committed: queue.SimpleQueue[float] = queue.SimpleQueue()

    def wake(self) -> None:
        """Called on the event loop right after a commit."""
        self._committed.put(time.perf_counter())
        self._wake()

    def take(self, row: Row[Any]) -> None:
        """The same for an answer that is delivered at once."""
        self._committed.put(time.perf_counter())
        self._take(row)

    def start(self) -> None:
        """Forget what woke the worker before the next message: the greeting at the start does, for one."""
        while not self._committed.empty():
            self._committed.get_nowait()

    def wait(self) -> float:
        """The next answer's moment; blocks the calling thread."""
        return self._committed.get(timeout=_PATIENCE_S)


class Bot:
    """The running product, asked from a foreign thread."""

    def __init__(self, running: Running, channel: SilentChannel, account: str) -> None:
        self._running = running
        self._channel = channel
        self._account = account
        self._asked = 0
        self._clock = Clock(running.outbox_worker)
        running.outbox_worker.wake = self._clock.wake  # type: ignore[method-assign] # the hook, see the module
        running.outbox_worker.take = self._clock.take  # type: ignore[method-assign] # the same

    async def one_by_one(self, asks: Sequence[Ask]) -> list[float]:
        """The asks one after the other, each delivered before the next; milliseconds between the commits."""
        return await asyncio.to_thread(self._one_by_one, asks)

    async def crowd(self, asks: Sequence[Ask], *, in_flight: int) -> None:
        """All asks, always ``in_flight`` of them waiting for their answer, until all are delivered."""
        await asyncio.to_thread(self._crowd, asks, in_flight)
        await self._running.settled(None)

    def _one_by_one(self, asks: Sequence[Ask]) -> list[float]:
        found = []
        for ask in asks:
            self._clock.start()
            committed = self._record(ask)
            found.append((self._clock.wait() - committed) * 1000)
            # The delivery of this answer must not run into the time of the next one.
            while self._channel.answered != self._id() or self._running.outbox_worker.in_flight:
                time.sleep(0.001)
        return found

    def _crowd(self, asks: Sequence[Ask], in_flight: int) -> None:
        self._clock.start()
        for position, ask in enumerate(asks):
            if position >= in_flight:
                self._clock.wait()
            self._record(ask)
        for _ in range(min(in_flight, len(asks))):
            self._clock.wait()

    def _record(self, ask: Ask) -> float:
        """Hand one message over as a channel does; when its commit was reported."""
        outcome = self._running.intake.record(self._event(ask))
        returned = time.perf_counter()
        if outcome is not Recorded.NEW:
            raise RuntimeError(f"the message was not recorded: {outcome}")
        return returned

    def _event(self, ask: Ask) -> RawEvent:
        self._asked += 1
        line = codec.Line(person=person(ask.customer), text=ask.text, message_id=self._id())
        return codec.encode(line, account=self._account)

    def _id(self) -> str:
        return f"now-{self._asked}"


@contextlib.asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Bot]:
    """The product with all its background tasks; a task that dies ends the benchmark."""
    channel = SilentChannel()
    async with app.started(settings, lambda _shop, _store: channel) as running:
        tasks = [asyncio.create_task(work, name=name) for name, work in running.background.items()]
        for task in tasks:
            task.add_done_callback(_end_with)
        try:
            yield Bot(running, channel, settings.account)
        finally:
            await running.channel.stop(0)
            await running.inbox_worker.stop(drain_s=1)
            await running.outbox_worker.stop(drain_s=1)
            for task in tasks:
                task.remove_done_callback(_end_with)
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _end_with(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        print(f"the background task {task.get_name()} died: {error!r}", file=sys.stderr)
        asyncio.get_running_loop().stop()
