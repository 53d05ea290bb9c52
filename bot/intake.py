"""Intake: what a channel brings is committed before anything else is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.channel import Recorded
from store import inbox
from store.doors import Store
from store.errors import StoreMisconfigured, StoreUnavailable
from store.inbox import RawEvent

log = structlog.get_logger(__name__)

# A channel's callback must not hang longer than this on a locked or full disk.
COMMIT_TIMEOUT_S = 5.0


class IntakeDoor:
    """The synchronous, thread-safe door for raw events. Build it on the event loop's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._on_recorded: Callable[[str], None] | None = None
        self._loop = asyncio.get_running_loop()

    def listen(self, on_recorded: Callable[[str], None]) -> None:
        """From now on, tell on the loop's thread which chat brought something.

        A channel may record before anybody can answer; whoever comes looks into the inbox first.
        """
        self._on_recorded = on_recorded

    def record(self, event: RawEvent) -> Recorded:
        """Commit the event; never raises, returns only after the commit (or its failure)."""
        try:
            is_new = self._store.record(
                lambda connection: inbox.record(connection, event), timeout_s=COMMIT_TIMEOUT_S
            )
        except (StoreUnavailable, StoreMisconfigured) as exc:
            log.error("not_recorded", message_id=event.message_id, reason=str(exc))
            return Recorded.FAILED
        except Exception:
            # The caller may be a foreign library's thread, where an exception would end its pump.
            log.exception("record_refused", message_id=event.message_id)
            return Recorded.REFUSED
        if not is_new:
            log.info("duplicate_ignored", message_id=event.message_id)
            return Recorded.DUPLICATE
        self._wake(event.lane or event.chat)
        return Recorded.NEW

    def _wake(self, lane: str) -> None:
        if self._on_recorded is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._on_recorded, lane)
        except RuntimeError:
            # The loop is closed: the process is ending, and the next one finds the row.
            log.info("recorded_while_stopping")
