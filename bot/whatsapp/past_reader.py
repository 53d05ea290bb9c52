"""Reads what the phone tells of chats from before; it is large, and in no hurry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from google.protobuf.message import DecodeError

from bot.whatsapp import past
from bot.whatsapp.bridge import HISTORY_SYNC, Bridge
from bot.whatsapp.notes import Notes

log = structlog.get_logger(__name__)


class PastReader:
    """Keeps the chats in ``folder`` if they are to be kept at all, and notes who waits in them."""

    def __init__(self, folder: Path, notes: Notes, *, keeps: bool) -> None:
        self._folder = folder
        self._notes = notes
        self._keeps = keeps
        self._to_read: asyncio.Queue[bytes] = asyncio.Queue()

    def put(self, raw: bytes) -> None:
        """Another portion came."""
        self._to_read.put_nowait(raw)

    async def read(self, bridge: Bridge) -> None:
        """Take one portion in after the other."""
        while True:
            raw = await self._to_read.get()
            try:
                chats = await asyncio.to_thread(past.conversations, raw)
                if self._keeps:
                    await asyncio.to_thread(self._keep, chats)
                own = await bridge.own_jids()
                found = [read for chat in chats if (read := past.read(chat, own=own)) is not None]
            except DecodeError as exc:
                log.warning("event_unreadable", code=HISTORY_SYNC, reason=str(exc))
                continue
            log.info("history_told", chats=len(found))
            await self._notes.past(found)

    def _keep(self, chats: list[Any]) -> None:
        try:
            for chat in chats:
                past.keep(self._folder, chat)
        except OSError as exc:
            log.warning("history_not_kept", reason=exc.strerror)
