"""Intake: what a channel brings is committed before anything else is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot.channel import Recorded
from store import inbox, metrics
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
        """``record_all`` for a single event."""
        return self.record_all([event])[0]

    def record_all(self, events: Sequence[RawEvent]) -> list[Recorded]:
        """Commit the events together; never raises, returns only after the commit (or its failure).

        One that the database will never take is refused by itself, without the others.
        """
        if not events:
            return []
        try:
            new = self._store.record(
                lambda connection: [inbox.record(connection, event) for event in events],
                timeout_s=COMMIT_TIMEOUT_S,
            )
        except (StoreUnavailable, StoreMisconfigured) as exc:
            log.error("not_recorded", events=len(events), reason=str(exc))
            return [Recorded.FAILED] * len(events)
        except Exception:
            # The caller may be a foreign library's thread, where an exception would end its pump.
            if len(events) > 1:
                return [self.record(event) for event in events]
            log.exception("record_refused", message_id=events[0].message_id)
            return [Recorded.REFUSED]
        for event, is_new in zip(events, new, strict=True):
            if is_new:
                self._wake(event.lane or event.chat)
            else:
                metrics.DUPLICATES.inc()
                log.info("duplicate_ignored", message_id=event.message_id)
        return [Recorded.NEW if is_new else Recorded.DUPLICATE for is_new in new]

    def _wake(self, lane: str) -> None:
        if self._on_recorded is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._on_recorded, lane)
        except RuntimeError:
            # The loop is closed: the process is ending, and the next one finds the row.
            log.info("recorded_while_stopping")
