#!/usr/bin/env python3
"""The payment process: reads the settings, serves until it is stopped, ends with a telling exit code.

Exit codes: 0 stopped in good order; 78 a person must change something (Supervisor does not restart it);
1 something is wrong that may pass (Supervisor starts it again).
"""

from __future__ import annotations

import asyncio
import os
import sys

from config import heap
from config import logging as balas_logging
from config.errors import ConfigError
from config.settings import Settings

EXIT_LATER = 1
EXIT_MISCONFIGURED = 78


def main() -> int:
    """Run the payment process; its exit code."""
    heap.collect_nothing()
    try:
        settings = Settings.load()
    except ConfigError as exc:
        return _refuse(f"please change these settings:\n{exc}", EXIT_MISCONFIGURED)
    # What it writes beside the database is for its user alone.
    os.umask(0o077)
    balas_logging.configure(settings.log, settings.secrets)
    balas_logging.catch_uncaught()
    for warning in settings.warnings:
        balas_logging.get_logger("run_webhooks").warning("settings", advice=warning)
    return _run(settings)


def _run(settings: Settings) -> int:
    # Imported after the settings are known to be good: a typo in .env is told in milliseconds.
    from config import ending
    from store.errors import StoreError, StoreMisconfigured
    from webhooks.app import run
    from webhooks.errors import ListenError, ListenMisconfigured

    async def serve() -> None:
        await run(settings)
        # All is closed; a thread that still prints an invoice, or hangs, is not waited for.
        ending.leave(0)

    try:
        asyncio.run(serve())
    except ConfigError as exc:
        return _refuse(f"please change these settings:\n{exc}", EXIT_MISCONFIGURED)
    except (StoreMisconfigured, ListenMisconfigured) as exc:
        return _refuse(str(exc), EXIT_MISCONFIGURED)
    except (StoreError, ListenError) as exc:
        return _refuse(str(exc), EXIT_LATER)
    return 0


def _refuse(reason: str, code: int) -> int:
    print(f"Balas' payment process cannot run: {reason}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
