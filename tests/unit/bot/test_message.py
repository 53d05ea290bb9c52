"""Cleaning what customers write, and joining a burst."""

from __future__ import annotations

import time
import unicodedata
from types import SimpleNamespace

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


def _message(text: str, context: str = "") -> IncomingMessage:
    return IncomingMessage(
        chat="budi",
        sender="budi",
        message_id=f"id-{text}",
        kind="text",
        text=text,
        addresses=(Address("terminal", "budi"),),
        context=context,
    )


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
