"""``python -m store.tidying``: deletes what was finished longer ago than KEEP_CHATS_DAYS.

Raw messages, what was sent, exchanges (and with them what the memory knows), answered questions and the
notices of them. Orders and invoices stay: the tax office wants them for ten years. A queue's row that is not
finished stays whatever its age.
"""

from __future__ import annotations

import asyncio
import sys

import structlog
from sqlalchemy import Connection, delete, exists, or_, select

from config import logging as balas_logging
from config.errors import ConfigError
from config.settings import Settings
from store import retention
from store.doors import Store
from store.errors import StoreError
from store.opening import open_store
from store.schema import alerts, attachments, forwards, handoffs, inbox, notices, now_ms, outbox

log = structlog.get_logger(__name__)

DAY_MS = 24 * 60 * 60 * 1000
# One transaction takes so many, for answers wait for it; and this long is left to them in between.
AT_ONCE = 300
PAUSE_S = 0.2


def delete_some(connection: Connection, *, days: int) -> int:
    """Delete up to ``AT_ONCE`` old rows of each table; how many."""
    before = now_ms() - days * DAY_MS
    old_handoffs = select(handoffs.c.id).where(handoffs.c.finished_ms < before).order_by(handoffs.c.id)
    old_handoff_ids = list(connection.execute(old_handoffs.limit(AT_ONCE)).scalars())
    # A question that is still open keeps the messages that were written because of it.
    still_open = exists().where(
        notices.c.outbox_id == outbox.c.id,
        notices.c.handoff_id == handoffs.c.id,
        handoffs.c.finished_ms.is_(None),
    )
    old_outbox = select(outbox.c.id).where(outbox.c.finished_ms < before, ~still_open).order_by(outbox.c.id)
    old_outbox_ids = list(connection.execute(old_outbox.limit(AT_ONCE)).scalars())
    old_inbox = select(inbox.c.id).where(inbox.c.finished_ms < before).order_by(inbox.c.id)
    old_inbox_ids = list(connection.execute(old_inbox.limit(AT_ONCE)).scalars())
    connection.execute(
        delete(notices).where(
            or_(notices.c.outbox_id.in_(old_outbox_ids), notices.c.handoff_id.in_(old_handoff_ids))
        )
    )
    connection.execute(delete(attachments).where(attachments.c.outbox_id.in_(old_outbox_ids)))
    connection.execute(delete(forwards).where(forwards.c.handoff_id.in_(old_handoff_ids)))
    deleted = 0
    for table, ids in ((handoffs, old_handoff_ids), (outbox, old_outbox_ids), (inbox, old_inbox_ids)):
        deleted += connection.execute(delete(table).where(table.c.id.in_(ids))).rowcount
    # The memories drop them as well.
    deleted += retention.delete_old(connection, days=days)
    deleted += connection.execute(delete(alerts).where(alerts.c.recovered_ms < before)).rowcount
    return deleted


async def tidy(store: Store, *, days: int) -> int:
    """Delete everything that is past its time; how many rows."""
    deleted = 0
    while found := await store.write(lambda c: delete_some(c, days=days)):
        deleted += found
        await asyncio.sleep(PAUSE_S)
    return deleted


async def _run(settings: Settings) -> None:
    store = await open_store(settings)
    try:
        deleted = await tidy(store, days=settings.operation.keep_chats_days)
        log.info("tidied", rows=deleted, days=settings.operation.keep_chats_days)
    finally:
        await store.close()


def main() -> int:
    """Run the command; 0 when all is deleted (or nothing is to be), 1 when the database would not."""
    try:
        settings = Settings.load()
        balas_logging.configure(settings.log, settings.secrets)
        if settings.operation.keep_chats_days:
            asyncio.run(_run(settings))
    except (ConfigError, StoreError) as exc:
        print(f"Nothing more is deleted now: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
