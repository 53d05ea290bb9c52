"""Brings notifications to the merchant's address, and tries again by Midtrans's rules.

On command it brings them twice, late, in another order, or not at all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

# After so many minutes each further attempt is made.
PAUSES_MIN = (2, 10, 30, 90, 210)
TIMEOUT_S = 15.0
# How often it is tried again, by the answer's status; any other answer but success gets them all.
_RETRIES = {500: 1, 503: 4, 400: 2, 404: 2}


def retries_after(status: int | None) -> int:
    """How many further attempts an answer is worth; None is no answer at all."""
    if status is None:
        return len(PAUSES_MIN)
    if 200 <= status < 300:
        return 0
    return _RETRIES.get(status, len(PAUSES_MIN))


@dataclass(kw_only=True)
class Delivery:
    """One notification and how each attempt went: the HTTP status, or None without an answer."""

    body: dict[str, Any]
    answers: list[int | None] = field(default_factory=list)


class Courier:
    """``url`` None keeps everything to itself. ``minute_s`` is how long its minutes are."""

    def __init__(self, *, url: str | None, minute_s: float) -> None:
        self.url = url
        self.minute_s = minute_s
        self.deliveries: list[Delivery] = []
        # Each notification is brought so often, at once and without waiting for each other.
        self.copies = 1
        self.delay_s = 0.0
        # So many of the next ones are lost on the way.
        self.dropping = 0
        self._held: list[Delivery] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        # Loopback only: a proxy of this machine has nothing to do with it.
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=False)

    async def close(self) -> None:
        """Nothing is brought any more."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(self, body: Mapping[str, Any]) -> None:
        """Take one notification; it goes on its way by itself."""
        if self.dropping:
            self.dropping -= 1
            return
        for _ in range(self.copies):
            delivery = Delivery(body=dict(body))
            self.deliveries.append(delivery)
            if self._held is not None:
                self._held.append(delivery)
            else:
                self._start(delivery)

    def hold(self) -> None:
        """Keep what comes until ``release``."""
        self._held = [] if self._held is None else self._held

    def release(self, *, reverse: bool = False) -> None:
        """Bring what was kept, in its order or from the last to the first, each after the one before it."""
        held, self._held = self._held or [], None
        if reverse:
            held.reverse()
        task = asyncio.create_task(self._one_after_the_other(held), name="courier")
        self._keep(task)

    async def settled(self) -> None:
        """Return once nothing is under way, retries included."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def bring(self, raw: bytes, headers: Mapping[str, str] | None = None) -> int | None:
        """Bring exactly these bytes once; the status, or None without an answer."""
        assert self._session is not None
        if self.url is None:
            return None
        told = {"Content-Type": "application/json", **(headers or {})}
        try:
            # Redirects are the merchant's mistake; Midtrans does not follow them either.
            async with self._session.post(
                self.url, data=raw, headers=told, allow_redirects=False
            ) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _start(self, delivery: Delivery) -> None:
        self._keep(asyncio.create_task(self._deliver(delivery), name="courier"))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _one_after_the_other(self, held: list[Delivery]) -> None:
        for delivery in held:
            await self._deliver(delivery)

    async def _deliver(self, delivery: Delivery) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.url is None:
            return
        raw = json.dumps(delivery.body).encode()
        for pause_min in (*PAUSES_MIN, None):
            status = await self.bring(raw)
            delivery.answers.append(status)
            if pause_min is None or len(delivery.answers) > retries_after(status):
                return
            await asyncio.sleep(pause_min * self.minute_s)
