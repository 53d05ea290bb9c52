"""Removes: 200 follows the commit of the notification's row. Here it goes out before."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.mutants import Replace
from webhooks.notifications import Receiver

_under_way: set[asyncio.Task[Any]] = set()


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        async def _received(self: Receiver, raw: bytes) -> tuple[int, str]:
            async def later() -> None:
                # As long as the answer takes to get out.
                await asyncio.sleep(0.05)
                await original(self, raw)

            task = asyncio.create_task(later())
            _under_way.add(task)
            task.add_done_callback(_under_way.discard)
            return 200, "recorded"

        return _received

    replace("webhooks.notifications.Receiver._received", make)
