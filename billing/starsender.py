"""Starsender's HTTP interface: sends a text or a file to a WhatsApp number. Decides nothing.

What it answers in trouble is written nowhere, so every answer is sorted by what it can mean for the message:
taken, certainly not taken and worth another attempt, certainly not taken for good, or nobody knows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import aiohttp

from config.secret import Secret

# Connecting, and the whole of a request: Starsender fetches the file before it answers.
CONNECT_S = 5.0
TOTAL_S = 30.0
LIMITED_PAUSE_S = 30.0
_LONGEST_PAUSE_S = 300.0
_LARGEST_ANSWER = 64 * 1024
_LONGEST_REASON = 200


class Cause(StrEnum):
    """What is wrong with Starsender, for the owner: ``admin_sebab_starsender_...`` of the wording says it."""

    UNREACHABLE = "tak_terhubung"  # no connection
    SILENT = "diam"  # no answer, or the connection broke under way
    BROKEN = "galat"  # a fault of theirs
    LIMITED = "dibatasi"  # we send too much
    KEY = "kunci"  # our key is not (any more) one of theirs
    REFUSED = "ditolak"  # the device or the number; ``reason`` holds their words
    OFF = "mati"  # a setting of ours was taken away
    OURS = "gagal"  # a fault of ours


@dataclass(frozen=True, slots=True)
class Accepted:
    """Starsender took it, and will tell nobody whether it arrived."""


@dataclass(frozen=True, slots=True)
class Again:
    """Certainly not taken; worth another attempt, after ``after_s`` if that is known."""

    cause: Cause
    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may have been taken."""

    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Certainly not taken, and another attempt would end the same: the device, the number, or the key."""

    cause: Cause
    reason: str


Outcome = Accepted | Again | Uncertain | Failed


class StarsenderClient:
    """One device of Starsender's, as an asynchronous context manager. Every way to fail is an outcome."""

    def __init__(
        self, *, key: Secret, base_url: str, connect_s: float = CONNECT_S, total_s: float = TOTAL_S
    ) -> None:
        self._key = key
        self._address = f"{base_url.rstrip('/')}/send"
        self._timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # trust_env: behind a company's proxy there is no other way out.
        self._session = aiohttp.ClientSession(timeout=self._timeout, trust_env=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send_text(self, to: str, body: str) -> Outcome:
        """A text to the number, which is international digits alone (62812...)."""
        return await self._send({"messageType": "text", "to": to, "body": body})

    async def send_file(self, to: str, body: str, address: str) -> Outcome:
        """The file at this public address, with ``body`` below it."""
        return await self._send({"messageType": "media", "to": to, "body": body, "file": address})

    async def _send(self, message: dict[str, str]) -> Outcome:
        assert self._session is not None, "the client is not open"
        # The key alone, without "Bearer" in front. No redirects: they would carry it somewhere else.
        headers = {"Authorization": self._key.reveal()}
        try:
            async with self._session.post(
                self._address, json=message, headers=headers, allow_redirects=False
            ) as response:
                body = await response.content.read(_LARGEST_ANSWER)
                return outcome_of(response.status, body, response.headers.get("Retry-After"))
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as exc:
            return Again(Cause.UNREACHABLE, f"no connection to Starsender ({type(exc).__name__})")
        except TimeoutError:
            return Uncertain(Cause.SILENT, "Starsender did not answer in time")
        except (aiohttp.ClientError, OSError) as exc:
            # The request was under way when the connection broke.
            return Uncertain(Cause.SILENT, f"the connection to Starsender broke ({type(exc).__name__})")


def outcome_of(status: int, body: bytes, retry_after: str | None = None) -> Outcome:
    """What an answer means. Pure."""
    if status == 429:
        return Again(Cause.LIMITED, "Starsender limits us", after_s=_pause_s(retry_after))
    if status >= 500:
        return Uncertain(Cause.BROKEN, f"Starsender answered {status}")
    if status != 200:
        # A redirect is a wrong STARSENDER_URL.
        cause = Cause.KEY if status in (401, 403) else Cause.REFUSED
        return Failed(cause, f"{status}{_message(body)}")
    if _object(body).get("success") is not True:
        return Failed(Cause.REFUSED, _message(body).removeprefix(": ") or "no reason given")
    return Accepted()


def _pause_s(retry_after: str | None) -> float:
    if retry_after is not None and retry_after.isascii() and retry_after.isdecimal():
        return float(min(int(retry_after[:6]), _LONGEST_PAUSE_S))
    return LIMITED_PAUSE_S


def _message(body: bytes) -> str:
    """Its own words, short enough for a log and a person."""
    said = _object(body).get("message")
    if not isinstance(said, str) or not said.strip():
        return ""
    return f": {' '.join(said.split())[:_LONGEST_REASON]}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
