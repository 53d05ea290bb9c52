#!/usr/bin/env python3
"""The bot's process: reads the settings, starts the bot on a channel, ends with a telling exit code.

Exit codes: 0 stopped in good order; 78 a person must change something (Supervisor does not restart it);
75 WhatsApp needs a fresh process, for a new pairing code say; 1 something broke (Supervisor restarts both).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING

from bot.exits import EXIT_LATER, EXIT_MISCONFIGURED, EXIT_OK
from bot.whatsapp import birth
from config import heap

# numpy's BLAS takes its number of threads when it is loaded. Our matrices are small: a second thread spins
# longer than it computes, on cores that the answers need.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from bot.app import ChannelFactory
    from bot.channel import Channel
    from config.settings import Settings
    from config.shop import Shop
    from store.doors import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bot; the process's exit code."""
    options = _parser().parse_args(arguments)
    if options.channel is None:
        options.channel = "terminal" if options.jsonl or options.person else "whatsapp"
    if options.channel == "whatsapp":
        # Before anything large is imported, for it may run this command once more.
        birth.ensure_any()
    heap.collect_nothing()
    from config.errors import ConfigError
    from config.settings import Settings

    try:
        settings = Settings.load()
    except ConfigError as exc:
        print(f"Balas cannot start; please change these settings:\n{exc}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    if options.channel == "whatsapp":
        birth.ensure(bot_tag=settings.whatsapp.bot_tag)
        # The session file holds the keys of the shop's WhatsApp, and Go would create it for everybody.
        os.umask(0o077)
    return _start(settings, options)


def _start(settings: Settings, options: argparse.Namespace) -> int:
    # Imported after the settings are known to be good: a typo in .env is told in milliseconds.
    import asyncio

    from config import logging as balas_logging

    balas_logging.configure(settings.log, settings.secrets)
    balas_logging.catch_uncaught()
    log = balas_logging.get_logger("run_bot")
    for warning in settings.warnings:
        log.warning("settings", advice=warning)
    try:
        return asyncio.run(_run(settings, _channel_factory(settings, options)))
    except KeyboardInterrupt:
        return EXIT_OK


def _channel_factory(settings: Settings, options: argparse.Namespace) -> ChannelFactory:
    if options.channel == "whatsapp":
        from bot.whatsapp.app import whatsapp_channel
        from config import logging as balas_logging

        reclaim_logging = partial(balas_logging.configure, settings.log, settings.secrets)
        return partial(whatsapp_channel, settings=settings, reclaim_logging=reclaim_logging)
    from bot.terminal.app import terminal_channel

    return partial(terminal_channel, json_lines=options.jsonl, person=options.person or "pelanggan")


async def _run(settings: Settings, make_channel: ChannelFactory) -> int:
    from bot.app import run
    from config import ending
    from config import logging as balas_logging

    channels: list[Channel] = []

    def remember(shop: Shop, store: Store) -> Channel:
        channels.append(make_channel(shop, store))
        return channels[0]

    code = EXIT_LATER
    try:
        code = await _exit_code(run(settings, remember))
    finally:
        if channels and channels[0].traits.foreign_threads:
            if (error := sys.exception()) is not None:
                balas_logging.get_logger("run_bot").critical("bot_broke", exc_info=error)
            ending.leave(code)
    return code


async def _exit_code(running: Coroutine[None, None, None]) -> int:
    from bot.channel import ChannelEnded
    from config.errors import ConfigError
    from rag.errors import ModelMisconfigured
    from store.errors import StoreError, StoreMisconfigured

    try:
        await running
    except ChannelEnded as exc:
        return _refuse(str(exc), exc.exit_code)
    except (ConfigError, ModelMisconfigured, StoreMisconfigured) as exc:
        return _refuse(str(exc), EXIT_MISCONFIGURED)
    except StoreError as exc:
        # A database that is away or locked comes back by itself; Supervisor tries again.
        return _refuse(str(exc), EXIT_LATER)
    return EXIT_OK


def _refuse(reason: str, code: int) -> int:
    print(f"Balas cannot run: {reason}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_bot.py", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument(
        "--channel",
        choices=["whatsapp", "terminal"],
        help="where customers write (default: whatsapp, or terminal with one of the options below)",
    )
    parser.add_argument(
        "--as",
        dest="person",
        metavar="NAME",
        help="terminal: who you are; 'owner' is the shop's owner (default: pelanggan)",
    )
    parser.add_argument(
        "--jsonl", action="store_true", help="terminal: JSON lines in and out, with ids, for programs"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
