"""How the connection stands: its state, told to others in the order of its changes, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

import structlog

from bot.channel import ChannelEnded, State
from bot.exits import EXIT_AGAIN, EXIT_MISCONFIGURED
from bot.whatsapp.machine import Happened, Standing, after
from bot.whatsapp.notes import Notes

log = structlog.get_logger(__name__)


class Course:
    """What everybody who works on the connection shares; every method runs on the event loop.

    ``ended`` is raised from when only another process can go on (``ChannelEnded``), or when one of the tasks
    that are held here fails.
    """

    def __init__(self, notes: Notes) -> None:
        self.standing = Standing(state=State.STARTING)
        self.online = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.since = time.monotonic()  # when the present state began
        self._notes = notes
        self._to_tell: asyncio.Queue[Standing] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def go(self, happened: Happened, *, detail: str = "", until_ms: int | None = None) -> None:
        """Something happened: whatever state follows from it is taken, written down, and acted on."""
        now = after(self.standing, happened, detail=detail, until_ms=until_ms)
        if self.standing.state is State.STOPPING:
            self._go_while_stopping(happened)
        if now == self.standing:
            return
        if now.state is not self.standing.state:
            self.since = time.monotonic()
        self.standing = now
        log.info("whatsapp_state", state=now.state.value, detail=now.detail)
        if now.state is State.ONLINE:
            self.online.set()
        elif now.state is not State.STOPPING:
            self.online.clear()
        self._to_tell.put_nowait(now)
        if now.state is State.LOGGED_OUT:
            self.end("logged out on the phone; a new code has to be scanned", EXIT_AGAIN)
        elif now.state in (State.REPLACED, State.OUTDATED):
            self.end(now.detail, EXIT_MISCONFIGURED)

    def _go_while_stopping(self, happened: Happened) -> None:
        """The socket may drop and come back during a stop, and what was answered waits to be sent over it."""
        if happened is Happened.CONNECTED:
            self.online.set()
        elif happened is Happened.DISCONNECTED:
            self.online.clear()

    def end(self, reason: str, exit_code: int) -> None:
        """The process must end; Supervisor goes by the code."""
        if not self.ended.done():
            self.ended.set_exception(ChannelEnded(reason, exit_code=exit_code))

    def begin(self) -> None:
        """From now on the state is written down whenever it changes."""
        self.hold("tell", self._tell_in_order())

    async def _tell_in_order(self) -> None:
        while True:
            standing = await self._to_tell.get()
            try:
                await self._notes.state(standing)
            finally:
                self._to_tell.task_done()

    def hold(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task of the connection's; its failure is the channel's."""
        if (earlier := self._tasks.get(name)) is not None:
            earlier.cancel()
        task = self._tasks[name] = asyncio.create_task(work, name=f"whatsapp-{name}")
        task.add_done_callback(partial(self._held_ended, name))

    def _held_ended(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None and not self.ended.done():
            self.ended.set_exception(error)

    async def close(self) -> None:
        """Write the last state down and end the tasks."""
        if "tell" in self._tasks:
            # The last state must be written before the store closes.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._to_tell.join(), 1.0)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.ended.done() and not self.ended.cancelled():
            # Whoever runs the channel has seen it, or never ran it.
            self.ended.exception()
