"""The terminal's raw events: what goes in comes out, and a bad line is told, not raised."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Unreadable
from bot.terminal import codec
from bot.terminal.channel import switched, typed
from bot.terminal.codec import BadLine, Line
from store.customers import Address
from store.inbox import RawEvent

NAMES = st.from_regex(r"[a-z0-9_.+@-]{1,64}", fullmatch=True)
IDS = st.text(alphabet="abcdef0123456789-", min_size=1, max_size=32)
# What UTF-8 can carry; half a character is replaced, see below.
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def _row(event: RawEvent, **changed: Any) -> Any:
    return SimpleNamespace(
        id=1,
        codec=event.codec,
        raw=event.raw,
        chat=event.chat,
        sender=event.sender,
        message_id=event.message_id,
        kind=event.kind,
        **changed,
    )


@given(person=NAMES, text=TEXTS, message_id=IDS, quote=st.none() | IDS, name=st.none() | TEXTS.filter(bool))
def test_a_line_survives_its_way_through_the_inbox(
    person: str, text: str, message_id: str, quote: str | None, name: str | None
) -> None:
    given_line = {"id": message_id, "from": person, "text": text, "quote": quote, "name": name}
    line = codec.from_json(json.dumps(given_line))
    message = codec.parse(_row(codec.encode(line, account="utama")))
    assert (message.chat, message.sender, message.message_id) == (person, person, message_id)
    assert (message.text, message.quoted_id) == (text, quote)
    assert message.name == (name or person.capitalize())
    assert message.addresses == (Address("terminal", person),)


@given(st.text())
def test_no_line_whatever_raises_anything_but_bad_line(text: str) -> None:
    with contextlib.suppress(BadLine):
        assert codec.is_id(codec.from_json(text).message_id)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "halo",
        "[]",
        "3",
        "{}",
        "[" * 100_000,
        '{"id": "1", "from": "budi"}',
        '{"id": 1, "from": "budi", "text": "halo"}',
        '{"id": "1", "from": "budi", "text": null}',
        '{"id": "", "from": "budi", "text": "halo"}',
        '{"id": "a b", "from": "budi", "text": "halo"}',
        '{"id": "a\\u00a0b", "from": "budi", "text": "halo"}',
        '{"id": "a\\u0000", "from": "budi", "text": "halo"}',
        '{"id": "\\ud800", "from": "budi", "text": "halo"}',
        '{"id": "1", "from": "budi s", "text": "halo"}',
        '{"id": "1", "from": "", "text": "halo"}',
        '{"id": "1", "from": "budi", "text": "halo", "quote": 3}',
        '{"id": "1", "from": "budi", "text": "halo", "quote": "\\u0000"}',
        '{"id": "1", "from": "budi", "text": "halo", "name": []}',
    ],
)
def test_a_bad_line_says_what_is_expected(line: str) -> None:
    with pytest.raises(BadLine, match=r".{8,}"):
        codec.from_json(line)


def test_half_a_character_is_replaced_rather_than_refused() -> None:
    line = codec.from_json('{"id": "1", "from": "budi", "text": "halo \\ud83d"}')
    assert codec.parse(_row(codec.encode(line, account="utama"))).text == "halo ?"


@pytest.mark.parametrize(
    ("stored_codec", "raw"),
    [
        ("whatsapp/1", b'{"text": "a", "quote": null, "name": "b"}'),
        (codec.CODEC, b"{"),
        (codec.CODEC, b"\xff"),
        (codec.CODEC, b"[]"),
        (codec.CODEC, b'"text"'),
        (codec.CODEC, b'{"text": "a"}'),
        (codec.CODEC, b'{"text": 3, "quote": null, "name": "b"}'),
    ],
)
def test_a_row_that_is_no_terminal_event_is_unreadable(stored_codec: str, raw: bytes) -> None:
    event = codec.encode(Line(person="budi", text="halo", message_id="1"), account="utama")
    row = _row(event)
    row.codec, row.raw = stored_codec, raw
    with pytest.raises(Unreadable):
        codec.parse(row)


@pytest.mark.parametrize(
    ("text", "body", "quoted"),
    [
        (">12 bisa kak", "bisa kak", "12"),
        ("> 12 bisa\nkak", "bisa\nkak", "12"),
        ("12 bisa", "12 bisa", None),
        (">bisa", ">bisa", None),
        (">12", ">12", None),
        ("> 3 ya", "ya", "3"),
    ],
)
def test_a_typed_line_may_quote_by_number(text: str, body: str, quoted: str | None) -> None:
    line = typed(text, "budi")
    assert (line.text, line.quoted_id, line.person) == (body, quoted, "budi")
    assert codec.is_id(line.message_id)
    assert typed(text, "budi").message_id != line.message_id


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("/as Siti", "siti"),
        ("/sebagai owner", "owner"),
        ("/as", None),
        ("/as dua kata", None),
        ("/help", None),
        ("/as  budi ", "budi"),
    ],
)
def test_people_take_turns_at_one_keyboard(text: str, person: str | None) -> None:
    assert switched(text) == person
