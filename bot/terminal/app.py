"""Chooses the terminal's form: JSON lines for programs, plain lines for pipes, a chat for people."""

from __future__ import annotations

import sys

from bot.channel import Channel
from bot.terminal.channel import StreamChannel
from bot.terminal.faces import JsonFace, PlainFace
from config.shop import Shop
from store.doors import Store


def terminal_channel(shop: Shop, store: Store, *, json_lines: bool, person: str) -> Channel:
    """The form that fits standard input and output. Build it on the event loop's thread."""
    if json_lines:
        return StreamChannel(JsonFace(), json_lines=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return StreamChannel(PlainFace(shop.nama), json_lines=False, person=person)
    # prompt_toolkit is only for people's eyes.
    from bot.terminal.screen import ScreenChannel

    return ScreenChannel(shop.nama, person=person)
