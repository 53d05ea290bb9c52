from __future__ import annotations

import enum
import json
import re
import uuid
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.redaction import _HINT, _KEYS, _NUMBERS, Redactor, _short, mask_phone
from config.secret import Secret

KEY = "kunci/rahasia+satu"
redactor = Redactor([Secret(KEY), Secret("sandi\n'dua'"), Secret("abc")])


def shown(value: Any) -> str:
    return json.dumps(redactor.value(value), ensure_ascii=False)


@pytest.mark.parametrize(
    "written",
    [
        "081234567834",
        "6281234567834",
        "+6281234567834",
        "+62 812-3456-7834",
        "0812 3456 7834",
        "0812.3456.7834",
        "+62 (0)812 3456 7834",
        "006281234567834",
    ],
)
def test_a_number_keeps_its_first_four_and_last_two_digits_however_it_is_written(written: str) -> None:
    assert mask_phone(f"kirim ke {written}, ya") == "kirim ke 0812…34, ya"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("6281234567834@s.whatsapp.net", "0812…34@s.whatsapp.net"),
        ("6281234567834:12@s.whatsapp.net", "0812…34:12@s.whatsapp.net"),
        ("6281234567834-1602345678@g.us", "0812…34-1602345678@g.us"),
        ("https://wa.me/6281234567834?text=halo", "https://wa.me/0812…34?text=halo"),
        ("q=%20081234567834&p=%2B6281234567834", "q=%200812…34&p=%2B0812…34"),
        ("wa081234567834ya", "wa0812…34ya"),
        ("081234567834/081312345656", "0812…34/0813…56"),
        ("081234567834, 081312345656", "0812…34, 0813…56"),
        ("['081234567834']", "['0812…34']"),
        ("2026-08-12 081234567834", "2026-08-12 0812…34"),
    ],
)
def test_a_number_is_found_wherever_it_stands(text: str, masked: str) -> None:
    assert mask_phone(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "275000",
        "Rp275.000",
        "Rp 62.812.345.678",
        "1795411049503",
        "1795411049.503",
        "INV/2026/10/0001",
        "IH20-20261123-000812",
        "2026-08-12 275000",
        "2026-08-12T08:12:34.567890Z",
        "08-12-2026",
        "0.8123456789",
        "[0.8123456789, 0.0812345678]",
        "62.81234567%",
        "62.80.123.145",
        "08123456-7890-4123-8123-081234567890",
        "3EB0081234567834C2D4",
        "0812…34",
        "00812345678901234567",
        "123456789012345@lid",
    ],
)
def test_amounts_times_and_ids_stay_readable(text: str) -> None:
    assert redactor.text(text) == text


digits = st.text("0123456789", min_size=7, max_size=11)
prefixes = st.sampled_from(["08", "628", "+628", "+62 8", "0062 8", "+62 (0)8"])
gaps = st.sampled_from(["", " ", "-", ".", " - ", ") "])
around = st.text("xyz :,;/|\"'=@\n\t\\", max_size=5)


@given(around, prefixes, digits, gaps, around)
def test_no_mobile_number_survives(before: str, prefix: str, rest: str, gap: str, after: str) -> None:
    grouped = gap.join([rest[:2], *(rest[start : start + 4] for start in range(2, len(rest), 4))])
    masked = redactor.text(f"{before}{prefix}{grouped}{after}")
    assert len(re.sub("[^0-9]", "", masked)) == 6
    assert "…" in masked


@given(
    st.lists(st.tuples(prefixes, digits), min_size=2, max_size=4),
    st.sampled_from([", ", "; ", "\n\n\n\n", "|"]),
)
def test_no_number_hides_behind_another(numbers: list[tuple[str, str]], between: str) -> None:
    masked = redactor.text(between.join(prefix + rest for prefix, rest in numbers))
    assert masked.count("…") == len(numbers)


@given(
    st.one_of(
        st.uuids().map(str),
        st.uuids().map(lambda value: value.hex),
        st.binary(min_size=10, max_size=32).map(bytes.hex),
        st.integers(0, 999_999_999).map(str),
        st.integers(0, 999_999_999).map(lambda amount: f"Rp{amount:,}".replace(",", ".")),
        st.integers(1_577_836_800_000, 2_000_000_000_000).map(str),
        st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001 - only the text matters.
            lambda at: f"{at.isoformat()}+07:00"
        ),
        st.floats(0, 0.99).map(lambda value: f"{value:.10f}"),
        st.tuples(st.integers(2020, 2099), st.integers(1, 12), st.integers(0, 9999)).map(
            lambda part: f"INV/{part[0]}/{part[1]:02d}/{part[2]:04d}"
        ),
    )
)
def test_ids_amounts_and_times_survive(text: str) -> None:
    assert redactor.text(text) == text


KEY_PARTS = (
    "sk-",
    "Mid-server-",
    "://",
    "@",
    "/",
    "Bearer ",
    "beARer ",
    "Authorization:",
    "api_key=",
    "apiKey=",
)
MORE_KEY_PARTS = ("?token=", "&sig=", "/bot", 'password="', "secret", '"', "abcdef", "0123456")
NUMBER_PARTS = ("08", "62", "+62", "81", "2345", "678", "-", " ", ".")
pieces = st.sampled_from(KEY_PARTS + MORE_KEY_PARTS + NUMBER_PARTS)


@given(st.lists(pieces, max_size=12).map("".join))
def test_the_quick_look_beforehand_misses_nothing(text: str) -> None:
    assert mask_phone(text) == _NUMBERS.sub(_short, text)
    assert bool(_HINT.search(text)) or not _KEYS.search(text)


