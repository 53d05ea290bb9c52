"""Cleaning what customers write, and joining a burst."""

from __future__ import annotations

import time
import unicodedata
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import IncomingMessage
from bot.message import MAX_CONTEXT_CHARS, MAX_NAME_CHARS, Said, clean, clean_name, join
from store.customers import Address


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("halo\x00 kak\x07", "halo kak"),
        ("harga \u202e000.051\u202c", "harga 000.051"),
        ("\u2066rahasia\u2069", "rahasia"),
        ("\ufeffhalo", "halo"),
        ("patah \ud800 di sini", "patah  di sini"),
        ("satu\r\ndua\rtiga", "satu\ndua\ntiga"),
        ("cafe\u0301", "café"),
        ("e\x00\u0301", "é"),
        ("  tepi\n\n", "tepi"),
        ("tab\tdan\nbaris tinggal", "tab\tdan\nbaris tinggal"),
        ("keluarga 👨‍👩‍👧", "keluarga 👨‍👩‍👧"),
        ("\ue000", ""),
    ],
)
def test_what_carries_no_meaning_is_removed(written: str, read: str) -> None:
    assert clean(written) == read


def test_ten_thousand_characters_are_cleaned_whole_and_quickly() -> None:
    started = time.perf_counter()
    assert len(clean("a\u0301\x00" * 10_000)) == 10_000
    assert time.perf_counter() - started < 1.0


@given(st.text(alphabet=st.characters(), max_size=200))
def test_a_cleaned_text_is_composed_encodable_and_clean_already(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ("Budi", "Budi"),
        ("  Budi\n✅ Tersimpan.\n", "Budi ✅ Tersimpan."),
        ("Bu\x00di", "Budi"),
        ("\u202e", None),
        ("", None),
        (None, None),
        ("x" * 500, "x" * MAX_NAME_CHARS),
    ],
)
def test_a_profile_name_is_one_short_clean_line(chosen: str | None, shown: str | None) -> None:
    assert clean_name(chosen) == shown


def _message(text: str, context: str = "", **fields: Any) -> IncomingMessage:
    values: dict[str, Any] = {
        "chat": "budi",
        "sender": "budi",
        "message_id": f"id-{text}",
        "kind": "text",
        "text": text,
        "addresses": (Address("terminal", "budi"),),
        "context": context,
    }
    return IncomingMessage(**(values | fields))


def _edit(of: str, text: str) -> IncomingMessage:
    return _message(text, message_id=f"edit-{text}", kind="edit", quoted_id=f"id-{of}")


def _revoke(of: str) -> IncomingMessage:
    return _message("", message_id=f"revoke-{of}", kind="revoke", quoted_id=f"id-{of}")


def _said(*messages: IncomingMessage) -> Said:
    return join([SimpleNamespace(id=n) for n in range(len(messages))], messages)  # type: ignore[misc] # only the id is read.


def test_a_burst_is_one_text_in_its_order_without_empty_parts() -> None:
    said = _said(_message("satu"), _message("\x00"), _message("dua "))
    assert said.text == "satu\ndua"
    assert said.parts == ("satu", "", "dua")
    assert said.row_ids == [0, 1, 2]
    assert said.message_ids == ("id-satu", "id-\x00", "id-dua ")


def test_the_same_context_is_said_once_cleaned_and_short() -> None:
    status = "Gamis Sarah 185rb\x00"
    said = _said(_message("masih ada?", status), _message("yang merah", status), _message("ini", "x" * 5_000))
    assert said.context.startswith("Gamis Sarah 185rb\nxxx")
    assert len(said.context) == MAX_CONTEXT_CHARS


def test_an_edit_within_the_burst_counts_as_if_it_had_been_written_so() -> None:
    said = _said(_message("2 galon"), _message("hari ini ya"), _edit("2 galon", "3 galon"))
    assert said.text == "3 galon\nhari ini ya"
    assert said.message_ids == ("id-2 galon", "id-hari ini ya")
    assert [row.id for row in said.message_rows] == [0, 1]
    assert said.signs == ()


