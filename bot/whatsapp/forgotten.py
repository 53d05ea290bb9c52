"""Answers that a customer's phone asks for again and that the library does not have any more. Pure.

whatsmeow keeps what it sent in its memory alone, and no more than 256 messages of it. Asked for anything else
it only logs that, and that line is the one sign that reaches Python without harm: neonize passes receipts on
as well, but one of a kind that it has no number for ends its event pump, and any phone can send such a one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.whatsapp import jids

LOGGER = "whatsmeow.Client"
# whatsmeow's `receipt.go`, `retry.go`: chat, message, who asks, why not.
_NOT_THERE = re.compile(
    r"Failed to handle retry receipt for (?P<chat>\S+)/(?P<id>\S+) from (?P<sender>\S+): "
    r"couldn't find message"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """A message that could not be read where it arrived: ``chat`` is the customer's own address."""

    chat: str
    message_id: str


def of_log(line: str) -> Forgotten | None:
    """What the library says that it no longer has; None for any other line, and where nobody is helped.

    Only the customer's own phone counts: on his other devices the answer stands beside a gap, and sent again
    it would stand on his phone twice. The same goes for groups, and for the shop's phone, which got a copy.
    """
    if (found := _NOT_THERE.match(line)) is None:
        return None
    try:
        user, server = jids.split(found["chat"])
        asker, asker_server = jids.split(found["sender"])
    except ValueError:
        return None
    if server not in jids.PRIVATE or (asker, asker_server) != (user, server):
        return None
    return Forgotten(chat=f"{user}@{server}", message_id=found["id"])


class Listener(logging.Filter):
    """Hears the library's log and lets all of it pass; ``heard`` is called on the log's own thread."""

    def __init__(self, heard: Callable[[Forgotten], None]) -> None:
        super().__init__()
        self._heard = heard

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING and (found := of_log(record.getMessage())) is not None:
            self._heard(found)
        return True

    def begin(self) -> None:
        logging.getLogger(LOGGER).addFilter(self)

    def end(self) -> None:
        logging.getLogger(LOGGER).removeFilter(self)
