"""What became of a send, read from whatsmeow's error texts: it gives nothing but a text. Pure.

The texts are those of whatsmeow's ``errors.go``, ``send.go`` and ``request.go``.
"""

from __future__ import annotations

import re

from bot.channel import FileAway, FileGone, Outcome, Parked, Refused, Retry, Unknown

# These come before anything is written: the devices of the chat are asked for first.
_BEFORE_WRITING = (
    "websocket not connected",
    "failed to get device list",
    "failed to get user info",
    "failed to get LID",
    "failed to fetch LID mappings",
    "failed to prefetch sessions",
    "the store doesn't contain a device JID",
)
# The frame may have reached the server; only its acknowledgement is missing.
_UNKNOWN = (
    "timed out waiting for message send response",
    "disconnected before",
    "failed to send message node",
)
# "server returned error 403": numbers that another attempt only makes worse. 403: forbidden; 420: too many of
# this; 479: the chat's addressing was refused.
NEVER = {403, 420, 479}
# For a while this number may write to chats that it knows and to no others; that ends by itself.
RESTRICTED = 463
_SERVER_ERROR = re.compile(r"server returned error (\d+)")
_NO_LID = "no LID found for"


def of_error(text: str) -> Outcome:
    """The outcome that an error text stands for; what is not known was not sent and is tried again."""
    if (found := _SERVER_ERROR.search(text)) is not None:
        code = int(found[1])
        if code == RESTRICTED:
            return Parked(f"WhatsApp lets this number write to no new chats now (error {code})")
        if code in NEVER:
            return Refused(f"WhatsApp refuses to deliver this (error {code})")
        return Retry(f"WhatsApp answered with error {code}")
    if _NO_LID in text:
        # The number is not on WhatsApp, or hides; a later attempt cannot know more.
        return Refused("WhatsApp knows no account at this number")
    if any(words in text for words in _BEFORE_WRITING):
        return Retry(_reason(text))
    if any(words in text for words in _UNKNOWN):
        return Unknown(_reason(text))
    return Retry(_reason(text))


# The media host's answers that no further attempt changes: too large, and a kind that it does not take.
_UPLOADS_NEVER = {413, 415}
_UPLOAD_STATUS = re.compile(r"upload failed with status code (\d+)")


def of_upload_error(text: str) -> Outcome:
    """The outcome of an upload's error text: the message itself was not even tried."""
    if (found := _UPLOAD_STATUS.search(text)) is not None and int(found[1]) in _UPLOADS_NEVER:
        return Refused(f"WhatsApp does not take this file (status {found[1]})")
    return Retry(f"upload: {_reason(text)}")


# The media host forgets files after some weeks (404, 410); a link that ran out is forbidden (403). What does
# not fit its key or its hash never will.
_DOWNLOAD_STATUS = re.compile(r"download failed with status code (\d+)")
_GONE = {403, 404, 410}
_BROKEN = ("hash", "hmac", "no url present", "nothing downloadable", "length does not match", "too short")


def of_download_error(text: str) -> FileAway | FileGone:
    """What a download's error text means for the file."""
    if (found := _DOWNLOAD_STATUS.search(text)) is not None and int(found[1]) in _GONE:
        return FileGone(f"expired (status {found[1]})")
    if any(words in text.lower() for words in _BROKEN):
        return FileGone(f"broken: {_reason(text)}")
    return FileAway(_reason(text))


def _reason(text: str) -> str:
    """The first line, without addresses: reasons are logged."""
    first = text.strip().split("\n", 1)[0]
    return re.sub(r"\S*\d{6,}\S*", "…", first)[:200]
