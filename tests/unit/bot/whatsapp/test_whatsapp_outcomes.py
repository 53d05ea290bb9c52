"""What whatsmeow's words mean for a message: tried again, never again, or nobody knows."""

from __future__ import annotations

import pytest

from bot.channel import Parked, Refused, Retry, Unknown
from bot.whatsapp import outcomes


@pytest.mark.parametrize(
    "text",
    [
        "websocket not connected",
        "failed to get device list: failed to send usync query: info query timed out",
        "failed to get device list: failed to send usync query: websocket disconnected before info query "
        "returned response",
        "failed to get user info for 628@s.whatsapp.net to fill LID cache: websocket not connected",
        "failed to get LID for PN 628@s.whatsapp.net: database is locked",
        "failed to fetch LID mappings: database is locked",
        "failed to prefetch sessions: database is locked",
        "the store doesn't contain a device JID",
        "something that nobody has seen yet",
        "server returned error 500",
        "server returned error 503",
    ],
)
def test_what_was_certainly_not_sent_is_tried_again(text: str) -> None:
    assert isinstance(outcomes.of_error(text), Retry)


@pytest.mark.parametrize(
    "text",
    [
        "timed out waiting for message send response",
        "websocket disconnected before message send returned response",
        "websocket disconnected before message send (retry) returned response",
        "failed to send message node: failed to write msg: broken pipe",
    ],
)
def test_what_may_have_been_sent_is_unknown(text: str) -> None:
    assert isinstance(outcomes.of_error(text), Unknown)


@pytest.mark.parametrize("code", sorted(outcomes.NEVER))
def test_what_another_attempt_makes_worse_is_refused(code: int) -> None:
    outcome = outcomes.of_error(f"server returned error {code}")
    assert isinstance(outcome, Refused)
    assert str(code) in outcome.reason


def test_what_is_refused_for_a_while_is_parked() -> None:
    outcome = outcomes.of_error("server returned error 463")
    assert isinstance(outcome, Parked)
    assert "463" in outcome.reason


def test_a_number_that_is_not_on_whatsapp_is_refused() -> None:
    text = "no LID found for 6281200000001@s.whatsapp.net from server"
    assert isinstance(outcomes.of_error(text), Refused)


def test_reasons_name_no_number_and_stay_short() -> None:
    text = f"failed to get LID for PN 6281234567890@s.whatsapp.net: {'x' * 500}\nsecond line"
    outcome = outcomes.of_error(text)
    assert isinstance(outcome, Retry)
    assert "6281234567890" not in outcome.reason
    assert "second" not in outcome.reason
    assert len(outcome.reason) <= 200
