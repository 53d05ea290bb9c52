"""What the commands for people share: settings, the store, and errors told in the owner's language."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Awaitable, Callable

from bot.message import clean
from config import logging
from config.errors import ConfigError
from config.settings import Settings
from store.doors import Store
from store.errors import StoreError, StoreMisconfigured
from store.opening import open_store

DONE, NOT_DONE = 0, 1

Work = Callable[[Settings, Store], Awaitable[int]]


def run_command(work: Work) -> int:
    """Open the store of the settings and do the work; its exit code. A running bot is not disturbed."""
    try:
        settings = Settings.load()
        # The answer is for a person at the terminal; what the libraries do is not.
        logging.configure(dataclasses.replace(settings.log, level="WARNING"), settings.secrets)
        return asyncio.run(_with_store(work, settings))
    except ConfigError as exc:
        return refuse(f"Pengaturan belum benar:\n{exc}")
    except StoreMisconfigured as exc:
        return refuse(f"Database belum bisa dipakai: {exc}")
    except StoreError as exc:
        return refuse(f"Database sedang tidak bisa dipakai: {exc}\nCoba lagi sebentar.")
    except KeyboardInterrupt:
        return refuse("Dihentikan.")


def refuse(reason: str) -> int:
    """Say why nothing was done; the exit code for it."""
    print(reason, file=sys.stderr)
    return NOT_DONE


def one_line(text: str) -> str:
    """A customer's text as one line of a terminal: nothing in it can move the cursor or feign a line."""
    return " ".join(clean(text).split())


async def _with_store(work: Work, settings: Settings) -> int:
    store = await open_store(settings)
    try:
        return await work(settings, store)
    finally:
        await store.close()
