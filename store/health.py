"""What both processes say about their health: one place for limits, reasons and the body of `/metrics`."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from store import metrics, vitals
from store.doors import Store
from store.errors import StoreError
from store.vitals import Vitals

# A database that waits for its lock must not keep a monitor waiting.
READ_TIMEOUT_S = 2.0
_MB = 1024 * 1024


async def read_vitals(store: Store, account: str, *, zone: tzinfo = UTC) -> Vitals | None:
    """The account's figures; None when the database does not give them in time."""
    day = datetime.now(zone).date().isoformat()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return await store.read(lambda c: vitals.read(c, account, day=day), slow=True)
    except (StoreError, TimeoutError):
        return None


async def metrics_body(store: Store, account: str, *, zone: tzinfo = UTC) -> bytes:
    """The body of `/metrics`."""
    return metrics.exposition(await read_vitals(store, account, zone=zone))


def free_mb(folder: Path) -> int:
    """Room left where the folder is, in megabytes, for a user without special rights."""
    return shutil.disk_usage(folder).free // _MB
