"""`POST /midtrans/notification`: bytes in, signature compared, committed, 200. Everything else comes later.

The answer tells Midtrans whether to send it again: 200 once the row is on disk (also for what was there
before, for orders that are none of ours, and for the dashboard's test button), 400 for what is no JSON, 403
for a wrong signature, 503 when the row cannot be committed in time. Never 500, which it repeats only once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web

from billing.signature import is_signed
from config.secret import Secret
from store.errors import StoreError
from store.event_batches import EventBatches
from store.payment_events import Notification
from webhooks.metrics import Metrics
from webhooks.patience import Patience

log = structlog.get_logger(__name__)

PATH = "/midtrans/notification"
# Midtrans waits 15 s and likes 5; SQLite's own patience is longer than both.
COMMIT_TIMEOUT_S = 4.0
# What an attempt's id may look like; the rest is signed by Midtrans, and about nothing that we know.
_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_FOREIGN = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """Takes notifications for one account. ``recorded`` is called when there is work to do."""

    batches: EventBatches
    server_key: Secret
    metrics: Metrics
    recorded: Callable[[], None]
    patience: Patience = field(default_factory=lambda: Patience(COMMIT_TIMEOUT_S))

    async def receive(self, raw: bytes) -> int:
        """The HTTP status for a body; nothing that it holds makes this raise."""
        status, result = await self._received(raw)
        self.metrics.count(result)
        if status != 200:
            # Without the body: whoever sent it may have put anything there.
            log.warning("notification_refused", status=status, result=result, size=len(raw))
        return status

    async def _received(self, raw: bytes) -> tuple[int, str]:
        fields = parse(raw)
        if fields is None:
            return 400, "no_json"
        if not is_signed(fields, self.server_key.reveal()):
            return 403, "bad_signature"
        order_id = fields["order_id"]
        key = order_id if _ID.fullmatch(order_id) else _FOREIGN
        kept = self.batches.record(Notification(key=key, body=raw))
        self.patience.watch(kept)
        try:
            is_new = await kept
        except (StoreError, TimeoutError) as exc:
            log.error("notification_not_recorded", reason=str(exc) or type(exc).__name__)
            return 503, "not_recorded"
        if is_new:
            self.recorded()
        return 200, "recorded" if is_new else "duplicate"


def parse(raw: bytes) -> dict[str, Any] | None:
    """The body's JSON object; None for everything else."""
    try:
        # JSON that is sent is UTF-8 (RFC 8259); to guess at others costs half as much as to read it.
        fields = json.loads(raw.decode())
    except (ValueError, RecursionError):
        # Also what is no UTF-8, numbers of thousands of digits, and brackets in brackets in brackets.
        return None
    return fields if isinstance(fields, dict) else None


def routes(receiver: Receiver) -> list[web.RouteDef]:
    """The one route that Midtrans knows."""

    async def notification(request: web.Request) -> web.Response:
        try:
            status = await receiver.receive(await request.read())
        except Exception:
            log.exception("notification_failed")
            status = 503
        return web.Response(status=status, text="ok" if status == 200 else "")

    return [web.post(PATH, notification)]