def test_an_edit_of_an_edit_is_the_newest_words() -> None:
    said = _said(_message("2"), _edit("2", "3"), _edit("2", "4"))
    assert said.text == "4"


def test_what_was_taken_back_within_the_burst_was_never_said() -> None:
    said = _said(_message("salah kirim"), _message("ada galon?"), _revoke("salah kirim"))
    assert said.text == "ada galon?"
    assert said.last.text == "ada galon?"
    assert [row.id for row in said.revoked] == [0]


def test_a_burst_that_was_taken_back_whole_has_nothing_left() -> None:
    said = _said(_message("salah kirim"), _revoke("salah kirim"))
    assert said.messages == ()
    assert said.row_ids == [0, 1]
    assert said.last.addresses == (Address("terminal", "budi"),)


def test_signs_about_earlier_messages_are_no_words() -> None:
    thumb = _message("👍", message_id="r1", kind="reaction", quoted_id="B1")
    said = _said(thumb, _message("ada galon?"), _edit("kemarin", "lusa"))
    assert said.text == "ada galon?"
    assert [sign.kind for _, sign in said.signs] == ["reaction", "edit"]
    assert [row.id for row, _ in said.signs] == [0, 2]


@pytest.mark.parametrize(
    ("kind", "text", "detail", "shown"),
    [
        ("audio", "", "12 detik", "(voice note, 12 detik)"),
        ("image", "ini ready?", "", "(foto) ini ready?"),
        ("document", "", "bukti\n.pdf", "(berkas, bukti .pdf)"),
        ("sticker", "", "", "(stiker)"),
        ("text", "halo", "", "halo"),
    ],
)
def test_people_read_what_somebody_sent(kind: str, text: str, detail: str, shown: str) -> None:
    assert _said(_message(text, kind=kind, detail=detail)).shown == shown


def test_a_place_is_what_the_words_beside_it_are_about() -> None:
    said = _said(_message("", kind="location", detail="Klaten"), _message("bisa kirim ke sini?"))
    assert said.context == "Klaten"
    assert said.text == "bisa kirim ke sini?"


def test_the_newest_message_that_names_a_timer_decides() -> None:
    assert _said(_message("a", timer_s=60), _message("b", timer_s=0), _message("c")).timer_s == 0
    timer = _message("", message_id="t", kind="timer", timer_s=90)
    assert _said(timer).timer_s == 90
    assert _said(_message("a")).timer_s is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["text", "edit", "revoke", "reaction"]), st.integers(0, 5)), max_size=12
    )
)
def test_every_row_of_a_burst_is_accounted_for_whatever_changes_in_it(steps: list[tuple[str, int]]) -> None:
    messages, newest, gone = [], dict[str, str](), set[str]()
    for number, (kind, about) in enumerate(steps):
        own, other = f"m{number}", f"m{about}"
        fields: dict[str, Any] = {} if kind == "text" else {"kind": kind, "quoted_id": other}
        messages.append(_message(f"kata {number}", message_id=own, **fields))
        if kind == "text":
            newest[own] = f"kata {number}"
        elif other in newest and kind == "edit":
            newest[other] = f"kata {number}"
        elif other in newest and kind == "revoke":
            del newest[other]
            gone.add(other)
    if not messages:
        return
    said = _said(*messages)
    # What is left has its newest words, in the order in which it was said first.
    assert dict(zip(said.message_ids, said.parts, strict=True)) == newest
    assert list(said.message_ids) == sorted(said.message_ids, key=lambda name: int(name[1:]))
    assert len(said.revoked) == len(gone)
    told = {row.id for row in (*said.message_rows, *said.revoked, *(row for row, _ in said.signs))}
    # The rest are edits that were made in what they are about.
    edits = {number for number, (kind, _) in enumerate(steps) if kind == "edit"}
    revokes = {number for number, (kind, _) in enumerate(steps) if kind == "revoke"}
    assert set(range(len(steps))) - told <= edits | revokes
    assert said.row_ids == list(range(len(steps)))
