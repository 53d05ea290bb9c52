"""What the shop's phone tells of its chats from before, once, when it links a device ("history sync").

Who wrote to the shop, and whether he got an answer, is always read out of it. The words themselves are kept
only where the owner's setting says so: one file a chat, for his eyes only, removed after some days.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.whatsapp import content, jids
from store.customers import Address
from store.past_chats import PastChat

_DAY_S = 24 * 60 * 60


def conversations(raw: bytes) -> list[Any]:
    """The private chats in an event of neonize's (protobuf `neonize.HistorySync`); raises ``DecodeError``."""
    from neonize.proto import Neonize_pb2

    told = Neonize_pb2.HistorySync.FromString(raw).Data.conversations
    return [chat for chat in told if chat.ID.rpartition("@")[2] in jids.PRIVATE]


def read(chat: Any, *, own: Iterable[str] = ()) -> PastChat | None:
    """One of these chats as the store knows it; None when nobody said anything there.

    ``own`` are the shop's addresses: what it writes to itself is nobody's chat.
    """
    said = [entry.message for entry in chat.messages if _is_said(entry.message)]
    written = {address for address in (chat.ID, chat.lidJID, chat.pnJID) if address}
    if not said or written & set(own):
        return None
    last = max(said, key=lambda message: int(message.messageTimestamp))
    return PastChat(
        chat=chat.ID,
        addresses=_addresses(chat),
        last_ms=int(last.messageTimestamp) * 1000,
        waiting=not last.key.fromMe,
    )


def folder_in(state_dir: Path, account: str) -> Path:
    """Where the account's chats are kept."""
    return state_dir / f"{account}-history"


def keep(folder: Path, chat: Any) -> None:
    """Write the chat's messages into a file of its own, for the owner's eyes only. Raises OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    data = chat.SerializeToString()
    # Told again, it is the same chat with other messages: those that are there stay.
    path = folder / f"{_stem(chat.ID)}-{hashlib.sha256(data).hexdigest()[:8]}.chat"
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    part.replace(path)


def forget(folder: Path, addresses: Iterable[Address]) -> int:
    """Remove everything that was kept of the chat with any of these addresses; how many files."""
    removed = 0
    for server, user in addresses:
        for path in folder.glob(f"{_stem(f'{user}@{server}')}-*"):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def forget_old(folder: Path, *, days: int) -> int:
    """Remove what has been kept for that long; how many files."""
    before = time.time() - days * _DAY_S
    removed = 0
    for path in folder.glob("*-*.*"):
        # One that is being written loses its ".part" between the look at the folder and the one at the file.
        with contextlib.suppress(FileNotFoundError):
            if days == 0 or path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed


def _stem(chat: str) -> str:
    """A name that shows nobody's number to whoever lists the folder."""
    return hashlib.sha256(chat.encode()).hexdigest()[:32]


def _is_said(message: Any) -> bool:
    return message.HasField("message") and content.read(message.message) is not None


def _addresses(chat: Any) -> tuple[Address, ...]:
    found = []
    for written in (chat.ID, chat.lidJID, chat.pnJID):
        user, _, server = written.rpartition("@")
        if user and server in jids.PRIVATE:
            found.append(Address(server, user.partition(":")[0]))
    return tuple(dict.fromkeys(found))
