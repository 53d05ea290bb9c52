"""What the library's log says of answers that it was asked for again and no longer has."""

from __future__ import annotations

import logging

import pytest

from bot.whatsapp import forgotten
from bot.whatsapp.forgotten import Forgotten, Listener

LINE = "Failed to handle retry receipt for {chat}/3EB0AA from {sender}: couldn't find message 3EB0AA"


def line(chat: str, sender: str) -> str:
    return LINE.format(chat=chat, sender=sender)


@pytest.mark.parametrize("chat", ["111@lid", "62812@s.whatsapp.net"])
def test_the_customers_own_phone_is_heard(chat: str) -> None:
    assert forgotten.of_log(line(chat, chat)) == Forgotten(chat=chat, message_id="3EB0AA")


@pytest.mark.parametrize(
    "text",
    [
        line("111@lid", "111:7@lid"),  # another device of his: the answer stands on his phone
        line("111@lid", "999@lid"),  # the shop's phone, about its copy
        line("1203@g.us", "111@lid"),
        line("111", "111"),
        "Failed to handle retry receipt for 111@lid/3EB0AA from 111@lid: failed to fetch prekeys",
        "Connected",
    ],
)
def test_nothing_else_is(text: str) -> None:
    assert forgotten.of_log(text) is None


def test_the_listener_lets_every_line_pass_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Forgotten] = []
    listener = Listener(heard.append)
    log = logging.getLogger(forgotten.LOGGER)
    listener.begin()
    log.error(line("111@lid", "111@lid"))
    log.warning("something else, 100%")
    listener.end()
    log.error(line("222@lid", "222@lid"))
    assert heard == [Forgotten(chat="111@lid", message_id="3EB0AA")]
    assert len(caplog.records) == 3
