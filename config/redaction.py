"""Removes keys and phone numbers from whatever is about to be logged. Pure: text and values in, the same out.

Two defences: the secrets that we know are removed wherever they occur, and everything that looks like a key,
a password or an Indonesian mobile number is removed by its look.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

from config.phone import GAP, MOBILE, international
from config.secret import MASK, Secret

_SHORTEST_SECRET = 4  # A shorter one would blot out parts of ordinary words and hide nothing worth hiding.
_DEEPEST = 8  # Deeper values, cyclic ones among them, are logged as their repr.
_FIRST_LONG_NUMBER = 62_800_000_000  # The smallest integer that can be a number with the country's code.

_NAMES = (
    r"(?:x[_-])?api[_-]?key|access[_-]?token|auth[_-]?token|refresh[_-]?token|password|passwd|client[_-]?secret"
    r"|secret|server[_-]?key|signature[_-]?key"
)
_SENSITIVE_KEY = re.compile(
    rf"(?:.*[_-])?(?:{_NAMES}|(?:proxy[_-])?authorization|(?:set[_-])?cookie)|token", re.IGNORECASE
)

# A text without one of these holds nothing that looks like a key; one without nine digits together holds
# no number. Both are far quicker to see than the things themselves, and true of nearly every text.
_HINT = re.compile(r"://|sk-|Mid-|/bot[0-9]|(?i:bearer|key|token|auth|passw|secret|sig)")
_NINE_DIGITS = re.compile(r"[0-9](?:" + GAP + r"[0-9]){8}")

_KEYS = re.compile(
    r"(?P<key>(?<![A-Za-z0-9])sk-[\w*…-]{6,}|(?:SB-)?Mid-(?:server|client)-[\w…-]+)"
    # The user and password of an address.
    r"|(?P<user>(?<=://)[^\s/]*(?=@))"
    # Headers and assignments, as text, JSON (escaped too) and the repr of a dictionary or of a pair.
    r"|(?P<name>"
    r"(?i:authorization)\\*[\"']?\s*[:=,]\s*b?\\*[\"']?(?:[A-Za-z]+\s+)?(?=[^\s\"'\\])"
    r"|(?i:\bbearer)\s+"
    rf"|(?<=[?&;])(?i:{_NAMES}|token|key|sig|signature)="
    rf"|(?i:{_NAMES})(?:=(?=[^\s\"'])|\\*[\"']?\s*[:=]\s*b?\\*[\"'])"
    r"|/bot(?=[0-9…]{6,}:)"
    r")[^\s\"'&,;)}\]\\]+"
)
_NUMBERS = re.compile(
    # Dates, UUIDs, long hexadecimal ids and addresses like 62.8.1.2 may hold digits that look like a number;
    # they are matched first and kept, because logs are of no use without them.
    r"\b20[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9])"
    r"|\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
    r"|\b[0-9A-Fa-f]{20,}\b"
    r"|(?<![0-9.])62\.8[0-9]?\.[0-2]?[0-9]{1,2}\.[0-2]?[0-9]{1,2}(?![0-9.])"
    rf"|(?P<phone>{MOBILE})"
)


def mask_phone(text: str) -> str:
    """The text with each Indonesian mobile number cut to its first four and last two digits: `0812…34`.

    All ways of writing a number give the same mask, so that one customer can be followed through the logs.
    """
    return _NUMBERS.sub(_short, text) if _NINE_DIGITS.search(text) else text


def _short(match: re.Match[str]) -> str:
    number = match["phone"]
    if number is None:
        return match[0]
    local = "0" + international(number)[2:]
    return f"{local[:4]}…{local[-2:]}"


def _mask_keys(text: str) -> str:
    return _KEYS.sub(lambda match: (match["name"] or "") + MASK, text) if _HINT.search(text) else text


class Redactor:
    """Redacts texts and values; `secrets` are removed wherever they occur, percent-encoded as well."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        plain = {secret.reveal() for secret in secrets}
        known = {
            form
            for text in plain
            for form in (text, quote(text, safe=""), quote_plus(text), repr(text)[1:-1])
        }
        # The longest first: one secret may be a part of another.
        self._known = sorted((text for text in known if len(text) >= _SHORTEST_SECRET), key=len, reverse=True)
        # Keys and event names come from our own code: a few hundred different ones in a process.
        self._key = lru_cache(maxsize=1024)(self._read_key)

    def text(self, text: str) -> str:
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, MASK)
        # Numbers first: one with gaps after "Bearer" would lose its beginning to the other pattern.
        return _mask_keys(mask_phone(text)) if len(text) > 5 else text

    def mapping(self, values: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
        """A new mapping, keys and values redacted; what stands under a key like `password` is masked."""
        clean = {}
        for key, value in values.items():
            name, sensitive = self._key(key if isinstance(key, str) else _shown(key))
            clean[name] = MASK if sensitive and value is not None else self.value(value, depth + 1)
        return clean

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value redacted and reduced to what JSON knows, whatever it was; it never raises."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if value is None or kind is bool:
            return value
        if kind is float:
            return value if math.isfinite(value) else repr(value)
        if kind is int:
            return self._integer(value)
        if isinstance(value, Secret):
            return MASK
        if depth < _DEEPEST:
            try:
                if isinstance(value, Mapping):
                    return self.mapping(value, depth)
                if isinstance(value, (list, tuple, set, frozenset)):
                    return self._sequence(list(value), depth)
            except Exception:  # noqa: BLE001 - a foreign container may fail in any way while it is read.
                return _unshowable(value)
        return self.text(_shown(value))

    def _sequence(self, values: list[Any], depth: int) -> list[Any]:
        # HTTP libraries keep headers as pairs.
        if len(values) == 2 and isinstance(values[0], (str, bytes)):
            name, sensitive = self._key(_shown(values[0]))
            if sensitive:
                return [name, MASK]
        return [self.value(value, depth + 1) for value in values]

    def _integer(self, value: int) -> int | str:
        if value < _FIRST_LONG_NUMBER:
            return value
        written = str(value)
        masked = self.text(written)
        return value if masked == written else masked

    def _read_key(self, key: str) -> tuple[str, bool]:
        return self.text(key), _SENSITIVE_KEY.fullmatch(key) is not None


def _shown(value: object) -> str:
    """The value as text; an object that can't be shown is named by its type."""
    try:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value).decode("utf-8", "backslashreplace")
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, Enum):
            return str(value.value)
        if isinstance(value, str):
            # A subclass may show itself as something else than the text that it holds.
            return str.__str__(value)
        if isinstance(value, (Decimal, UUID, PurePath, timedelta)):
            return str(value)
        return repr(value)
    except Exception:  # noqa: BLE001 - any object may be logged, and its repr may do anything.
        return _unshowable(value)


def _unshowable(value: object) -> str:
    return f"<{type(value).__name__} that can't be shown>"
