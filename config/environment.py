"""Reading named values from a mapping of strings: parsers that explain themselves, and the `.env` file.

A parser takes the raw text and returns the value, or raises ValueError with the end of a sentence that starts
with the key's name: "MODEL_ATTEMPTS must be ...". It never repeats a text that may hold a secret.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from config.phone import normalise_phone
from config.secret import Secret

Parser = Callable[[str], Any]
E = TypeVar("E", bound=Enum)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_LIKENESS = 0.85  # "OPENAI_APIKEY" is a slip for OPENAI_API_KEY; "WEAVIATE_URL" is none for DATABASE_URL.


def keyed(name: str, parser: Parser) -> dict[str, Any]:
    """A field's metadata: the key that it is read from, and how."""
    return {"key": name, "parser": parser}


def text(raw: str) -> str:
    if not raw:
        raise ValueError("must not be empty")
    return raw


def optional_text(raw: str) -> str | None:
    return raw or None


def secret(raw: str) -> Secret:
    if not raw:
        raise ValueError("is missing: write the key that the service gave you")
    if not raw.isascii() or any(char.isspace() or not char.isprintable() for char in raw):
        # Such a key would fail much later, while an HTTP header is written.
        raise ValueError(
            "holds spaces or letters that no key has: copy the key again, without quotes around it"
        )
    return Secret(raw)


def whole(*, at_least: int, at_most: int | None = None) -> Parser:
    def parse(raw: str) -> int:
        if _GROUPED.fullmatch(raw):
            raise ValueError(f"must be digits only: write {re.sub('[.,]', '', raw)} instead of {raw}")
        if not re.fullmatch(r"-?\d{1,15}", raw):
            raise ValueError(f"must be a whole number, not {raw!r}")
        return int(_bounded(int(raw), at_least, at_most))

    return parse


def number(*, at_least: float, at_most: float | None = None) -> Parser:
    def parse(raw: str) -> float:
        if re.fullmatch(r"\d+,\d+", raw):
            raise ValueError(f"must be written with a point: {raw.replace(',', '.')} instead of {raw}")
        try:
            value = float(raw)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"must be a number, not {raw!r}")
        return _bounded(value, at_least, at_most)

    return parse


def _bounded(value: float, at_least: float, at_most: float | None) -> float:
    if value < at_least:
        raise ValueError(f"must be at least {at_least:g}, not {value:g}")
    if at_most is not None and value > at_most:
        raise ValueError(f"must be at most {at_most:g}, not {value:g}")
    return value


def yes_or_no(raw: str) -> bool:
    word = raw.lower()
    if word in {"true", "yes", "ya", "on", "1"}:
        return True
    if word in {"false", "no", "tidak", "off", "0"}:
        return False
    raise ValueError(f"must be true or false, not {raw!r}")


def one_of(kind: type[E]) -> Parser:
    def parse(raw: str) -> E:
        try:
            return kind(raw.lower())
        except ValueError:
            choices = ", ".join(str(member.value) for member in kind)
            raise ValueError(f"must be one of {choices}, not {raw!r}") from None

    return parse


def words(*allowed: str, upper: bool = False) -> Parser:
    def parse(raw: str) -> str:
        word = raw.upper() if upper else raw.lower()
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, not {raw!r}")
        return word

    return parse


def optional(parser: Parser, *, off: Iterable[str] = ()) -> Parser:
    """An empty value, or one of the words in `off`, means None."""
    empty = {"", *off}

    def parse(raw: str) -> Any:
        return None if raw.lower() in empty else parser(raw)

    return parse


def phone(raw: str) -> str:
    """A mobile number of any country in WhatsApp's form: digits with the country's code, no plus."""
    indonesian = normalise_phone(raw)
    if indonesian is not None:
        return indonesian
    digits = re.sub(r"[\s().+-]", "", raw)
    if not re.fullmatch(r"[1-9][0-9]{7,14}", digits):
        raise ValueError(f"must be a phone number like 0812... or +62812..., not {raw!r}")
    return digits


def folder(raw: str) -> Path:
    return Path(text(raw)).expanduser()


def slug(raw: str) -> str:
    # It becomes part of file names and of database rows.
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", raw):
        raise ValueError(f"must be 1 to 32 small letters, digits, - or _, not {raw!r}")
    return raw


def http_url(raw: str) -> str:
    try:
        parts = urlsplit(raw)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed or any(char.isspace() for char in raw):
        raise ValueError("must be an address that starts with https:// (or http:// on this machine)")
    return raw.rstrip("/")


def several(parser: Parser) -> Parser:
    """One value or more, separated by commas; each as ``parser`` leaves it, joined again."""

    def parse(raw: str) -> str:
        return ",".join(str(parser(part.strip())) for part in raw.split(","))

    return parse


def class_name(raw: str) -> str:
    # Weaviate would silently capitalise it, and the names would then not be found again.
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,39}", raw):
        raise ValueError(f"must be letters and digits beginning with a capital, not {raw!r}")
    return raw


def host(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.:%-]{1,253}", raw):
        raise ValueError(
            f"must be an address of this machine like 127.0.0.1, without http:// or a port, not {raw!r}"
        )
    return raw


def postgres_url(raw: str) -> str:
    try:
        parts = urlsplit(raw)
        well_formed = parts.scheme == "postgresql" and bool(parts.path.strip("/")) and parts.port != 0
        # In the query the password would escape the masking; before the @ it does not.
        well_formed = well_formed and "password" not in parts.query
    except ValueError:
        well_formed = False
    if not well_formed or any(char.isspace() for char in raw):
        # The value is not repeated: it usually holds a password.
        raise ValueError(
            "must look like postgresql://user:password@host:5432/database (special characters in the password"
            " as %40 and so on); leave it empty to use SQLite"
        )
    return raw


def is_loopback(name: str) -> bool:
    """Whether only this machine can reach what listens there."""
    return name in _LOOPBACK


def is_unprotected(url: str) -> bool:
    """Whether what is sent to this address travels in clear over a network."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def read_env_file(path: Path) -> tuple[dict[str, str], list[str]]:
    """The values of a `.env` file, and the problems that stop the start.

    A missing file is an empty one: in a container everything may come from the environment.
    """
    try:
        # utf-8-sig: Windows editors put a byte order mark in front, which would become part of the first key.
        # No interpolation: a `$` in a password is just a `$`.
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig") if path.is_file() else {}
    except OSError as error:
        return {}, [f"{path} can't be read ({error.strerror}): give this user the right to read it."]
    except UnicodeDecodeError:
        return {}, [f"{path} is not UTF-8 text: save it again as UTF-8."]
    problems = [
        f"{path}: {key!r} has no value; write {key}=... on one line."
        for key, value in values.items()
        if value is None
    ]
    if values and os.name == "posix" and path.stat().st_mode & 0o077:
        problems.append(f"Others on this machine can read {path}, which holds keys: run `chmod 600 {path}`.")
    return {key: value for key, value in values.items() if value is not None}, problems


def open_folder(path: Path) -> list[str]:
    """The problem of a folder that must be its user's alone; none while it does not exist."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return []
    if os.name != "posix" or not mode & 0o077:
        return []
    return [f"Others on this machine can look into {path}, which holds all chats: run `chmod 700 {path}`."]


def slips(names: Iterable[str], known: Mapping[str, object] | Iterable[str]) -> list[tuple[str, str]]:
    """Unknown names that are probably misspelt, each with the known name that was meant."""
    known = list(known)
    found = []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=_LIKENESS)
            found += [(name, near[0])] if near else []
    return found