@given(st.text())
def test_a_text_that_was_redacted_once_stays_as_it_is(text: str) -> None:
    once = mask_phone(text)
    assert mask_phone(once) == once


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Incorrect API key provided: sk-proj-abc_DEF123.", "Incorrect API key provided: ***."),
        ("sk-kunci****akhir", "***"),
        ("sk-081234567834-081234567834abc", "***"),
        ("Bearer +62 812-3456-7834", "Bearer ***"),
        ("SB-Mid-server-AbC_123 Mid-client-x9", "*** ***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("authorization=Basic dXNlcg==", "authorization=Basic ***"),
        ("{'Authorization': 'abcdef'}", "{'Authorization': '***'}"),
        ("(b'Authorization', b'Bearer abcdef')", "(b'Authorization', b'Bearer ***')"),
        (r"{\"Authorization\": \"Bearer abcdef\"}", r"{\"Authorization\": \"Bearer ***\"}"),
        ("dipakai bearer abcdef", "dipakai bearer ***"),
        ("postgresql://balas:s@ndi@db:5432/balas", "postgresql://***@db:5432/balas"),
        ("https://x.test/a?token=abcd&q=1&api_key=ef", "https://x.test/a?token=***&q=1&api_key=***"),
        ("https://api.telegram.org/bot123456:AAF-x_y/send", "https://api.telegram.org/bot***"),
        ("host=db password=sandi user=balas", "host=db password=*** user=balas"),
        ('{"api_key": "abcd", "x": 1}', '{"api_key": "***", "x": 1}'),
        ("OPENAI_API_KEY=abcd", "OPENAI_API_KEY=***"),
    ],
)
def test_what_looks_like_a_key_or_password_is_removed(text: str, clean: str) -> None:
    assert Redactor().text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "risk-assessment done for task-managers",
        "OPENAI_API_KEY is missing: write the key that the service gave you.",
        'HTTP Request: POST https://api.openai.com/v1/embeddings "HTTP/1.1 200 OK"',
        "max_output_tokens=700 keyword=ongkir",
        "user@contoh.id",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"x{KEY}y",
        f"?k={KEY.replace('/', '%2F').replace('+', '%2B')}",
        "sandi\n'dua'",
        repr("sandi\n'dua'"),
    ],
)
def test_our_own_secrets_are_removed_in_every_form(text: str) -> None:
    clean = redactor.text(text)
    assert "***" in clean
    assert "rahasia" not in clean
    assert "sandi" not in clean


def test_a_secret_of_three_letters_does_not_blot_out_ordinary_words() -> None:
    assert redactor.text("abcd") == "abcd"


class Warna(enum.Enum):
    MERAH = "081234567834"


class Angka(enum.IntEnum):
    SATU = 1


class Rusak:
    def __repr__(self) -> str:
        raise RuntimeError("081234567834")


class Bicara:
    def __repr__(self) -> str:
        return f"<Bicara {KEY} 081234567834>"


class Teks(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "lain"


@pytest.mark.parametrize(
    "value",
    [
        "081234567834",
        6281234567834,
        b"ke 081234567834 \xff",
        bytearray(b"081234567834"),
        memoryview(b"081234567834"),
        ["a", ("081234567834", {"b": [KEY]})],
        {"081234567834"},
        frozenset({KEY}),
        {"081234567834": 1, KEY: 2, 6281234567834: 3, b"081234567834": 4},
        OrderedDict(x=KEY),
        ValueError("081234567834", KEY),
        Warna.MERAH,
        Bicara(),
        Path("/tmp/081234567834"),
        Secret("sk-apa"),
        {
            "password": "xyz",
            "headers": [("Authorization", "xyz"), (b"authorization", b"xyz"), ["Cookie", "xyz"]],
        },
        {"OpenAI-Api-Key": "xyz", "token": "xyz", "set-cookie": ["xyz"]},
        Teks(KEY),
    ],
)
def test_nothing_survives_in_values_of_any_kind(value: Any) -> None:
    text = shown(value)
    assert not re.search(r"\d{9}|rahasia|sk-apa|xyz", text), text
    assert "…" in text or "***" in text


def test_harmless_values_keep_their_kind() -> None:
    values = {
        "none": None,
        "yes": True,
        "amount_idr": 275_000,
        "at_ms": 1_795_411_049_503,
        "score": 0.25,
        "tokens": 812,
        "list": [1, "a"],
        "password": None,
    }
    assert redactor.mapping(values) == values


def test_other_values_become_readable_text() -> None:
    order = uuid.uuid4()
    assert redactor.value(datetime(2026, 11, 3, tzinfo=UTC)) == "2026-11-03T00:00:00+00:00"
    assert redactor.value(Decimal("1.50")) == "1.50"
    assert redactor.value(order) == str(order)
    assert redactor.value(Angka.SATU) == "1"
    assert redactor.value(float("nan")) == "nan"
    assert redactor.value(Rusak()) == "<Rusak that can't be shown>"


def test_a_value_that_holds_itself_ends() -> None:
    ring: dict[str, Any] = {"nomor": "081234567834"}
    ring["lagi"] = [ring]
    assert "1234567" not in shown(ring)


class Jebol(dict[str, str]):
    def items(self) -> Any:
        raise RuntimeError("no items")


def test_a_mapping_that_fails_while_it_is_read_is_no_failure_of_the_log() -> None:
    assert shown({"x": Jebol()}) == '{"x": "<Jebol that can\'t be shown>"}'
