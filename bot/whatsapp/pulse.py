"""Whether the connection is alive: it can look it and bring nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

from bot.channel import State
from bot.exits import EXIT_AGAIN, EXIT_LATER
from bot.whatsapp.bridge import Bridge
from bot.whatsapp.course import Course
from bot.whatsapp.machine import Happened, Standing

# A send that takes longer means that the server is silent: no other one is begun until it answers.
SLOW_SEND_S = 15.0
# So long may a connection be bad before a new process is the better try. whatsmeow itself gives a silent
# socket up after three minutes, but a send that it repeats after a drop waits for its answer for ever.
DEGRADED_AT_MOST_S = 200.0
# whatsmeow reconnects by itself, at ever longer intervals; now and then it only logs that it failed.
CONNECTING_AT_MOST_S = 900.0
# A session can look alive and bring nothing: after so long without a word WhatsApp is asked something.
SILENCE_S, ANSWER_TIMEOUT_S = 600.0, 60.0
WATCH_EVERY_S = 1.0


class Pulse:
    """WhatsApp's signs of life, and what follows when they stay away."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._sends: dict[object, float] = {}  # those under way, and when each began
        self._heard = time.monotonic()  # WhatsApp's last sign of life

    def beat(self) -> None:
        """WhatsApp said something."""
        self._heard = time.monotonic()

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Around one send: a slow one is how a silent server is noticed first."""
        token = object()
        self._sends[token] = time.monotonic()
        try:
            yield
        finally:
            del self._sends[token]
        self.beat()

    async def watch(self, bridge: Bridge, is_trying: Callable[[], bool]) -> None:
        """Look whether the connection is what it says it is; ``is_trying`` says that Go is at work on it."""
        course = self._course
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            now = time.monotonic()
            state, lasted_s = course.standing.state, now - course.since
            if self._sends and now - min(self._sends.values()) > SLOW_SEND_S:
                course.go(Happened.QUIET, detail="WhatsApp does not acknowledge what was sent")
            elif state is State.DEGRADED and not self._sends and self._heard > course.since:
                course.go(Happened.LIVELY)
            if state is State.DEGRADED and lasted_s > DEGRADED_AT_MOST_S:
                course.end("WhatsApp has been silent for too long", EXIT_LATER)
            elif state is State.CONNECTING and is_trying() and lasted_s > CONNECTING_AT_MOST_S:
                course.end("WhatsApp could not be reached again; a new process tries", EXIT_LATER)
            elif state is State.ONLINE and now - self._heard > SILENCE_S:
                await self._ask_for_a_word(bridge)
            elif state is State.BANNED and _is_over(course.standing):
                course.end("the ban is over; a new process tries to connect", EXIT_AGAIN)

    async def _ask_for_a_word(self, bridge: Bridge) -> None:
        own = await bridge.own_jids()
        try:
            question = bridge.answers(own[0].partition("@")[0] if own else "")
            answered = await asyncio.wait_for(question, ANSWER_TIMEOUT_S)
        except TimeoutError:
            answered = False
        self.beat()
        if not answered:
            self._course.end("the session looks alive but WhatsApp does not answer", EXIT_LATER)


def _is_over(ban: Standing) -> bool:
    return ban.until_ms is not None and time.time() * 1000 > ban.until_ms
