"""Which file goes on with the answer that an admin is giving, and which is none of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Row

from bot.channel import IncomingFile, IncomingMessage
from bot.room.albums import NEXT_WITHIN_MS, Albums
from bot.room.command import Request
from store.handoffs import Notice

FILE = IncomingFile(mimetype="image/jpeg", filename="", size_bytes=8)


def notice(outbox_id: int = 1) -> Notice:
    return Notice(
        kind="handoff", customer_id=1, turn_id=None, handoff_id=1, draft_id=None, outbox_id=outbox_id
    )


def sent(
    at_ms: int, *, sender: str = "rina", kind: str = "image", about: Notice | None = None, file: bool = True
) -> Request:
    return Request(
        row=cast(Row[Any], SimpleNamespace(recorded_ms=at_ms)),
        message=IncomingMessage(
            chat="room",
            sender=sender,
            message_id=str(at_ms),
            kind=kind,
            text="",
            addresses=(),
            file=FILE if file else None,
        ),
        text="",
        notice=about,
    )


@pytest.fixture
def albums() -> Albums:
    """One in which Rina's picture went to whom her notice is about, at 0."""
    begun = Albums()
    begun.begins(sent(0, about=notice()))
    return begun


@pytest.mark.parametrize("kind", ["image", "video"])
def test_the_next_picture_is_about_what_the_last_one_was_about(albums: Albums, kind: str) -> None:
    assert albums.notice_of(sent(NEXT_WITHIN_MS, kind=kind)) == notice()


def test_each_picture_gives_the_next_one_its_time(albums: Albums) -> None:
    albums.begins(sent(NEXT_WITHIN_MS, about=notice()))
    assert albums.notice_of(sent(2 * NEXT_WITHIN_MS)) == notice()


@pytest.mark.parametrize(
    "request_",
    [
        sent(NEXT_WITHIN_MS + 1),
        sent(-1),
        sent(1, sender="joko"),
        sent(1, kind="document"),
        sent(1, kind="audio"),
        sent(1, kind="sticker"),
        sent(1, kind="text", file=False),
    ],
)
def test_anything_else_is_about_nothing(albums: Albums, request_: Request) -> None:
    assert albums.notice_of(request_) is None


def test_before_anything_was_begins_nothing_goes_on() -> None:
    assert Albums().notice_of(sent(1)) is None
    assert not Albums().goes_on(sent(1, about=notice()))


@pytest.mark.parametrize("kind", ["image", "video", "document", "audio"])
def test_a_file_behind_the_same_notice_goes_on_and_behind_another_it_does_not(
    albums: Albums, kind: str
) -> None:
    assert albums.goes_on(sent(1, kind=kind, about=notice()))
    assert not albums.goes_on(sent(1, kind=kind, about=notice(2)))
    assert not albums.goes_on(sent(1, kind=kind, sender="joko", about=notice()))
    assert not albums.goes_on(sent(NEXT_WITHIN_MS + 1, kind=kind, about=notice()))
    assert not albums.goes_on(sent(1, kind="text", file=False, about=notice()))


def test_after_its_end_nothing_goes_on(albums: Albums) -> None:
    albums.end(sent(1))
    assert albums.notice_of(sent(2)) is None
    albums.end(sent(3))
