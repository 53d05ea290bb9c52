"""Work that is done again and again for as long as the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from store.errors import StoreError

log = structlog.get_logger(__name__)


async def every(pause_s: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work again and again; a store or a disk that fails for a while must not end the process."""
    while True:
        try:
            await work()
        except (StoreError, OSError) as exc:
            log.warning("periodic_work_failed", work=name, reason=str(exc))
        await asyncio.sleep(pause_s)
