"""What supervisord writes to its listeners, as its documentation shows it."""

from __future__ import annotations

import pytest

from supervisor.events import Became, Change, change, last_exit, length_of_payload

HEADER = "ver:3.0 server:supervisor serial:21 pool:watch poolserial:10 eventname:PROCESS_STATE_{} len:84\n"


def test_the_length_of_the_payload_is_read_from_the_header() -> None:
    assert length_of_payload(HEADER.format("EXITED")) == 84
    with pytest.raises((KeyError, ValueError)):
        length_of_payload("no header\n")


def test_an_unexpected_exit_is_told_from_an_expected_one() -> None:
    payload = "processname:bot groupname:bot from_state:RUNNING expected:{} pid:2766"
    crashed = change(HEADER.format("EXITED"), payload.format(0))
    assert crashed == Change(program="bot", became=Became.EXITED, expected=False)
    left = change(HEADER.format("EXITED"), payload.format(1))
    assert left == Change(program="bot", became=Became.EXITED, expected=True)


def test_events_that_say_nothing_here_are_none() -> None:
    payload = "processname:bot groupname:bot from_state:STOPPED tries:0"
    assert change(HEADER.format("BACKOFF"), payload) is None
    found = change(HEADER.format("FATAL"), "processname:bot groupname:bot from_state:BACKOFF")
    assert found == Change(program="bot", became=Became.FATAL)


def test_how_a_program_ended_is_read_from_supervisords_log() -> None:
    log = (
        "2026-11-25 03:00:00,000 INFO exited: bot (exit status 75; not expected)\n"
        "2026-11-25 03:00:01,000 INFO exited: webhooks (exit status 0; expected)\n"
        "2026-11-25 03:00:02,000 WARN exited: bot (terminated by SIGKILL; not expected)\n"
    )
    bot, webhooks = last_exit(log, "bot"), last_exit(log, "webhooks")
    assert bot is not None
    assert webhooks is not None
    assert (bot.code, webhooks.code) == ("SIGKILL", "0")
    assert bot.line.startswith("2026-11-25 03:00:02,000")
    assert last_exit(log, "lain") is None
