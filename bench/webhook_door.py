"""The door of the payment process without what works behind it: ``python -m bench.webhook_door``.

Settings come from the environment, as for ``run_webhooks.py``; it prints its port and serves until its
input ends. What it measures is what Midtrans waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

from config import logging
from config.settings import Settings
from store.event_batches import EventBatches
from store.opening import open_store
from webhooks.app import make_app, serving
from webhooks.metrics import Metrics
from webhooks.notifications import Receiver, routes


async def _serve(settings: Settings) -> None:
    assert settings.billing.server_key is not None
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        synchronous = await store.write(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar())
        # 2 is FULL: without it the comparison would be of something else.
        assert synchronous == 2
        receiver = Receiver(
            batches=EventBatches(store, settings.account),
            server_key=settings.billing.server_key,
            metrics=Metrics(),
            recorded=lambda: None,
        )
        app = make_app(store, settings.account, routes=routes(receiver))
        _, port = await stack.enter_async_context(serving(app, settings.webhooks, drain_s=1))
        print(json.dumps({"port": port}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    loaded = Settings.load(env_file=None)
    logging.configure(loaded.log, loaded.secrets)
    asyncio.run(_serve(loaded))
