"""Who got his invoice: the checker of guarantee 8."""

from __future__ import annotations

from sqlalchemy import select

from sandbox.starsender import StarsenderServer
from store.doors import Store
from store.schema import invoices, outbox


async def verdict(store: Store, starsender: StarsenderServer) -> list[str]:
    """Numbers of invoices that reached nobody, wait nowhere, and of which the owner heard nothing."""

    rows = await store.read(lambda c: c.execute(select(outbox)).all())
    numbers = await store.read(lambda c: c.execute(select(invoices.c.number)).scalars().all())
    arrived = {sent.name.removesuffix(".pdf").replace("-", "/") for sent in starsender.sent if sent.file}
    # The bot's own outbox has its guarantee elsewhere: what is there arrives, or is told.
    at_the_bot = {
        row.document
        for row in rows
        if row.transport != "starsender"
        and row.kind == "document"
        and row.state in ("new", "claimed", "done")
    }
    waiting = {row.document for row in rows if row.state in ("new", "claimed")}
    return [number for number in numbers if number not in arrived | at_the_bot | waiting]
