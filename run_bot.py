#!/usr/bin/env python3
"""The WhatsApp process: reads the settings, starts the bot on a channel, ends with a telling exit code.

Exit codes: 0 stopped in good order; 78 a person must change something (Supervisor does not restart it);
1 something broke (Supervisor starts it again).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from functools import partial

from config import logging as balas_logging
from config.errors import ConfigError
from config.settings import Settings

EXIT_LATER = 1
EXIT_MISCONFIGURED = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bot; the process's exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.load()
    except ConfigError as exc:
        print(f"Balas cannot start; please change these settings:\n{exc}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    balas_logging.configure(settings.log, settings.secrets)
    balas_logging.catch_uncaught()
    log = balas_logging.get_logger("run_bot")
    for warning in settings.warnings:
        log.warning("settings", advice=warning)
    return _run(settings, options)


def _run(settings: Settings, options: argparse.Namespace) -> int:
    # Imported after the settings are known to be good: a typo in .env is told in milliseconds.
    from bot.app import run
    from bot.terminal.app import terminal_channel
    from rag.errors import ModelMisconfigured
    from store.errors import StoreError, StoreMisconfigured

    make_channel = partial(terminal_channel, json_lines=options.jsonl, person=options.person)
    try:
        asyncio.run(run(settings, make_channel))
    except (ConfigError, ModelMisconfigured, StoreMisconfigured) as exc:
        return _refuse(str(exc), EXIT_MISCONFIGURED)
    except StoreError as exc:
        # A database that is away or locked comes back by itself; Supervisor tries again.
        return _refuse(str(exc), EXIT_LATER)
    except KeyboardInterrupt:
        return 0
    return 0


def _refuse(reason: str, code: int) -> int:
    print(f"Balas cannot run: {reason}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_bot.py", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument(
        "--channel",
        choices=["terminal"],
        default="terminal",
        help="where customers write (default: %(default)s)",
    )
    parser.add_argument(
        "--as",
        dest="person",
        default="pelanggan",
        metavar="NAME",
        help="who you are in the terminal; 'owner' is the shop's owner (default: %(default)s)",
    )
    parser.add_argument(
        "--jsonl", action="store_true", help="terminal: JSON lines in and out, with ids, for programs"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
